"""The cohort lane: several questions at a time, judged, asked of the warehouse, released; and their cancelling."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bus.errors import Rejection, Transient
from bus.lanes import Job, Lanes
from bus.queue import is_running, withdraw
from bus.uow import UnitOfWork
from schemas.trust import CancelCount, CohortCounted, CountCohort
from trust_node.cohort import telling
from trust_node.cohort.answering import answer
from trust_node.cohort.asking import Question, RefusedError, parts_of, question
from trust_node.cohort.finding import AsksWarehouse, Found, find
from trust_node.cohort.office import Office
from trust_node.cohort.progress import Progress, leave
from trust_node.cohort.release import BudgetSpentError, Pace, Releasing, pace
from trust_node.cohort.running import CancelledQuery, Running
from trust_node.cohort.warehouse.faults import AWAY, BY_QUERY, TooManyCellsError, WarehouseError, WarehouseFault

log = logging.getLogger(__name__)

LANE, ATTEMPTS = "cohort", 3
CANCELLING = "cancelling"
CANCELLED, TOO_LATE = "cancelled", "too_late"
MOST_CELLS = 20_000
"""Of one table that are read; the policy says how many of these, the largest, may leave."""
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
        lanes.lane(LANE, on_failure=self.not_counted, workers=self.parallel, attempts=ATTEMPTS, each=each)(self.count)
        lanes.lane(CANCELLING, on_failure=not_cancelled)(self.cancel)

    async def count(self, message: CountCohort, job: Job) -> None:
        mine = Pace(datetime.now(UTC))
        token = pace.set(mine)
        try:
            told = await self._asked(message, job, mine)
        finally:
            pace.reset(token)
            self.running.forget(message.query_id)
        if told is not None:
            async with job.done() as uow:
                leave(uow, told, mine)

    async def _asked(self, message: CountCohort, job: Job, own: Pace) -> CohortCounted | None:
        """Return what is still to be told."""
        progress = Progress(message, job, parts_of(message), own)
        try:
            asked = question(message)
            async with job.transaction() as uow:
                await self._releasing(message, uow).check()
            found = await self.running.run(message.query_id, self._found(message, asked, progress))
            await self._release(message, asked, found, progress)
        except RefusedError as refusal:
            return telling.refused(message, refusal)
        except BudgetSpentError as error:
            async with job.transaction() as uow:
                return telling.budget_spent(message, error, await self._releasing(message, uow).spent())
        except TooManyCellsError as error:
            await self._unanswered(message, job, failed=True)
            return telling.refused(message, RefusedError("too_many_cells", str(error)))
        except WarehouseError as error:
            if error.fault in AWAY and job.attempts < ATTEMPTS:
                raise Transient(error.fault.value) from None
            if error.fault in BY_QUERY or error.fault is WarehouseFault.INTERRUPTED:
                await self._unanswered(message, job, failed=error.fault in BY_QUERY)
            log.warning("query %s has no answer: %s", message.query_id, error.fault.value)
            return telling.without_answer(message, error)
        except Rejection as ended:
            if progress.is_asking:
                await self._unanswered(message, job, failed=not isinstance(ended, CancelledQuery))
            raise
        return None

    async def _found(self, message: CountCohort, asked: Question, progress: Progress) -> Found:
        async with in_time(message.deadline_at):
            await progress.begun()
            await self.office.open()
            progress.is_asking = True
            return await find(asked, self.warehouse, MOST_CELLS, progress.advanced)

    async def _release(self, message: CountCohort, asked: Question, found: Found, progress: Progress) -> None:
        """Release and tell in one transaction; of what the budget does not allow nothing is released or recorded."""
        async with progress.job.done() as uow:
            releasing = self._releasing(message, uow, slow=progress.pace.is_slow(datetime.now(UTC)))
            leave(uow, await answer(message, asked, found, releasing), progress.pace)
            if found.failed:
                await releasing.unanswered(failed=True)

    async def _unanswered(self, message: CountCohort, job: Job, *, failed: bool) -> None:
        async with job.transaction() as uow:
            await self._releasing(message, uow).unanswered(failed=failed)

    def _releasing(self, message: CountCohort, uow: UnitOfWork, *, slow: bool = False) -> Releasing:
        return self.office.release(uow, message.project_id, message.asked_by or NOBODY, slow=slow)

    async def not_counted(self, message: CountCohort, uow: UnitOfWork, code: str, reason: str) -> None:
        """Tell of a failure in words that are the same whatever it was; what nobody has foreseen costs an answer."""
        if code in (CANCELLED, TOO_LATE):
            told = telling.failed(message, code, reason)
        else:
            await self._releasing(message, uow).unanswered(failed=True)
            told = telling.without_answer(message, WarehouseError(WarehouseFault.QUERY_FAILED))
        leave(uow, told, Pace(uow.now))

    async def cancel(self, message: CancelCount, job: Job) -> None:
        async with job.transaction() as uow:
            if await withdraw(uow.connection, LANE, message.query_id):
                leave(uow, telling.failed(message, CANCELLED, telling.CANCELLED), Pace(uow.now))
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
                raise Rejection(TOO_LATE, telling.TOO_LATE)
            yield
    except TimeoutError:
        if limit.expired():
            raise Rejection(TOO_LATE, telling.TOO_LATE) from None
        raise


def not_cancelled(message: CancelCount, _uow: UnitOfWork, code: str, _reason: str) -> None:
    """Nothing is told: the query's own answer comes, or has come."""
    log.error("query %s could not be cancelled: %s", message.query_id, code)
