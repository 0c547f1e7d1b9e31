"""Load, decide, save, emit."""

from datetime import timedelta

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.cohort import CohortFrozen, CohortNotFrozen, QueryDeadlinePassed, SubmitQuery
from schemas.message import Message
from schemas.project import MemberAdded, MemberRemoved, ProjectApproved, ProjectCreated, ProjectStaged
from schemas.trust import CohortCounted, CohortFixed, CohortNotFixed, TrustAnnounced
from services.cohort import domain, store
from services.cohort.domain import Project, Query


def routes(answer_within_s: float) -> Router:
    """The handlers; a query is closed after this many seconds, whoever is still silent."""
    router = Router()

    @router.on(SubmitQuery)
    async def on_submit(command: SubmitQuery, uow: UnitOfWork) -> None:
        known = await store.queries.load(uow, command.query_id)
        project = await store.projects.load(uow, command.project_id)
        query, said = domain.submit(known, command, project, await store.trusts(uow.connection))
        await _save(uow, query, said)
        uow.emit_at(uow.now + timedelta(seconds=answer_within_s), domain.deadline(query))

    router.on(CohortCounted)(on_counted)
    router.on(QueryDeadlinePassed)(on_deadline)
    router.on(ProjectApproved)(on_approved)
    router.on(CohortFixed)(on_fixed)
    router.on(CohortNotFixed)(on_not_fixed)
    router.on(ProjectCreated)(on_created)
    router.on(MemberAdded, MemberRemoved)(on_members)
    router.on(ProjectStaged)(on_staged)
    router.on(TrustAnnounced)(on_announced)
    return router


async def on_counted(event: CohortCounted, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    if query is not None:
        await _save(uow, *domain.answer(query, event))


async def on_deadline(event: QueryDeadlinePassed, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    if query is not None:
        await _save(uow, *domain.deadline_passed(query))


async def on_approved(event: ProjectApproved, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    uow.emit(domain.freeze(query, event))


async def on_fixed(event: CohortFixed, uow: UnitOfWork) -> None:
    uow.emit(CohortFrozen(**event.model_dump()))


async def on_not_fixed(event: CohortNotFixed, uow: UnitOfWork) -> None:
    uow.emit(CohortNotFrozen(**event.model_dump()))


async def on_created(event: ProjectCreated, uow: UnitOfWork) -> None:
    store.projects.save(uow, event.project_id, Project(members=(event.owner,)))


async def on_members(event: MemberAdded | MemberRemoved, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is None:
        return
    members = event.members_after(project.members)
    store.projects.save(uow, event.project_id, project.model_copy(update={"members": members}))


async def on_staged(event: ProjectStaged, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is not None:
        store.projects.save(uow, event.project_id, project.model_copy(update={"draft": False}))


async def on_announced(event: TrustAnnounced, uow: UnitOfWork) -> None:
    await store.save_trust(uow.connection, event.trust_id)


async def _save(uow: UnitOfWork, query: Query, said: list[Message]) -> None:
    store.queries.save(uow, query.query_id, query)
    uow.emit(*said)
