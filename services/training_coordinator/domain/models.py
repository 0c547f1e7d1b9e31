"""Models and their code: who may bring code, and who may let it run."""

from pydantic import Field

from bus.errors import Late, Rejection
from schemas.bundle import BundleReport
from schemas.manifest import Manifest
from schemas.training import (
    ApproveBundle,
    BundleApproved,
    BundleDeclined,
    BundleRefused,
    BundleSubmitted,
    CreateModel,
    DeclineBundle,
    ModelCommand,
    ModelCreated,
    ModelEvent,
    OfferBundle,
    ScanBundle,
    SubmitBundle,
)
from services.training_coordinator.domain.known import Project, State, Trust, require_member

FINDINGS_TOLD = 3


class Bundle(State):
    """The newest bundle. Decisions of trusts are on its digest: another one starts without any."""

    sha256: str
    manifest: Manifest
    approved_by: dict[str, str] = Field(default_factory=dict)
    declined_by: dict[str, str] = Field(default_factory=dict)


class Model(State):
    model_id: str
    project_id: str
    name: str
    owner: str
    bundle: Bundle | None = None


def bundle_prefix(model_id: str, sha256: str) -> str:
    return f"bundles/{model_id}/{sha256}"


def create(model: Model | None, command: CreateModel, project: Project | None) -> ModelCreated:
    if model is not None:
        raise Rejection("already_exists", "A model of this id exists already: choose another id.")
    if project is None:
        raise Late("unknown_project", "There is no such project: create it first.")
    require_member(project, command.actor)
    return ModelCreated(
        model_id=command.model_id, project_id=command.project_id, name=command.name, owner=command.actor
    )


def known(model: Model | None, project: Project | None) -> tuple[Model, Project]:
    if model is None or project is None:
        raise Rejection("unknown_model", "There is no such model: create it first.")
    return model, project


def check_offer(project: Project, command: OfferBundle, max_size: int) -> None:
    require_member(project, command.actor)
    _require_size(command.size, max_size)


def check_submission(project: Project, command: SubmitBundle, max_size: int) -> None:
    require_member(project, command.actor)
    _require_size(command.manifest.size, max_size)
    if command.manifest.prefix != bundle_prefix(command.model_id, command.sha256):
        raise Rejection("wrong_prefix", "The manifest is not of the upload that was granted: offer the bundle first.")


def scan(model: Model, command: SubmitBundle) -> ScanBundle:
    return ScanBundle(
        model_id=model.model_id,
        project_id=model.project_id,
        sha256=command.sha256,
        manifest=command.manifest,
        submitted_by=command.actor,
    )


def judge(scan: ScanBundle, report: BundleReport) -> ModelEvent:
    """What comes of a bundle that was read: code that can't run in a sandbox is refused, with its places."""
    if report.findings:
        return refuse(scan, report.findings[0].code, "; ".join(map(str, report.findings[:FINDINGS_TOLD])))
    return BundleSubmitted(
        **scan.model_dump(include={"model_id", "project_id", "sha256", "submitted_by"}),
        files=len(report.files),
        entry_point=report.entry_point,
        manifest=scan.manifest,
    )


def refuse(scan: ScanBundle, code: str, reason: str) -> BundleRefused:
    ids = scan.model_dump(include={"model_id", "project_id", "sha256"})
    return BundleRefused(**ids, code=code, reason=reason[:500])


def approve(model: Model, command: ApproveBundle, project: Project, trust: Trust | None) -> BundleApproved:
    _require_approver(model, command, project, trust)
    decision = command.model_dump(include={"trust_id", "sha256"})
    return BundleApproved(model_id=model.model_id, project_id=model.project_id, approved_by=command.actor, **decision)


def decline(model: Model, command: DeclineBundle, project: Project, trust: Trust | None) -> BundleDeclined:
    _require_approver(model, command, project, trust)
    decision = command.model_dump(include={"trust_id", "sha256", "reason"})
    return BundleDeclined(model_id=model.model_id, project_id=model.project_id, declined_by=command.actor, **decision)


def decide(model: Model, command: ModelCommand, project: Project, trust: Trust | None) -> ModelEvent:
    """The decision of a trust's approver on a bundle."""
    match command:
        case ApproveBundle():
            return approve(model, command, project, trust)
        case DeclineBundle():
            return decline(model, command, project, trust)
        case _:
            raise TypeError(f"no decision for {command.type}")


def _require_size(size: int, max_size: int) -> None:
    if size > max_size:
        raise Rejection("too_large", f"A bundle may have {max_size} bytes: take data and weights out of it.")


def _require_approver(
    model: Model, command: ApproveBundle | DeclineBundle, project: Project, trust: Trust | None
) -> None:
    if model.bundle is None or model.bundle.sha256 != command.sha256:
        raise Rejection("unknown_bundle", "The model's newest bundle has another digest: look at it again.")
    if command.trust_id not in project.asked:
        raise Rejection("trust_not_asked", f"{command.trust_id} was not asked: it is not among the staged trusts.")
    if command.actor == model.owner or command.actor in project.members:
        raise Rejection("own_request", "Nobody decides on code of their own project.")
    if trust is None or command.actor not in trust.approvers:
        raise Rejection("not_an_approver", f"{command.actor} is no approver of {command.trust_id} by its own policy.")
    if command.trust_id in model.bundle.approved_by | model.bundle.declined_by:
        raise Rejection("already_decided", f"{command.trust_id} has decided already.")


def evolve(model: Model | None, event: ModelEvent) -> Model:
    """The state after an event."""
    if isinstance(event, ModelCreated):
        return Model(**event.model_dump())
    if model is None:
        raise TypeError(f"{event.type} before the model was created")
    return model.model_copy(update={"bundle": _bundle(model.bundle, event)})


def _bundle(bundle: Bundle | None, event: ModelEvent) -> Bundle | None:
    if isinstance(event, BundleSubmitted) and event.manifest is not None:
        same = bundle is not None and bundle.sha256 == event.sha256
        return bundle if same else Bundle(sha256=event.sha256, manifest=event.manifest)
    if bundle is None:
        return None
    match event:
        case BundleApproved():
            return bundle.model_copy(update={"approved_by": bundle.approved_by | {event.trust_id: event.approved_by}})
        case BundleDeclined():
            return bundle.model_copy(update={"declined_by": bundle.declined_by | {event.trust_id: event.declined_by}})
        case _:
            return bundle
