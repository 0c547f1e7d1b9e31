"""Cohorts: a query fanned out to trusts, and the counts they chose to release."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.ids import Code, Count, Id, Json, Sentence, Sha256, Sql, Title, TrustId, UserId
from schemas.message import Accepted, Command, Message, Record, Rejected

Outcome = Literal["counted", "suppressed", "refused", "failed", "timed_out"]


class Cell(Record):
    """One group of an aggregate answer: its keys, and its released count of distinct persons (absent: suppressed)."""

    keys: tuple[str, ...]
    persons: Count | None = None


class Statistic(Record):
    """One released table about a cohort: ``keys`` title the columns of its cells' keys, ``unit`` is of numeric keys.

    ``missing`` says in a sentence why there are no cells, where the warehouse cannot tell.
    """

    name: Code
    title: Title
    keys: tuple[Title, ...]
    unit: Title | None = None
    cells: tuple[Cell, ...] = ()
    missing: Sentence | None = None


class Rule(Record):
    """One step of an attrition: its name, and the query of who is left after it and all before it."""

    name: Title
    sql: Sql


class Step(Record):
    """Who is left after a rule and all before it, as released; absent persons: suppressed."""

    name: Title
    persons: Count | None = None


class Spent(Record):
    """What of the trust's budget of answers is spent: by this user today, by the project today and in all."""

    user_today: Count
    user_daily: Count
    project_today: Count
    project_daily: Count
    project_ever: Count
    project_limit: Count


class Concept(Record):
    """A concept of a trust's vocabulary. ``parents`` and ``children`` count its direct neighbours in the hierarchy."""

    concept_id: int
    name: Annotated[str, Field(max_length=255)]
    code: Annotated[str, Field(max_length=50)]
    domain: Annotated[str, Field(max_length=20)]
    vocabulary: Annotated[str, Field(max_length=20)]
    standard: bool
    matched: Annotated[str, Field(max_length=1000)] | None = None
    parents: tuple[int, ...] = ()
    children: tuple[int, ...] = ()
    descendants: Count = 0


class SubmitQuery(Command, type="trustflow.cohort.submit_query.v1", topic="cohort.commands", key="query_id"):
    """Count a cohort at each of these trusts.

    ``cohort`` names the cohort that this is a version of; ``statistics`` asks for tables by name; ``rules`` for an
    attrition.
    """

    query_id: Id
    project_id: Id
    sql: Sql
    trusts: tuple[TrustId, ...]
    cohort: Title | None = None
    statistics: tuple[Code, ...] = ()
    rules: tuple[Rule, ...] = ()


class SubmitCriteria(Command, type="trustflow.cohort.submit_criteria.v1", topic="cohort.commands", key="query_id"):
    """Count a cohort that is given as criteria (`schemas.criteria`): the service makes the SQL and the attrition.

    ``images``: the query hands over images, so that it can be the query of record of a project that imports them;
    criteria that name the images to hand over do so anyway.
    """

    query_id: Id
    project_id: Id
    criteria: Json
    trusts: tuple[TrustId, ...]
    cohort: Title | None = None
    statistics: tuple[Code, ...] = ()
    attrition: bool = False
    images: bool = False


class RepeatQuery(Command, type="trustflow.cohort.repeat_query.v1", topic="cohort.commands", key="query_id"):
    """Ask an earlier query again, on the data of today: the same version of the same cohort, under a new id."""

    query_id: Id
    project_id: Id
    repeats: Id
    trusts: tuple[TrustId, ...] = ()


class CancelQuery(Command, type="trustflow.cohort.cancel_query.v1", topic="cohort.commands", key="query_id"):
    """Stop a query at the trusts that have not answered yet."""

    query_id: Id


class SearchConcepts(Command, type="trustflow.cohort.search_concepts.v1", topic="cohort.commands", key="search_id"):
    """Look words up in the vocabulary of each of these trusts: names, synonyms and codes of concepts."""

    search_id: Id
    project_id: Id
    words: Annotated[str, Field(min_length=2, max_length=120)]
    trusts: tuple[TrustId, ...]
    domain: Annotated[str, Field(max_length=20)] | None = None
    vocabulary: Annotated[str, Field(max_length=20)] | None = None
    standard_only: bool = True
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class CohortEvent(Message, topic="cohort.events", key="query_id"):
    query_id: Id
    project_id: Id


class QuerySubmitted(CohortEvent, type="trustflow.cohort.query_submitted.v1"):
    """``version`` counts the texts of one ``cohort``; a repeat keeps its version. ``sql`` is the query of record."""

    sql_sha256: Sha256
    trusts: tuple[TrustId, ...]
    sql: Sql | None = None
    criteria: Json | None = None
    rules: tuple[Rule, ...] = ()
    statistics: tuple[Code, ...] = ()
    cohort: Title | None = None
    version: Count | None = None
    repeats: Id | None = None
    submitted_by: UserId | None = None


class TrustAdvanced(CohortEvent, type="trustflow.cohort.trust_advanced.v1"):
    """How far a trust is: it works on part ``done`` + 1 of ``parts``; ``waiting``: others are before it there."""

    trust_id: TrustId
    done: Count
    parts: Count
    waiting: bool = False


class QueryCancelled(CohortEvent, type="trustflow.cohort.query_cancelled.v1"):
    cancelled_by: UserId


class TrustCounted(CohortEvent, type="trustflow.cohort.trust_counted.v1"):
    """What one trust released. ``persons`` are distinct, rounded; absent unless the outcome is ``counted``.

    ``margin``: the true number is about so near, in two of three cases. ``line``, ``column``: where a refused query
    is at fault, from 1.
    """

    trust_id: TrustId
    outcome: Outcome
    persons: Count | None = None
    cells: tuple[Cell, ...] = ()
    code: Code | None = None
    reason: Sentence | None = None
    keys: tuple[Title, ...] = ()
    studies: Count | None = None
    margin: Count | None = None
    statistics: tuple[Statistic, ...] = ()
    attrition: tuple[Step, ...] = ()
    spent: Spent | None = None
    line: Count | None = None
    column: Count | None = None


class QueryTotalled(CohortEvent, type="trustflow.cohort.query_totalled.v1"):
    """The sum of released values only, so that nothing hidden can be subtracted out; absent without any."""

    persons: Count | None = None
    asked: Count
    counted: Count
    studies: Count | None = None


class FrozenRecord(Record):
    """By what a cohort was frozen: digests of the query and of the trust's software, its vocabulary and CDM."""

    sql_sha256: Sha256
    software: Annotated[str, Field(max_length=120)]
    cdm_version: Annotated[str, Field(max_length=40)] | None = None
    vocabulary_version: Annotated[str, Field(max_length=120)] | None = None
    frame: bool = False


class CohortFrozen(Message, type="trustflow.cohort.frozen.v1", topic="cohort.events", key="project_id"):
    """A trust fixed who is in: the set can shrink, never grow. ``digest`` is keyed by the trust."""

    project_id: Id
    query_id: Id
    trust_id: TrustId
    persons: Count | None = None
    digest: Sha256
    record: FrozenRecord | None = None


class CohortNotFrozen(Message, type="trustflow.cohort.not_frozen.v1", topic="cohort.events", key="project_id"):
    project_id: Id
    query_id: Id
    trust_id: TrustId
    code: Code
    reason: Sentence


class CohortShrunk(Message, type="trustflow.cohort.shrunk.v1", topic="cohort.events", key="project_id"):
    """Persons of a frozen cohort are gone: opted out or deleted. ``usable`` is false below the trust's threshold."""

    project_id: Id
    query_id: Id
    trust_id: TrustId
    persons: Count | None = None
    digest: Sha256
    usable: bool


class ConceptEvent(Message, topic="cohort.events", key="search_id"):
    search_id: Id
    project_id: Id


class ConceptsSought(ConceptEvent, type="trustflow.cohort.concepts_sought.v1"):
    trusts: tuple[TrustId, ...]


class TrustConcepts(ConceptEvent, type="trustflow.cohort.trust_concepts.v1"):
    """What a trust's vocabulary holds; ``code`` and ``reason`` say why nothing is told, ``empty_vocabulary`` first."""

    trust_id: TrustId
    concepts: tuple[Concept, ...] = ()
    vocabulary_version: Annotated[str, Field(max_length=120)] | None = None
    code: Code | None = None
    reason: Sentence | None = None


class QueryDeadlinePassed(CohortEvent, type="trustflow.cohort.query_deadline_passed.v1"):
    """From the cohort service to itself: trusts that have not answered are counted as timed out."""


class SearchDeadlinePassed(ConceptEvent, type="trustflow.cohort.search_deadline_passed.v1"):
    """From the cohort service to itself: trusts that have not answered a search are told of as timed out."""


class CohortCommandAccepted(
    Accepted, type="trustflow.cohort.command_accepted.v1", topic="cohort.events", key="subject"
):
    pass


class CohortCommandRejected(
    Rejected, type="trustflow.cohort.command_rejected.v1", topic="cohort.events", key="subject"
):
    pass
