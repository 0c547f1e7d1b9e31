"""Load, decide, save, emit."""

from dataclasses import dataclass, field

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.cohort import CohortFrozen
from schemas.imaging import ImportFinished
from schemas.message import Message
from schemas.project import MemberAdded, MemberRemoved, ProjectApproved, ProjectCreated, ProjectStaged
from schemas.training import (
    ApproveBundle,
    BundleGranted,
    CreateModel,
    DeclineBundle,
    GetModel,
    OfferBundle,
    StartRun,
    StopRun,
    SubmitBundle,
)
from schemas.trust import TrustAnnounced
from services.training_coordinator import store
from services.training_coordinator.domain import models, rounds
from services.training_coordinator.domain.known import Project, Trust, learn, require_member
from services.training_coordinator.domain.run import Run
from services.training_coordinator.domain.start import start
from services.training_coordinator.domain.turn import Turn, opening
from services.training_coordinator.grants import Grants

SCAN = "scan"

ABOUT_PROJECTS = (
    ProjectCreated, MemberAdded, MemberRemoved, ProjectStaged, ProjectApproved, CohortFrozen, ImportFinished,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Handlers:
    """``software`` names what this service runs, for the provenance of a model; sizes in bytes."""

    grants: Grants
    max_bundle_bytes: int
    software: dict[str, str] = field(default_factory=dict)

    def router(self) -> Router:
        router = Router()
        router.on(CreateModel)(on_create_model)
        router.on(OfferBundle)(self.on_offer_bundle)
        router.on(SubmitBundle)(self.on_submit_bundle)
        router.on(ApproveBundle)(on_bundle_decision)
        router.on(DeclineBundle)(on_bundle_decision)
        router.on(StartRun)(self.on_start_run)
        router.on(StopRun)(self.on_stop_run)
        router.on(GetModel)(self.on_get_model)
        router.on(TrustAnnounced)(on_trust_announced)
        for about_project in ABOUT_PROJECTS:
            router.on(about_project)(on_project_news)
        for about_run in rounds.REACTIONS:
            router.on(about_run)(self.on_run_news)
        return router

    async def on_offer_bundle(self, command: OfferBundle, uow: UnitOfWork) -> None:
        model, project = models.known(*await store.model_and_project(uow, command.model_id))
        models.check_offer(project, command, self.max_bundle_bytes)
        prefix = models.bundle_prefix(model.model_id, command.sha256)
        upload = self.grants.write(prefix, command.size, uow.now)
        ids = model.model_dump(include={"model_id", "project_id"})
        uow.emit(BundleGranted(**ids, sha256=command.sha256, upload=upload))

    async def on_submit_bundle(self, command: SubmitBundle, uow: UnitOfWork) -> None:
        model, project = models.known(*await store.model_and_project(uow, command.model_id))
        models.check_submission(project, command, self.max_bundle_bytes)
        uow.enqueue(SCAN, models.scan(model, command))

    async def on_start_run(self, command: StartRun, uow: UnitOfWork) -> None:
        run = await store.runs.load(uow, command.run_id)
        model, project = await store.model_and_project(uow, command.model_id)
        started = start(run, command, model, project, self.software)
        if model is not None and model.bundle is not None:
            await _follow(opening(started, model.bundle.manifest, uow.now, self.grants), uow)

    async def on_stop_run(self, command: StopRun, uow: UnitOfWork) -> None:
        run = await _run_of_member(command, uow)
        await _follow(rounds.stop(run, command, uow.now, self.grants), uow)

    async def on_get_model(self, command: GetModel, uow: UnitOfWork) -> None:
        run = await _run_of_member(command, uow)
        await _follow(rounds.regrant(run, command, uow.now, self.grants), uow)

    async def on_run_news(self, message: Message, uow: UnitOfWork) -> None:
        """Whatever trusts, the aggregator or the clock say of a run; of a run unknown here it is no news."""
        run = await store.runs.load(uow, message.key)
        if run is not None:
            await _follow(rounds.answer(run, message, uow.now, self.grants), uow)


async def on_create_model(command: CreateModel, uow: UnitOfWork) -> None:
    model = await store.models.load(uow, command.model_id)
    project = await store.projects.load(uow, command.project_id)
    created = models.create(model, command, project)
    store.models.save(uow, created.model_id, models.evolve(None, created))
    uow.emit(created)


async def on_bundle_decision(command: ApproveBundle | DeclineBundle, uow: UnitOfWork) -> None:
    model, project = models.known(*await store.model_and_project(uow, command.model_id))
    trust = await store.trusts.load(uow, command.trust_id)
    event = models.decide(model, command, project, trust)
    store.models.save(uow, model.model_id, models.evolve(model, event))
    uow.emit(event)


async def on_trust_announced(event: TrustAnnounced, uow: UnitOfWork) -> None:
    trust = Trust(**event.model_dump(include={"trust_id", "approvers", "software"}))
    store.trusts.save(uow, event.trust_id, trust)


async def on_project_news(event: Message, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.key) or Project(project_id=event.key)
    store.projects.save(uow, event.key, learn(project, event))


async def _run_of_member(command: StopRun | GetModel, uow: UnitOfWork) -> Run | None:
    run = await store.runs.load(uow, command.run_id)
    project = await store.projects.load(uow, run.project_id) if run else None
    if project is not None:
        require_member(project, command.actor)
    return run


async def _follow(turn: Turn, uow: UnitOfWork) -> None:
    """Keep the run and say everything; a turn in which nothing was said has changed nothing."""
    if not turn.said:
        return
    store.runs.save(uow, turn.run.run_id, turn.run)
    uow.emit(*turn.said)
    for due in turn.due:
        uow.emit_at(due.at, due.event)
