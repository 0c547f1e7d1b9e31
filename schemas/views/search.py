"""Words looked up in the vocabularies of trusts: what each has told."""

from pydantic import Field

from schemas.cohort import ConceptsSought, TrustConcepts
from schemas.message import Message
from schemas.views.view import View, ViewDefinition


class SearchView(View):
    """``answers`` holds what each trust's vocabulary told; a trust that is missing has not answered yet."""

    search_id: str
    project_id: str
    trusts: tuple[str, ...]
    answers: dict[str, TrustConcepts] = Field(default_factory=dict)


def fold_search(view: SearchView | None, event: Message) -> SearchView | None:
    match event:
        case ConceptsSought():
            return SearchView(**event.model_dump())
        case TrustConcepts() if view:
            return view.model_copy(update={"answers": view.answers | {event.trust_id: event}})
        case _:
            return view


SEARCH = ViewDefinition("search", SearchView, fold_search, (ConceptsSought, TrustConcepts))
