"""What hub and trust say to each other, on topics of that trust alone."""

import json
from datetime import datetime
from typing import Self

from pydantic import model_validator

from schemas.cohort import Cell, Outcome
from schemas.deid import DeidWish
from schemas.ids import Code, Count, Id, Sentence, Sha256, Signature, Sql, StudyPseudonym, Title, TrustId, UserId
from schemas.imaging import StudyRest, StudyStep
from schemas.manifest import DownloadGrant, Manifest, UploadGrant
from schemas.message import Message, Record
from schemas.training import Metrics, TaskKind

COMMANDS = "trust.{trust_id}.commands"
EVENTS = "trust.{trust_id}.events"
UPDATES = "trust.{trust_id}.updates"


class CountCohort(Message, type="trustflow.trust.count_cohort.v1", topic=COMMANDS, key="query_id"):
    trust_id: TrustId
    query_id: Id
    project_id: Id
    sql: Sql


class FreezeCohort(Message, type="trustflow.trust.freeze_cohort.v1", topic=COMMANDS, key="project_id"):
    """The trust's approver said yes: fix who is in."""

    trust_id: TrustId
    project_id: Id
    query_id: Id
    sql: Sql
    approved_by: UserId
    request_digest: Sha256


class ImportCohort(Message, type="trustflow.trust.import_cohort.v1", topic=COMMANDS, key="project_id"):
    """Bring the studies of the frozen cohort into the trust's XNAT."""

    trust_id: TrustId
    project_id: Id
    project_name: Title
    dicom_to_nifti: bool
    deid: DeidWish | None = None


class RetryImport(Message, type="trustflow.trust.retry_import.v1", topic=COMMANDS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym | None = None


class SkipImport(Message, type="trustflow.trust.skip_import.v1", topic=COMMANDS, key="project_id"):
    """Leave a study out: what was under way for it ends."""

    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym


class RepeatImport(Message, type="trustflow.trust.repeat_import.v1", topic=COMMANDS, key="project_id"):
    """Bring a study in from scratch, past what is here of it."""

    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym


class CompareImport(Message, type="trustflow.trust.compare_import.v1", topic=COMMANDS, key="project_id"):
    """Compare PACS, content store and archive with what was told of each study; repair what can be."""

    trust_id: TrustId
    project_id: Id


class SetConversion(Message, type="trustflow.trust.set_conversion.v1", topic=COMMANDS, key="project_id"):
    """Convert the project's images to NIfTI, also those that are there already, or no longer."""

    trust_id: TrustId
    project_id: Id
    on: bool


class SetMembers(Message, type="trustflow.trust.set_members.v1", topic=COMMANDS, key="project_id"):
    """These people, and no others that this system let in, may see the project's images in the trust's XNAT."""

    trust_id: TrustId
    project_id: Id
    project_name: Title
    members: tuple[UserId, ...]


class PurgeProject(Message, type="trustflow.trust.purge_project.v1", topic=COMMANDS, key="project_id"):
    """The project is over here: remove its images, and prove it."""

    trust_id: TrustId
    project_id: Id


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


class CohortFixed(Message, type="trustflow.trust.cohort_fixed.v1", topic=EVENTS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    query_id: Id
    persons: Count | None = None
    digest: Sha256


class CohortNotFixed(Message, type="trustflow.trust.cohort_not_fixed.v1", topic=EVENTS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    query_id: Id
    code: Code
    reason: Sentence


class ImportPlanned(Message, type="trustflow.trust.import_planned.v1", topic=EVENTS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    studies: Count


class StudyFailure(Record):
    """Why a study went no further; ``final`` when the trust does not try it again by itself."""

    code: Code
    final: bool


class StudyAdvanced(Message, type="trustflow.trust.study_advanced.v2", topic=EVENTS, key="project_id"):
    """One study reached a state, or failed after it; ``arrived`` when it is where the project wants it.

    ``expected`` is the PACS's own count of images, ``present`` what is there. ``rest`` says that it goes no further by
    itself and has neither arrived nor failed; ``held`` counts the images that wait for a person, by reason.
    """

    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym
    state: StudyStep
    attempt: Count
    arrived: bool = False
    failure: StudyFailure | None = None
    expected: Count | None = None
    present: Count | None = None
    rest: StudyRest | None = None
    held: dict[Code, Count] | None = None

    @property
    def settled(self) -> bool:
        """True when nothing more happens to it unless somebody asks."""
        return self.failure.final if self.failure else self.arrived or self.rest is not None

    @model_validator(mode="after")
    def _contradicts_nothing(self) -> Self:
        if self.arrived and (self.failure or self.state not in {"archived", "converted"}):
            raise ValueError("arrived: only an archived or converted study that did not fail has arrived")
        if self.rest and (self.arrived or self.failure):
            raise ValueError("rest: a study that has arrived or failed neither waits for a person nor was left out")
        return self


class ImportCompared(Message, type="trustflow.trust.import_compared.v1", topic=EVENTS, key="project_id"):
    """What was found where PACS, content store, archive and what was told of ``studies`` were compared.

    ``differences`` counts studies by code; those ``repaired`` are brought in again.
    """

    trust_id: TrustId
    project_id: Id
    studies: Count
    agreed: Count
    differences: dict[Code, Count]
    repaired: Count


class ConversionSet(Message, type="trustflow.trust.conversion_set.v1", topic=EVENTS, key="project_id"):
    """``waiting`` counts the studies that are here and still to be converted."""

    trust_id: TrustId
    project_id: Id
    on: bool
    waiting: Count


class MembersSet(Message, type="trustflow.trust.members_set.v1", topic=EVENTS, key="project_id"):
    """Accounts in the trust's XNAT project; ``without_address`` members are unknown to the trust's policy file.

    ``hindered`` counts all members who have no access, by the code of the reason.
    """

    trust_id: TrustId
    project_id: Id
    added: Count
    removed: Count
    without_address: Count
    hindered: dict[Code, Count] | None = None


class EnrichmentCovered(Message, type="trustflow.trust.enrichment_covered.v1", topic=EVENTS, key="project_id"):
    """Images of the project, those with labels, those with masks; what was rejected, by code."""

    trust_id: TrustId
    project_id: Id
    images: Count
    labelled: Count
    masked: Count
    rejected: dict[Code, Count]


class ProjectPurged(Message, type="trustflow.trust.project_purged.v1", topic=EVENTS, key="project_id"):
    """The project's images are gone from here, but for ``retained`` studies on legal hold.

    ``digest`` is the SHA-256 of the list of what was removed, which stays at the trust; ``signature`` is the trust's,
    over ``statement``: whoever has the trust's public key can verify it by ``bus.proof.statements.verify``.
    """

    trust_id: TrustId
    project_id: Id
    studies: Count
    images: Count
    kept: Count
    retained: Count
    sessions: Count
    digest: Sha256
    signature: Signature

    @property
    def statement(self) -> bytes:
        """What is signed: every field but the signature, as JSON with sorted keys."""
        said = self.model_dump(mode="json", exclude={"signature"})
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


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
