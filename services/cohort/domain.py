"""What may happen to a cohort query. Pure: state + message → messages, state + message → state."""

import hashlib
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from bus.errors import Late, Rejection
from schemas.cohort import QueryDeadlinePassed, QuerySubmitted, QueryTotalled, SubmitQuery, TrustCounted
from schemas.message import Message
from schemas.project import ProjectApproved
from schemas.trust import CohortCounted, CountCohort, FreezeCohort


class Project(BaseModel):
    """A project as this service knows it from events."""

    model_config = ConfigDict(frozen=True)

    members: tuple[str, ...]
    draft: bool = True


class Query(BaseModel):
    """One query: whom it asked, and what each has answered (none: suppressed, refused, failed or timed out)."""

    model_config = ConfigDict(frozen=True)

    query_id: str
    project_id: str
    sql: str
    trusts: tuple[str, ...]
    answers: dict[str, int | None] = {}
    closed: bool = False

    def awaits(self, trust: str) -> bool:
        return trust in self.trusts and trust not in self.answers

    @property
    def silent(self) -> tuple[str, ...]:
        return tuple(trust for trust in self.trusts if trust not in self.answers)


def submit(
    known: Query | None, command: SubmitQuery, project: Project | None, trusts: Iterable[str]
) -> tuple[Query, list[Message]]:
    """The new query and what is said of it; raises Rejection or Late with a stable code."""
    if known is not None:
        raise Rejection("already_exists", "A query of this id exists already: choose another id.")
    _require_may_ask(command, project)
    unknown = sorted(set(command.trusts) - set(trusts))
    if unknown:
        raise Late("unknown_trust", f"There is no trust named {', '.join(unknown)}.")
    query = Query(query_id=command.query_id, project_id=command.project_id, sql=command.sql, trusts=command.trusts)
    return query, [_submitted(query), *(_count(query, trust) for trust in query.trusts)]


def _require_may_ask(command: SubmitQuery, project: Project | None) -> None:
    if project is None:
        raise Late("unknown_project", "There is no such project: create it first.")
    if command.actor not in project.members:
        raise Rejection("not_a_member", f"{command.actor} is no member of this project.")
    if not project.draft:
        raise Rejection("not_draft", "The request is frozen: a staged project asks no more queries.")
    if not command.trusts or len(set(command.trusts)) != len(command.trusts):
        raise Rejection("no_trusts", "Name at least one trust, each once.")


def _submitted(query: Query) -> QuerySubmitted:
    digest = hashlib.sha256(query.sql.encode()).hexdigest()
    return QuerySubmitted(query_id=query.query_id, project_id=query.project_id, sql_sha256=digest, trusts=query.trusts)


def _count(query: Query, trust: str) -> CountCohort:
    return CountCohort(trust_id=trust, query_id=query.query_id, project_id=query.project_id, sql=query.sql)


def answer(query: Query, counted: CohortCounted) -> tuple[Query, list[Message]]:
    """A trust's answer; one that comes twice, too late or unasked changes nothing."""
    if query.closed or not query.awaits(counted.trust_id):
        return query, []
    released = _released(counted)
    return _close_if_complete(_with(query, counted.trust_id, released.persons), [released])


def deadline_passed(query: Query) -> tuple[Query, list[Message]]:
    """Whoever has not answered is counted as timed out; the others' answers stand."""
    if query.closed:
        return query, []
    said: list[Message] = [_timed_out(query, trust) for trust in query.silent]
    for trust in query.silent:
        query = _with(query, trust, None)
    return _close_if_complete(query, said)


def deadline(query: Query) -> QueryDeadlinePassed:
    return QueryDeadlinePassed(query_id=query.query_id, project_id=query.project_id)


def freeze(query: Query | None, approved: ProjectApproved) -> FreezeCohort:
    """A trust approved: it shall fix who is in, by the text that was approved."""
    if query is None:
        raise Late("unknown_query", "The approved query has not been seen here yet.")
    return FreezeCohort(
        trust_id=approved.trust_id,
        project_id=approved.project_id,
        query_id=query.query_id,
        sql=query.sql,
        approved_by=approved.approved_by,
        request_digest=approved.request_digest,
    )


def _with(query: Query, trust: str, persons: int | None) -> Query:
    return query.model_copy(update={"answers": query.answers | {trust: persons}})


def _released(counted: CohortCounted) -> TrustCounted:
    """Numbers stand only with ``counted``, whatever a node sends."""
    hidden = set() if counted.outcome == "counted" else {"persons", "cells"}
    return TrustCounted(**counted.model_dump(exclude=hidden))


def _timed_out(query: Query, trust: str) -> TrustCounted:
    return TrustCounted(
        query_id=query.query_id,
        project_id=query.project_id,
        trust_id=trust,
        outcome="timed_out",
        code="timed_out",
        reason="The trust did not answer in time: its node may be down. Ask again later.",
    )


def _close_if_complete(query: Query, said: list[Message]) -> tuple[Query, list[Message]]:
    if len(query.answers) < len(query.trusts):
        return query, said
    return query.model_copy(update={"closed": True}), [*said, _total(query)]


def _total(query: Query) -> QueryTotalled:
    released = [persons for persons in query.answers.values() if persons is not None]
    return QueryTotalled(
        query_id=query.query_id,
        project_id=query.project_id,
        persons=sum(released) if released else None,
        asked=len(query.trusts),
        counted=len(released),
    )
