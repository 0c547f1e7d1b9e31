"""The cohort lane: several questions at a time, judged, asked of the warehouse, released; and their cancelling."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bus.errors import Rejection
from bus.lanes import Job, Lanes
from bus.queue import is_running, withdraw
from bus.uow import UnitOfWork
from schemas.trust import CancelCount, CohortCounted, CountCohort
from trust_node.cohort import telling
from trust_node.cohort.answering import answer
from trust_node.cohort.asking import Question, RefusedError, question
from trust_node.cohort.finding import AsksWarehouse, Found, find
from trust_node.cohort.office import Office
from trust_node.cohort.progress import Progress, leave
from trust_node.cohort.release import BudgetSpentError, Releasing
from trust_node.cohort.running import Running
from trust_node.cohort.warehouse.faults import TooManyCellsError, WarehouseError

log = logging.getLogger(__name__)

LANE = "cohort"
CANCELLING = "cancelling"
NOBODY = "unknown"
"""Spends of the budget where the hub does not say who has asked."""


@dataclass(frozen=True, slots=True)
class CohortLane:
    """`parallel`: questions at a time."""

    warehouse: AsksWarehouse
    office: Office
    parallel: int
    running: Running = field(default_factory=Running)

    def join(self, lanes: Lanes) -> None:
        each = most_for_one(self.parallel)
        lanes.lane(LANE, on_failure=not_counted, workers=self.parallel, attempts=3, each=each)(self.count)
        lanes.lane(CANCELLING, on_failure=not_cancelled)(self.cancel)

    async def count(self, message: CountCohort, job: Job) -> None:
        began = datetime.now(UTC)
        try:
            told = await self._asked(message, job, began)
        finally:
            self.running.forget(message.query_id)
        if told is not None:
            async with job.done() as uow:
                leave(uow, told, began)

    async def _asked(self, message: CountCohort, job: Job, began: datetime) -> CohortCounted | None:
        """Return what is still to be told."""
        try:
            asked = question(message)
            progress = Progress(message, job, asked.parts, began)
            found = await self.running.run(message.query_id, self._found(message, asked, progress))
            return await self._released(message, asked, found, progress)
        except RefusedError as refusal:
            return telling.refused(message, refusal)
        except TooManyCellsError as error:
            return telling.refused(message, RefusedError("too_many_cells", str(error)))
        except WarehouseError as error:
            log.warning("query %s has no answer: %s", message.query_id, error.fault.value)
            return telling.without_answer(message, error)

    async def _found(self, message: CountCohort, asked: Question, progress: Progress) -> Found:
        async with in_time(message.deadline_at):
            await progress.begun()
            await self.office.open()
            return await find(asked, self.warehouse, self.office.policy.max_cells, progress.advanced)

    async def _released(
        self, message: CountCohort, asked: Question, found: Found, progress: Progress
    ) -> CohortCounted | None:
        """Release and tell in one transaction; of what the budget does not allow nothing is released or recorded."""
        try:
            async with progress.job.done() as uow:
                leave(uow, await answer(message, asked, found, self._releasing(message, uow)), progress.began)
        except BudgetSpentError as error:
            async with progress.job.transaction() as uow:
                return telling.budget_spent(message, error, await self._releasing(message, uow).spent())
        return None

    def _releasing(self, message: CountCohort, uow: UnitOfWork) -> Releasing:
        return self.office.release(uow, message.project_id, message.asked_by or NOBODY)

    async def cancel(self, message: CancelCount, job: Job) -> None:
        async with job.transaction() as uow:
            if await withdraw(uow.connection, LANE, message.query_id):
                leave(uow, telling.failed(message, "cancelled", telling.CANCELLED), uow.now)
                return
            runs = await is_running(uow.connection, LANE, message.query_id)
        if runs:
            await self.running.cancel(message.query_id)


def most_for_one(parallel: int) -> int:
    """Return how many questions of one project run at a time: half the places, so that others find one."""
    return max(1, parallel // 2)


@asynccontextmanager
async def in_time(deadline_at: datetime | None) -> AsyncIterator[None]:
    """Raise a Rejection `too_late` where the deadline has passed or passes meanwhile."""
    if deadline_at is None:
        yield
        return
    left_s = (deadline_at - datetime.now(UTC)).total_seconds()
    limit = asyncio.timeout(max(0.0, left_s))
    try:
        async with limit:
            if left_s <= 0:
                raise Rejection("too_late", telling.TOO_LATE)
            yield
    except TimeoutError:
        if limit.expired():
            raise Rejection("too_late", telling.TOO_LATE) from None
        raise


def not_counted(message: CountCohort, uow: UnitOfWork, code: str, reason: str) -> None:
    leave(uow, telling.failed(message, code, reason), uow.now)


def not_cancelled(message: CancelCount, _uow: UnitOfWork, code: str, _reason: str) -> None:
    """Nothing is told: the query's own answer comes, or has come."""
    log.error("query %s could not be cancelled: %s", message.query_id, code)
