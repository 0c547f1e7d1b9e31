"""What hub and trust say to each other, on topics of that trust alone."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from schemas.cohort import Cell, Concept, FrozenRecord, Outcome, Rule, Spent, Statistic, Step
from schemas.ids import Code, Count, Id, Sentence, Sha256, Sql, Title, TrustId, UserId
from schemas.manifest import DownloadGrant, Manifest, UploadGrant
from schemas.message import Message
from schemas.training import Metrics, TaskKind

COMMANDS = "trust.{trust_id}.commands"
EVENTS = "trust.{trust_id}.events"
UPDATES = "trust.{trust_id}.updates"


class CountCohort(Message, type="trustflow.trust.count_cohort.v1", topic=COMMANDS, key="query_id"):
    """``asked_by`` spends of the trust's budget; after ``deadline_at`` nobody waits for the answer any more."""

    trust_id: TrustId
    query_id: Id
    project_id: Id
    sql: Sql
    asked_by: UserId | None = None
    statistics: tuple[Code, ...] = ()
    rules: tuple[Rule, ...] = ()
    deadline_at: datetime | None = None


class CancelCount(Message, type="trustflow.trust.cancel_count.v1", topic=COMMANDS, key="query_id"):
    """Nobody waits for this answer any more: stop the query, or never begin it."""

    trust_id: TrustId
    query_id: Id
    project_id: Id


class FindConcepts(Message, type="trustflow.trust.find_concepts.v1", topic=COMMANDS, key="search_id"):
    trust_id: TrustId
    search_id: Id
    project_id: Id
    words: Annotated[str, Field(min_length=2, max_length=120)]
    domain: Annotated[str, Field(max_length=20)] | None = None
    vocabulary: Annotated[str, Field(max_length=20)] | None = None
    standard_only: bool = True
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class FreezeCohort(Message, type="trustflow.trust.freeze_cohort.v1", topic=COMMANDS, key="project_id"):
    """The trust's approver said yes: fix who is in."""

    trust_id: TrustId
    project_id: Id
    query_id: Id
    sql: Sql
    approved_by: UserId
    request_digest: Sha256


class PrepareRun(Message, type="trustflow.trust.prepare_run.v1", topic=COMMANDS, key="run_id"):
    """Fetch the code, check that its digest is the approved one, gather images and labels."""

    trust_id: TrustId
    run_id: Id
    project_id: Id
    model_id: Id
    bundle: DownloadGrant
    bundle_sha256: Sha256
    approved_by: UserId


class RunTask(Message, type="trustflow.trust.run_task.v1", topic=COMMANDS, key="run_id"):
    """Hand the global model to the code and bring back its update (init, train) or its metrics (evaluate)."""

    trust_id: TrustId
    run_id: Id
    round: Count
    kind: TaskKind
    seed: int
    config: dict[str, str | int | float | bool]
    model: DownloadGrant | None = None
    upload: UploadGrant | None = None
    deadline_at: datetime


class EndRun(Message, type="trustflow.trust.end_run.v1", topic=COMMANDS, key="run_id"):
    """The run is over: stop its code, drop its files."""

    trust_id: TrustId
    run_id: Id


class TrustAnnounced(Message, type="trustflow.trust.announced.v1", topic=EVENTS, key="trust_id"):
    """A trust node has started: who may approve for it, and what it runs."""

    trust_id: TrustId
    approvers: tuple[UserId, ...]
    small_number_threshold: int
    isolation: str
    software: dict[str, str]


class CohortCounted(Message, type="trustflow.trust.cohort_counted.v1", topic=EVENTS, key="query_id"):
    trust_id: TrustId
    query_id: Id
    project_id: Id
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


class CountAdvanced(Message, type="trustflow.trust.count_advanced.v1", topic=EVENTS, key="query_id"):
    trust_id: TrustId
    query_id: Id
    project_id: Id
    done: Count
    parts: Count
    waiting: bool = False


class ConceptsFound(Message, type="trustflow.trust.concepts_found.v1", topic=EVENTS, key="search_id"):
    trust_id: TrustId
    search_id: Id
    project_id: Id
    concepts: tuple[Concept, ...] = ()
    vocabulary_version: Annotated[str, Field(max_length=120)] | None = None
    code: Code | None = None
    reason: Sentence | None = None


class FrozenShrunk(Message, type="trustflow.trust.frozen_shrunk.v1", topic=EVENTS, key="project_id"):
    """Persons of a frozen cohort are gone: opted out or deleted. ``usable`` is false below the trust's threshold."""

    trust_id: TrustId
    project_id: Id
    query_id: Id
    persons: Count | None = None
    digest: Sha256
    usable: bool


class CohortFixed(Message, type="trustflow.trust.cohort_fixed.v1", topic=EVENTS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    query_id: Id
    persons: Count | None = None
    digest: Sha256
    record: FrozenRecord | None = None


class CohortNotFixed(Message, type="trustflow.trust.cohort_not_fixed.v1", topic=EVENTS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    query_id: Id
    code: Code
    reason: Sentence


class RunPrepared(Message, type="trustflow.trust.run_prepared.v1", topic=EVENTS, key="run_id"):
    trust_id: TrustId
    run_id: Id
    images: Count
    labelled: Count
    isolation: str
    software: dict[str, str]


class RunRefused(Message, type="trustflow.trust.run_refused.v1", topic=EVENTS, key="run_id"):
    """The trust takes no part in this run, or no longer."""

    trust_id: TrustId
    run_id: Id
    code: Code
    reason: Sentence


class TaskFailed(Message, type="trustflow.trust.task_failed.v1", topic=EVENTS, key="run_id"):
    trust_id: TrustId
    run_id: Id
    round: Count
    kind: TaskKind
    code: Code
    reason: Sentence


class ModelEvaluated(Message, type="trustflow.trust.model_evaluated.v1", topic=EVENTS, key="run_id"):
    trust_id: TrustId
    run_id: Id
    round: Count
    examples: Count
    metrics: Metrics


class GrantExpired(Message, type="trustflow.trust.grant_expired.v1", topic=EVENTS, key="run_id"):
    """The addresses of a task no longer open: send the task again with new ones."""

    trust_id: TrustId
    run_id: Id
    round: Count
    kind: TaskKind


class UpdateSubmitted(Message, type="trustflow.trust.update_submitted.v1", topic=UPDATES, key="run_id"):
    """A model update lies in the object lane. It exists once this event does."""

    trust_id: TrustId
    run_id: Id
    round: Count
    kind: TaskKind
    examples: int
    metrics: Metrics
    manifest: Manifest
