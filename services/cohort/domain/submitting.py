"""How a query begins: as SQL, as criteria, or as an earlier one again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bus.errors import Late, Rejection
from schemas.cohort import QuerySubmitted, RepeatQuery, Rule, SubmitCriteria, SubmitQuery
from schemas.criteria import Compiled, Criteria, CriteriaError, compile_criteria, from_circe
from schemas.message import Message
from schemas.trust import CountCohort
from services.cohort.domain import judging
from services.cohort.domain.permission import require_draft, require_known, require_repeatable
from services.cohort.domain.state import Project, Query
from services.cohort.domain.versions import DEFAULT_COHORT, Cohort, digest

MOST_BYTES = 600_000
"""Of a question with its rules and criteria: what is made of it still fits into any message."""

MOST_BYTES_IN_ALL = 100_000_000
"""Of a question to all its trusts together: they are written in one transaction."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a decision needs to know beside the command; ``known`` is a query that has the command's id already."""

    known: Query | None
    project: Project | None
    trusts: Collection[str]
    cohort: Cohort
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """The new query, its cohort with the query's version in it, and what is said."""

    query: Query
    cohort: Cohort
    said: list[Message]


def submit(command: SubmitQuery, around: Around) -> Begun:
    """Ask each trust; raises Rejection or Late with a stable code."""
    _require_new(around)
    require_draft(command.actor, around.project)
    require_known(command.trusts, around.trusts)
    judging.require_allowed_rules(command.rules)
    return _begun(_query(command, command.sql, command.rules), around)


def submit_criteria(command: SubmitCriteria, around: Around) -> Begun:
    """Compile the criteria and ask each trust; raises as `submit`, and ``bad_criteria`` with the JSON path."""
    _require_new(around)
    require_draft(command.actor, around.project)
    require_known(command.trusts, around.trusts)
    compiled = _compiled(command)
    rules = tuple(Rule(name=name, sql=sql) for name, sql in compiled.rules) if command.attrition else ()
    judging.require_allowed_rules(rules)
    return _begun(_query(command, compiled.sql, rules, command.criteria), around)


def repeat(command: RepeatQuery, earlier: Query | None, around: Around) -> Begun:
    """Ask an earlier query of this project again, at the same trusts unless others are named."""
    _require_new(around)
    if earlier is None or earlier.project_id != command.project_id:
        raise Late("unknown_query", "This project has no such query: submit it first.")
    require_repeatable(command.actor, around.project, earlier)
    trusts = command.trusts or earlier.trusts
    require_known(trusts, around.trusts)
    asked = {"query_id": command.query_id, "trusts": trusts, "repeats": command.repeats, "submitted_by": command.actor}
    unanswered = {"answers": {}, "studies": {}, "closed": False}
    return _begun(earlier.model_copy(update=asked | unanswered), around)


def count(query: Query, trust: str, deadline_at: datetime) -> CountCohort:
    return CountCohort(
        trust_id=trust,
        query_id=query.query_id,
        project_id=query.project_id,
        sql=query.sql,
        asked_by=query.submitted_by,
        statistics=query.statistics,
        rules=query.rules,
        deadline_at=deadline_at,
    )


def _require_new(around: Around) -> None:
    if around.known is not None:
        raise Rejection("already_exists", "A query of this id exists already: choose another id.")


def _compiled(command: SubmitCriteria) -> Compiled:
    try:
        criteria = from_circe(command.criteria)
        return compile_criteria(criteria, images=command.images or _names_images(criteria))
    except CriteriaError as error:
        raise Rejection("bad_criteria", str(error)[: judging.LONGEST_REASON]) from None


def _names_images(criteria: Criteria) -> bool:
    return criteria.trustflow is not None and criteria.trustflow.hand_over is not None


def _query(
    command: SubmitQuery | SubmitCriteria, sql: str, rules: tuple[Rule, ...], criteria: str | None = None
) -> Query:
    return Query(
        query_id=command.query_id,
        project_id=command.project_id,
        sql=sql,
        trusts=command.trusts,
        criteria=criteria,
        rules=rules,
        statistics=command.statistics,
        cohort=command.cohort or DEFAULT_COHORT,
        submitted_by=command.actor,
    )


def _begun(asked: Query, around: Around) -> Begun:
    judging.require_allowed(asked.sql)
    cohort, version = around.cohort.with_text(asked.sql)
    query = asked.model_copy(update={"version": version})
    submitted = _submitted(query)
    _require_small(submitted)
    return Begun(query, cohort, [submitted, *(count(query, trust, around.deadline_at) for trust in query.trusts)])


def _require_small(submitted: QuerySubmitted) -> None:
    most = min(MOST_BYTES, MOST_BYTES_IN_ALL // len(submitted.trusts))
    if len(submitted.to_bytes()) > most:
        raise Rejection("too_large", f"The question has over {most} bytes: give fewer rules or shorter criteria.")


def _submitted(query: Query) -> QuerySubmitted:
    return QuerySubmitted(sql_sha256=digest(query.sql), **query.model_dump(exclude={"answers", "studies", "closed"}))
