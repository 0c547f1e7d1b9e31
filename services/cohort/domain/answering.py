"""What becomes of a query: answers, progress, its cancelling, its deadline, its total."""

from typing import Any

from bus.errors import Late, Rejection
from schemas.cohort import (
    CancelQuery,
    Outcome,
    QueryCancelled,
    QueryDeadlinePassed,
    QueryTotalled,
    TrustAdvanced,
    TrustCounted,
)
from schemas.message import Message
from schemas.trust import CancelCount, CohortCounted, CountAdvanced
from services.cohort.domain.permission import require_member
from services.cohort.domain.state import Project, Query

TIMED_OUT = "The trust did not answer in time: its node may be down. Ask again later."
NUMBERS = {"persons", "cells", "keys", "studies", "margin"}
TABLES = {"statistics", "attrition"}


def answer(query: Query, counted: CohortCounted) -> tuple[Query, list[Message]]:
    """A trust's answer; one that comes twice, too late or unasked changes nothing."""
    if not query.awaits(counted.trust_id):
        return query, []
    return _settled(query, [_released(query, counted)])


def advanced(query: Query, told: CountAdvanced) -> list[Message]:
    """How far a trust is; of one that is not waited for, nothing."""
    return [TrustAdvanced(**_of_query(told, query))] if query.awaits(told.trust_id) else []


def deadline(query: Query) -> QueryDeadlinePassed:
    return QueryDeadlinePassed(query_id=query.query_id, project_id=query.project_id)


def deadline_passed(query: Query) -> tuple[Query, list[Message]]:
    """Whoever has not answered is counted as timed out; the others' answers stand."""
    if query.closed:
        return query, []
    return _settled(query, _without_answer(query, "timed_out", "timed_out", TIMED_OUT))


def cancel(query: Query | None, command: CancelQuery, project: Project | None) -> tuple[Query, list[Message]]:
    """Whoever has not answered is told to stop; the others' answers stand; raises Rejection or Late."""
    if query is None:
        raise Late("unknown_query", "There is no such query.")
    require_member(command.actor, project)
    if query.closed:
        raise Rejection("already_closed", "Every trust has answered, or the time is over: nothing is left to cancel.")
    stopped: list[Message] = [CancelCount(trust_id=trust, **_ids(query)) for trust in query.silent]
    reason = f"Cancelled by {command.actor} before the trust had answered."
    closed, told = _settled(query, _without_answer(query, "failed", "cancelled", reason))
    return closed, [QueryCancelled(**_ids(query), cancelled_by=command.actor), *stopped, *told]


def _settled(query: Query, answers: list[TrustCounted]) -> tuple[Query, list[Message]]:
    """The query with these answers, and with its total if they are the last."""
    persons = {told.trust_id: told.persons for told in answers}
    studies = {told.trust_id: told.studies for told in answers if told.studies is not None}
    now = query.model_copy(update={"answers": query.answers | persons, "studies": query.studies | studies})
    if now.silent:
        return now, [*answers]
    return now.model_copy(update={"closed": True}), [*answers, _total(now)]


def _released(query: Query, counted: CohortCounted) -> TrustCounted:
    """Numbers stand only with ``counted``, and an attrition with ``suppressed`` too, whatever a node sends."""
    told = _of_query(counted, query)
    if counted.outcome == "counted":
        return TrustCounted(**told)
    kept = {name: value for name, value in told.items() if name not in NUMBERS | TABLES}
    if counted.outcome != "suppressed":
        return TrustCounted(**kept)
    emptied = tuple(statistic.model_copy(update={"cells": ()}) for statistic in counted.statistics)
    return TrustCounted(**kept, attrition=counted.attrition, statistics=emptied)


def _of_query(told: CohortCounted | CountAdvanced, query: Query) -> dict[str, Any]:
    """What a trust says of a query, under the query's own project whatever the trust names."""
    return told.model_dump() | _ids(query)


def _ids(query: Query) -> dict[str, str]:
    return {"query_id": query.query_id, "project_id": query.project_id}


def _without_answer(query: Query, outcome: Outcome, code: str, reason: str) -> list[TrustCounted]:
    told: dict[str, Any] = {**_ids(query), "outcome": outcome, "code": code, "reason": reason}
    return [TrustCounted(**told, trust_id=trust) for trust in query.silent]


def _total(query: Query) -> QueryTotalled:
    """Sums of what each trust has shown: a reader could have made them, so nothing hidden is in them."""
    released = [persons for persons in query.answers.values() if persons is not None]
    return QueryTotalled(
        **_ids(query),
        persons=sum(released) if released else None,
        asked=len(query.trusts),
        counted=len(released),
        studies=sum(query.studies.values()) if query.studies else None,
    )
