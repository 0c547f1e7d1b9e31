"""Load, decide, save, emit."""

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.cohort import QuerySubmitted, TrustCounted
from schemas.project import (
    AddMember,
    ApproveProject,
    CloseProject,
    CreateProject,
    DeclineProject,
    EditProject,
    ProjectCommand,
    RemoveMember,
    StageProject,
    WithdrawApproval,
)
from schemas.trust import TrustAnnounced
from services.project import store
from services.project.domain import Query, decide, evolve

router = Router()


@router.on(
    CreateProject,
    EditProject,
    AddMember,
    RemoveMember,
    StageProject,
    ApproveProject,
    DeclineProject,
    WithdrawApproval,
    CloseProject,
)
async def on_command(command: ProjectCommand, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, command.project_id)
    around = await store.surroundings(uow, getattr(command, "query_id", None))
    for event in decide(project, command, around):
        project = evolve(project, event)
        uow.emit(event)
    if project is not None:
        store.projects.save(uow, project.project_id, project)


@router.on(QuerySubmitted)
async def on_query_submitted(event: QuerySubmitted, uow: UnitOfWork) -> None:
    store.queries.save(uow, event.query_id, Query.model_validate(event.model_dump()))


@router.on(TrustCounted)
async def on_trust_counted(event: TrustCounted, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    if query is not None and event.outcome == "counted":
        answered = (*query.answered, event.trust_id)
        store.queries.save(uow, event.query_id, query.model_copy(update={"answered": answered}))


@router.on(TrustAnnounced)
async def on_trust_announced(event: TrustAnnounced, uow: UnitOfWork) -> None:
    await store.save_trust(uow.connection, event.trust_id, event.approvers)
