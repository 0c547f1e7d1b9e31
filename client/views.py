"""What the events of one project, query, import, model or run add up to: pure folds, replayed from the beginning."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.cohort import CohortFrozen, CohortNotFrozen, QuerySubmitted, QueryTotalled, TrustCounted
from schemas.imaging import ImagingEvent, ImportFinished, ImportProgressed, ImportStarted, StudyState, Tally
from schemas.message import Message
from schemas.project import (
    MemberAdded,
    MemberRemoved,
    ProjectActivated,
    ProjectApproved,
    ProjectCreated,
    ProjectDeclined,
    ProjectEdited,
    ProjectStaged,
)
from schemas.training import (
    BundleApproved,
    BundleDeclined,
    BundleRefused,
    BundleSubmitted,
    ModelCreated,
    RoundFinished,
    RoundStarted,
    RunFailed,
    RunFinished,
    RunPlan,
    RunStarted,
    RunStopped,
    TaskMissed,
    TrustLeft,
    TrustReady,
    UpdateAccepted,
    UpdateRejected,
)


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Decision(View):
    """What a trust's approver said."""

    approved: bool
    by: str
    reason: str | None = None


class ProjectView(View):
    project_id: str
    name: str
    description: str
    dicom_to_nifti: bool
    owner: str
    members: tuple[str, ...]
    status: Literal["draft", "staged", "active"] = "draft"
    query_id: str | None = None
    trusts: tuple[str, ...] = ()
    decisions: dict[str, Decision] = {}
    frozen: dict[str, str] = {}


class QueryView(View):
    """``answers`` holds each trust's own answer; a trust that is missing has not answered yet."""

    query_id: str
    project_id: str
    trusts: tuple[str, ...]
    answers: dict[str, TrustCounted] = {}
    total: QueryTotalled | None = None


class StudyView(View):
    state: StudyState
    attempt: int
    code: str | None = None


class TrustImport(View):
    """One trust's import: ``studies`` by pseudonym, as far as anything happened to them."""

    planned: int = 0
    tally: Tally = Tally()
    finished: bool = False
    studies: dict[str, StudyView] = {}


class ImportView(View):
    """``barred`` names trusts that approved and could not fix their cohort, and why: they import nothing."""

    project_id: str
    approved: tuple[str, ...] = ()
    barred: dict[str, str] = {}
    trusts: dict[str, TrustImport] = {}

    @property
    def finished(self) -> bool:
        waiting = {*self.approved, *self.trusts} - self.barred.keys()
        return all(trust in self.trusts and self.trusts[trust].finished for trust in waiting)


class BundleView(View):
    sha256: str
    files: int = 0
    entry_point: str | None = None
    refused: str | None = None
    decisions: dict[str, Decision] = {}


class ModelView(View):
    model_id: str
    project_id: str
    name: str
    owner: str
    bundles: dict[str, BundleView] = {}

    @property
    def newest_bundle(self) -> str | None:
        """The digest of the code that was accepted last."""
        return next((bundle.sha256 for bundle in reversed(self.bundles.values()) if not bundle.refused), None)


class RunView(View):
    """``round`` is the one under way; ``updates`` names who has delivered in it, ``left`` who takes no part and why.

    ``notes`` tells of updates that were rejected and tasks that were missed.
    """

    run_id: str
    model_id: str
    project_id: str
    bundle_sha256: str
    plan: RunPlan
    trusts: tuple[str, ...]
    status: Literal["running", "finished", "failed", "stopped"] = "running"
    ready: dict[str, TrustReady] = {}
    left: dict[str, str] = {}
    round: int = 0
    updates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rounds: tuple[RoundFinished, ...] = ()
    result: RunFinished | None = None
    failure: str | None = None


def fold_project(view: ProjectView | None, event: Message) -> ProjectView | None:
    if isinstance(event, ProjectCreated):
        return ProjectView(**event.model_dump(), members=(event.owner,))
    return view.model_copy(update=_project_changes(view, event)) if view else None


def _project_changes(view: ProjectView, event: Message) -> dict[str, object]:
    match event:
        case ProjectEdited():
            return event.model_dump(exclude={"project_id"})
        case MemberAdded() | MemberRemoved():
            return {"members": event.members_after(view.members)}
        case ProjectStaged():
            return {"status": "staged", "query_id": event.query_id, "trusts": event.trusts}
        case ProjectApproved():
            return {"decisions": view.decisions | {event.trust_id: Decision(approved=True, by=event.approved_by)}}
        case ProjectDeclined():
            declined = Decision(approved=False, by=event.declined_by, reason=event.reason)
            return {"decisions": view.decisions | {event.trust_id: declined}}
        case ProjectActivated():
            return {"status": "active"}
        case CohortFrozen():
            persons = "suppressed" if event.persons is None else str(event.persons)
            return {"frozen": view.frozen | {event.trust_id: persons}}
        case CohortNotFrozen():
            return {"frozen": view.frozen | {event.trust_id: f"{event.code}: {event.reason}"}}
        case _:
            return {}


def fold_query(view: QueryView | None, event: Message) -> QueryView | None:
    match event:
        case QuerySubmitted():
            return QueryView(query_id=event.query_id, project_id=event.project_id, trusts=event.trusts)
        case TrustCounted() if view:
            return view.model_copy(update={"answers": view.answers | {event.trust_id: event}})
        case QueryTotalled() if view:
            return view.model_copy(update={"total": event})
        case _:
            return view


def fold_import(view: ImportView | None, event: Message) -> ImportView | None:
    if not isinstance(event, ImagingEvent | ProjectApproved | CohortNotFrozen):
        return view
    view = view or ImportView(project_id=event.project_id)
    if isinstance(event, ProjectApproved):
        return view.model_copy(update={"approved": (*view.approved, event.trust_id)})
    if isinstance(event, CohortNotFrozen):
        return view.model_copy(update={"barred": view.barred | {event.trust_id: f"{event.code}: {event.reason}"}})
    trust = _advanced(view.trusts.get(event.trust_id, TrustImport()), event)
    return view.model_copy(update={"trusts": view.trusts | {event.trust_id: trust}})


def _advanced(trust: TrustImport, event: ImagingEvent) -> TrustImport:
    match event:
        case ImportStarted():
            return trust.model_copy(update={"planned": event.studies, "finished": False})
        case ImportProgressed():
            study = StudyView(state=event.state, attempt=event.attempt, code=event.code)
            return trust.model_copy(
                update={"tally": event.tally, "finished": False, "studies": trust.studies | {event.study: study}}
            )
        case ImportFinished():
            return trust.model_copy(update={"tally": event.tally, "finished": True})
        case _:
            return trust


def fold_model(view: ModelView | None, event: Message) -> ModelView | None:
    match event:
        case ModelCreated():
            return ModelView(**event.model_dump())
        case BundleSubmitted() | BundleRefused() | BundleApproved() | BundleDeclined() if view:
            bundle = _judged(view.bundles.get(event.sha256, BundleView(sha256=event.sha256)), event)
            return view.model_copy(update={"bundles": view.bundles | {event.sha256: bundle}})
        case _:
            return view


def _judged(bundle: BundleView, event: BundleSubmitted | BundleRefused | BundleApproved | BundleDeclined) -> BundleView:
    match event:
        case BundleSubmitted():
            return bundle.model_copy(update={"files": event.files, "entry_point": event.entry_point, "refused": None})
        case BundleRefused():
            return bundle.model_copy(update={"refused": f"{event.code}: {event.reason}"})
        case BundleApproved():
            decision = Decision(approved=True, by=event.approved_by)
        case BundleDeclined():
            decision = Decision(approved=False, by=event.declined_by, reason=event.reason)
    return bundle.model_copy(update={"decisions": bundle.decisions | {event.trust_id: decision}})


def fold_run(view: RunView | None, event: Message) -> RunView | None:
    if isinstance(event, RunStarted):
        return RunView(**event.model_dump(exclude={"evaluate_at"}))
    return view.model_copy(update=_run_changes(view, event)) if view else None


def _run_changes(view: RunView, event: Message) -> dict[str, object]:
    match event:
        case TrustReady():
            return {"ready": view.ready | {event.trust_id: event}}
        case TrustLeft():
            return {"left": view.left | {event.trust_id: f"{event.code}: {event.reason}"}}
        case RoundStarted():
            return {"round": event.round, "updates": ()}
        case UpdateAccepted():
            return {"updates": tuple(dict.fromkeys((*view.updates, event.trust_id)))}
        case UpdateRejected() | TaskMissed():
            note = f"round {event.round}, {event.trust_id}: {event.code}: {event.reason}"
            return {"notes": (*view.notes, note)}
        case RoundFinished():
            earlier = (finished for finished in view.rounds if finished.round != event.round)
            return {"rounds": (*earlier, event)}
        case RunFinished():
            return {"status": "finished", "result": event}
        case RunFailed():
            return {"status": "failed", "failure": f"{event.code}: {event.reason}"}
        case RunStopped():
            return {"status": "stopped", "failure": f"stopped by {event.stopped_by}"}
        case _:
            return {}
