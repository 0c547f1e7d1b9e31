"""Load, decide, save, emit: what is heard of queries, searches, projects and trusts."""

from datetime import timedelta

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.cohort import (
    CancelQuery,
    CohortFrozen,
    CohortNotFrozen,
    CohortShrunk,
    QueryDeadlinePassed,
    SearchDeadlinePassed,
)
from schemas.message import Message
from schemas.project import (
    MemberAdded,
    MemberRemoved,
    ProjectApproved,
    ProjectClosed,
    ProjectCreated,
    ProjectStaged,
)
from schemas.trust import (
    CohortCounted,
    CohortFixed,
    CohortNotFixed,
    ConceptsFound,
    CountAdvanced,
    FrozenShrunk,
    TrustAnnounced,
)
from services.cohort import store
from services.cohort.asking import Asking
from services.cohort.domain import answering, searching
from services.cohort.domain.freezing import freeze
from services.cohort.domain.state import Project, Query, Search

heard = Router()


def routes(answer_within_s: float) -> Router:
    """The handlers; what is asked is closed after this many seconds, whoever is still silent."""
    return heard.joined(Asking(timedelta(seconds=answer_within_s)).routes())


@heard.on(CancelQuery)
async def on_cancel(command: CancelQuery, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, command.query_id)
    project = await store.projects.load(uow, query.project_id) if query else None
    _save_query(uow, *answering.cancel(query, command, project))


@heard.on(CohortCounted)
async def on_counted(event: CohortCounted, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    if query is not None:
        _save_query(uow, *answering.answer(query, event))


@heard.on(CountAdvanced)
async def on_advanced(event: CountAdvanced, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    if query is not None:
        uow.emit(*answering.advanced(query, event))


@heard.on(QueryDeadlinePassed)
async def on_query_deadline(event: QueryDeadlinePassed, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    if query is not None:
        _save_query(uow, *answering.deadline_passed(query))


@heard.on(ConceptsFound)
async def on_found(event: ConceptsFound, uow: UnitOfWork) -> None:
    search = await store.searches.load(uow, event.search_id)
    if search is not None:
        _save_search(uow, *searching.found(search, event))


@heard.on(SearchDeadlinePassed)
async def on_search_deadline(event: SearchDeadlinePassed, uow: UnitOfWork) -> None:
    search = await store.searches.load(uow, event.search_id)
    if search is not None:
        _save_search(uow, *searching.deadline_passed(search))


@heard.on(ProjectApproved)
async def on_approved(event: ProjectApproved, uow: UnitOfWork) -> None:
    query = await store.queries.load(uow, event.query_id)
    uow.emit(freeze(query, event))


@heard.on(CohortFixed)
async def on_fixed(event: CohortFixed, uow: UnitOfWork) -> None:
    uow.emit(CohortFrozen(**event.model_dump()))


@heard.on(CohortNotFixed)
async def on_not_fixed(event: CohortNotFixed, uow: UnitOfWork) -> None:
    uow.emit(CohortNotFrozen(**event.model_dump()))


@heard.on(FrozenShrunk)
async def on_shrunk(event: FrozenShrunk, uow: UnitOfWork) -> None:
    uow.emit(CohortShrunk(**event.model_dump()))


@heard.on(ProjectCreated)
async def on_created(event: ProjectCreated, uow: UnitOfWork) -> None:
    store.projects.save(uow, event.project_id, Project(members=(event.owner,)))


@heard.on(MemberAdded, MemberRemoved)
async def on_members(event: MemberAdded | MemberRemoved, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is not None:
        _save_project(uow, event.project_id, project, members=event.members_after(project.members))


@heard.on(ProjectStaged)
async def on_staged(event: ProjectStaged, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is not None:
        _save_project(uow, event.project_id, project, draft=False, record=event.sql_sha256)


@heard.on(ProjectClosed)
async def on_closed(event: ProjectClosed, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is not None:
        _save_project(uow, event.project_id, project, closed=True)


@heard.on(TrustAnnounced)
async def on_announced(event: TrustAnnounced, uow: UnitOfWork) -> None:
    await store.save_trust(uow.connection, event.trust_id)


def _save_query(uow: UnitOfWork, query: Query, said: list[Message]) -> None:
    store.queries.save(uow, query.query_id, query)
    uow.emit(*said)


def _save_search(uow: UnitOfWork, search: Search, said: list[Message]) -> None:
    store.searches.save(uow, search.search_id, search)
    uow.emit(*said)


def _save_project(uow: UnitOfWork, project_id: str, project: Project, **changed: object) -> None:
    store.projects.save(uow, project_id, project.model_copy(update=changed))
