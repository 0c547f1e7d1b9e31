"""Cohorts: a query fanned out to trusts, and the counts they chose to release."""

from typing import Literal

from schemas.ids import Code, Count, Id, Sentence, Sha256, Sql, TrustId
from schemas.message import Accepted, Command, Message, Record, Rejected

Outcome = Literal["counted", "suppressed", "refused", "failed", "timed_out"]


class Cell(Record):
    """One group of an aggregate answer: its keys, and its released count of distinct persons (absent: suppressed)."""

    keys: tuple[str, ...]
    persons: Count | None = None


class SubmitQuery(Command, type="trustflow.cohort.submit_query.v1", topic="cohort.commands", key="query_id"):
    """Count a cohort at each of these trusts."""

    query_id: Id
    project_id: Id
    sql: Sql
    trusts: tuple[TrustId, ...]


class CohortEvent(Message, topic="cohort.events", key="query_id"):
    query_id: Id
    project_id: Id


class QuerySubmitted(CohortEvent, type="trustflow.cohort.query_submitted.v1"):
    sql_sha256: Sha256
    trusts: tuple[TrustId, ...]


class TrustCounted(CohortEvent, type="trustflow.cohort.trust_counted.v1"):
    """What one trust released. ``persons`` are distinct, rounded; absent unless the outcome is ``counted``."""

    trust_id: TrustId
    outcome: Outcome
    persons: Count | None = None
    cells: tuple[Cell, ...] = ()
    code: Code | None = None
    reason: Sentence | None = None


class QueryTotalled(CohortEvent, type="trustflow.cohort.query_totalled.v1"):
    """The sum of released values only, so that nothing hidden can be subtracted out; absent without any."""

    persons: Count | None = None
    asked: Count
    counted: Count


class CohortFrozen(Message, type="trustflow.cohort.frozen.v1", topic="cohort.events", key="project_id"):
    """A trust fixed who is in: the set can shrink, never grow. ``digest`` is keyed by the trust."""

    project_id: Id
    query_id: Id
    trust_id: TrustId
    persons: Count | None = None
    digest: Sha256


class CohortNotFrozen(Message, type="trustflow.cohort.not_frozen.v1", topic="cohort.events", key="project_id"):
    project_id: Id
    query_id: Id
    trust_id: TrustId
    code: Code
    reason: Sentence


class QueryDeadlinePassed(CohortEvent, type="trustflow.cohort.query_deadline_passed.v1"):
    """From the cohort service to itself: trusts that have not answered are counted as timed out."""


class CohortCommandAccepted(
    Accepted, type="trustflow.cohort.command_accepted.v1", topic="cohort.events", key="subject"
):
    pass


class CohortCommandRejected(
    Rejected, type="trustflow.cohort.command_rejected.v1", topic="cohort.events", key="subject"
):
    pass
