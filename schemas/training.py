"""Training: models, code bundles, runs and rounds."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from schemas.ids import Code, Count, Id, MetricName, Sentence, Sha256, Title, TrustId, UserId
from schemas.manifest import DownloadGrant, Manifest, UploadGrant
from schemas.message import Accepted, Command, Message, Record, Rejected

TaskKind = Literal["init", "train", "evaluate"]
Metric = Annotated[float, Field(allow_inf_nan=False)]
Metrics = dict[MetricName, Metric]


class RunPlan(Record):
    """How a run is to go. Times in seconds; ``quorum`` is the least number of updates that may close a round."""

    rounds: int = Field(ge=1, le=1000)
    quorum: int = Field(ge=1)
    prepare_deadline_s: float = Field(default=600.0, gt=0, le=86_400)
    round_deadline_s: float = Field(default=600.0, gt=0, le=86_400)
    seed: int = Field(default=0, ge=0, lt=2**31)
    metric: MetricName = "accuracy"
    higher_is_better: bool = True
    config: dict[str, str | int | float | bool] = Field(default_factory=dict)


class SiteMetrics(Record):
    """What one trust measured, over ``examples`` examples."""

    trust_id: TrustId
    examples: Count
    metrics: Metrics


class ModelCommand(Command, topic="training.commands", key="model_id"):
    model_id: Id


class CreateModel(ModelCommand, type="trustflow.training.create_model.v1"):
    project_id: Id
    name: Title


class OfferBundle(ModelCommand, type="trustflow.training.offer_bundle.v1"):
    """Ask where to put a code bundle (a zip) of this digest and size in bytes."""

    sha256: Sha256
    size: int = Field(gt=0)


class SubmitBundle(ModelCommand, type="trustflow.training.submit_bundle.v1"):
    """The bundle lies in the object lane: check it and ask the trusts to approve it.

    ``sha256`` is of the zip's bytes; ``manifest`` is what its upload returned.
    """

    sha256: Sha256
    manifest: Manifest


class ApproveBundle(ModelCommand, type="trustflow.training.approve_bundle.v1"):
    trust_id: TrustId
    sha256: Sha256


class DeclineBundle(ModelCommand, type="trustflow.training.decline_bundle.v1"):
    trust_id: TrustId
    sha256: Sha256
    reason: Sentence


class StartRun(Command, type="trustflow.training.start_run.v1", topic="training.commands", key="run_id"):
    """Train a model's newest bundle at ``trusts``; ``evaluate_at`` (default: the same) measure the result."""

    run_id: Id
    model_id: Id
    trusts: tuple[TrustId, ...]
    evaluate_at: tuple[TrustId, ...] = ()
    plan: RunPlan


class StopRun(Command, type="trustflow.training.stop_run.v1", topic="training.commands", key="run_id"):
    run_id: Id


class GetModel(Command, type="trustflow.training.get_model.v1", topic="training.commands", key="run_id"):
    """Ask for new addresses of a finished run's model."""

    run_id: Id


class ModelEvent(Message, topic="training.events", key="model_id"):
    model_id: Id
    project_id: Id


class ModelCreated(ModelEvent, type="trustflow.training.model_created.v1"):
    name: Title
    owner: UserId


class BundleGranted(ModelEvent, type="trustflow.training.bundle_granted.v1"):
    """Where to PUT the bundle. The address opens this one object only, and closes again."""

    sha256: Sha256
    upload: UploadGrant


class ScanBundle(ModelEvent, type="trustflow.training.scan_bundle.v1"):
    """From the coordinator to its own lane: never said aloud."""

    sha256: Sha256
    manifest: Manifest
    submitted_by: UserId


class BundleSubmitted(ModelEvent, type="trustflow.training.bundle_submitted.v1"):
    """The bundle's bytes have this digest and passed the scan; each trust of the project may now approve them."""

    sha256: Sha256
    files: Count
    entry_point: str
    submitted_by: UserId
    manifest: Manifest | None = None


class BundleRefused(ModelEvent, type="trustflow.training.bundle_refused.v1"):
    sha256: Sha256
    code: Code
    reason: Sentence


class BundleApproved(ModelEvent, type="trustflow.training.bundle_approved.v1"):
    trust_id: TrustId
    sha256: Sha256
    approved_by: UserId


class BundleDeclined(ModelEvent, type="trustflow.training.bundle_declined.v1"):
    trust_id: TrustId
    sha256: Sha256
    declined_by: UserId
    reason: Sentence


class Provenance(Record):
    """Everything that went into a model; ``software`` versions are keyed ``<trust>:<name>`` and ``hub:<name>``."""

    project_id: Id
    model_id: Id
    query_id: Id | None = None
    sql_sha256: Sha256 | None = None
    request_digest: Sha256 | None = None
    bundle_sha256: Sha256
    bundle_approved_by: dict[TrustId, UserId]
    project_approved_by: dict[TrustId, UserId]
    cohort_digests: dict[TrustId, Sha256]
    images: dict[TrustId, Count]
    isolation: dict[TrustId, str]
    plan: RunPlan
    software: dict[str, str]


class RunEvent(Message, topic="training.events", key="run_id"):
    run_id: Id


class RunStarted(RunEvent, type="trustflow.training.run_started.v1"):
    model_id: Id
    project_id: Id
    bundle_sha256: Sha256
    trusts: tuple[TrustId, ...]
    evaluate_at: tuple[TrustId, ...]
    plan: RunPlan
    provenance: Provenance | None = None


class TrustReady(RunEvent, type="trustflow.training.trust_ready.v1"):
    """A trust has the code and the images; ``isolation`` says what walls the code runs behind."""

    trust_id: TrustId
    images: Count
    labelled: Count
    isolation: str
    software: dict[str, str] = Field(default_factory=dict)


class TrustLeft(RunEvent, type="trustflow.training.trust_left.v1"):
    """A trust takes no part in this run, or no longer."""

    trust_id: TrustId
    code: Code
    reason: Sentence


class RoundStarted(RunEvent, type="trustflow.training.round_started.v1"):
    """Round 0 only makes the first global model; rounds 1 to n train."""

    round: Count
    trusts: tuple[TrustId, ...]
    started_at: AwareDatetime | None = None
    deadline_at: AwareDatetime | None = None


class UpdateAccepted(RunEvent, type="trustflow.training.update_accepted.v1"):
    """``order`` counts the accepted updates of the round from 1."""

    round: Count
    trust_id: TrustId
    order: int
    examples: Count
    metrics: Metrics
    digest: Sha256


class UpdateRejected(RunEvent, type="trustflow.training.update_rejected.v1"):
    round: Count
    trust_id: TrustId
    code: Code
    reason: Sentence


class TaskMissed(RunEvent, type="trustflow.training.task_missed.v1"):
    """A trust could not do its task; it is asked again in the next round."""

    round: Count
    trust_id: TrustId
    kind: TaskKind
    code: Code
    reason: Sentence


class TaskRepeated(RunEvent, type="trustflow.training.task_repeated.v1"):
    """What a trust uploaded is not what it said: it is asked once more, with a fresh place to upload to."""

    round: Count
    trust_id: TrustId
    attempt: int = Field(ge=2)


class FoldInput(Record):
    """One accepted update, as the aggregator shall fold it."""

    trust_id: TrustId
    examples: int = Field(ge=1)
    digest: Sha256


class RoundClosed(RunEvent, type="trustflow.training.round_closed.v1"):
    """No more updates are taken; the aggregator folds these."""

    round: Count
    updates: tuple[FoldInput, ...]
    missing: tuple[TrustId, ...]
    last: bool = False


class RoundFinished(RunEvent, type="trustflow.training.round_finished.v1"):
    """The next global model exists. ``metrics`` are means over the sites, weighted by examples."""

    round: Count
    seconds: float
    participants: tuple[TrustId, ...]
    metrics: Metrics
    sites: tuple[SiteMetrics, ...]
    model_digest: Sha256
    model: Manifest | None = None


class EvaluationStarted(RunEvent, type="trustflow.training.evaluation_started.v1"):
    """The final model is measured where it may be; a trust that does not answer in time is left out."""

    trusts: tuple[TrustId, ...]
    deadline_at: AwareDatetime


class TrustEvaluated(RunEvent, type="trustflow.training.trust_evaluated.v1"):
    site: SiteMetrics


class RunFinished(RunEvent, type="trustflow.training.run_finished.v1"):
    """The result, and what it was made from. The model's addresses expire; ask for new ones with ``GetModel``."""

    model: DownloadGrant
    rounds: Count
    metrics: Metrics
    sites: tuple[SiteMetrics, ...]
    provenance: Provenance


class ModelGranted(RunEvent, type="trustflow.training.model_granted.v1"):
    model: DownloadGrant


class RunFailed(RunEvent, type="trustflow.training.run_failed.v1"):
    code: Code
    reason: Sentence


class RunStopped(RunEvent, type="trustflow.training.run_stopped.v1"):
    stopped_by: UserId


class RunDeadlinePassed(RunEvent, type="trustflow.training.run_deadline_passed.v1"):
    """From the coordinator to itself: a phase of a run has had its time."""

    phase: str


class TrainingCommandAccepted(
    Accepted, type="trustflow.training.command_accepted.v1", topic="training.events", key="subject"
):
    pass


class TrainingCommandRejected(
    Rejected, type="trustflow.training.command_rejected.v1", topic="training.events", key="subject"
):
    pass
