"""A cohort query: each trust's own answer, and the total."""

from pydantic import Field

from schemas.cohort import QueryCancelled, QuerySubmitted, QueryTotalled, Rule, TrustAdvanced, TrustCounted
from schemas.message import Message
from schemas.views.view import View, ViewDefinition


class QueryView(View):
    """``answers`` holds each trust's own answer; a trust that is missing has not answered yet.

    ``progress`` holds how far a trust was when it last said so; what was asked is as `QuerySubmitted` has it.
    """

    query_id: str
    project_id: str
    trusts: tuple[str, ...]
    answers: dict[str, TrustCounted] = Field(default_factory=dict)
    total: QueryTotalled | None = None
    progress: dict[str, TrustAdvanced] = Field(default_factory=dict)
    sql: str | None = None
    criteria: str | None = None
    rules: tuple[Rule, ...] = ()
    statistics: tuple[str, ...] = ()
    cohort: str | None = None
    version: int | None = None
    repeats: str | None = None
    submitted_by: str | None = None
    cancelled_by: str | None = None


def fold_query(view: QueryView | None, event: Message) -> QueryView | None:
    match event:
        case QuerySubmitted():
            return QueryView(**event.model_dump())
        case TrustAdvanced() if view:
            return view.model_copy(update={"progress": view.progress | {event.trust_id: event}})
        case QueryCancelled() if view:
            return view.model_copy(update={"cancelled_by": event.cancelled_by})
        case TrustCounted() if view:
            return view.model_copy(update={"answers": view.answers | {event.trust_id: event}})
        case QueryTotalled() if view:
            return view.model_copy(update={"total": event})
        case _:
            return view


QUERY = ViewDefinition(
    "query", QueryView, fold_query, (QuerySubmitted, TrustAdvanced, QueryCancelled, TrustCounted, QueryTotalled)
)
