"""Commands that ask something of trusts: load, decide, save, emit, and set the deadline.

Texts are judged in a thread: a long one with many rules takes a second, and the service goes on meanwhile.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.cohort import RepeatQuery, SearchConcepts, SubmitCriteria, SubmitQuery
from services.cohort import store
from services.cohort.domain import answering, searching, submitting
from services.cohort.domain.submitting import Around, Begun
from services.cohort.domain.versions import Cohort, cohort_id


@dataclass(frozen=True, slots=True)
class Asking:
    """Whatever is asked is closed after ``answer_within``, whoever is still silent."""

    answer_within: timedelta

    def routes(self) -> Router:
        router = Router()
        router.on(SubmitQuery)(self.on_submit)
        router.on(SubmitCriteria)(self.on_criteria)
        router.on(RepeatQuery)(self.on_repeat)
        router.on(SearchConcepts)(self.on_search)
        return router

    async def on_submit(self, command: SubmitQuery, uow: UnitOfWork) -> None:
        around = await self._around(command, command.cohort, uow)
        self._begin(await asyncio.to_thread(submitting.submit, command, around), uow)

    async def on_criteria(self, command: SubmitCriteria, uow: UnitOfWork) -> None:
        around = await self._around(command, command.cohort, uow)
        self._begin(await asyncio.to_thread(submitting.submit_criteria, command, around), uow)

    async def on_repeat(self, command: RepeatQuery, uow: UnitOfWork) -> None:
        earlier = await store.queries.load(uow, command.repeats)
        around = await self._around(command, earlier.cohort if earlier else None, uow)
        self._begin(await asyncio.to_thread(submitting.repeat, command, earlier, around), uow)

    async def on_search(self, command: SearchConcepts, uow: UnitOfWork) -> None:
        known = await store.searches.load(uow, command.search_id)
        project = await store.projects.load(uow, command.project_id)
        search, said = searching.search(known, command, project, await store.trusts(uow.connection))
        store.searches.save(uow, search.search_id, search)
        uow.emit(*said)
        uow.emit_at(self._deadline(uow), searching.deadline(search))

    async def _around(
        self, command: SubmitQuery | SubmitCriteria | RepeatQuery, cohort: str | None, uow: UnitOfWork
    ) -> Around:
        """The project is read first: its lock lets one query at a time count the versions of its cohorts."""
        known = await store.queries.load(uow, command.query_id)
        project = await store.projects.load(uow, command.project_id)
        versions = await store.cohorts.load(uow, cohort_id(command.project_id, cohort))
        trusts = await store.trusts(uow.connection)
        return Around(known, project, trusts, versions or Cohort(), self._deadline(uow))

    def _begin(self, begun: Begun, uow: UnitOfWork) -> None:
        query = begun.query
        store.queries.save(uow, query.query_id, query)
        store.cohorts.save(uow, cohort_id(query.project_id, query.cohort), begun.cohort)
        uow.emit(*begun.said)
        uow.emit_at(self._deadline(uow), answering.deadline(query))

    def _deadline(self, uow: UnitOfWork) -> datetime:
        return uow.now + self.answer_within
