"""A cohort query: each trust's own answer, and the total."""

from pydantic import Field

from schemas.cohort import QuerySubmitted, QueryTotalled, TrustCounted
from schemas.message import Message
from schemas.views.view import View, ViewDefinition


class QueryView(View):
    """``answers`` holds each trust's own answer; a trust that is missing has not answered yet."""

    query_id: str
    project_id: str
    trusts: tuple[str, ...]
    answers: dict[str, TrustCounted] = Field(default_factory=dict)
    total: QueryTotalled | None = None


def fold_query(view: QueryView | None, event: Message) -> QueryView | None:
    match event:
        case QuerySubmitted():
            return QueryView(query_id=event.query_id, project_id=event.project_id, trusts=event.trusts)
        case TrustCounted() if view:
            return view.model_copy(update={"answers": view.answers | {event.trust_id: event}})
        case QueryTotalled() if view:
            return view.model_copy(update={"total": event})
        case _:
            return view


QUERY = ViewDefinition("query", QueryView, fold_query, (QuerySubmitted, TrustCounted, QueryTotalled))
