"""Who is still in each frozen cohort is looked at again and again, used or not, and before work where that is due.

The next look waits as a job, so that it dies with nobody. Who is gone is forgotten, and the look noted, in one
transaction.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bus.errors import Rejection
from bus.lanes import Job, Lanes
from bus.queue import withdraw
from bus.uow import UnitOfWork
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.shrinking import Shrinking
from trust_node.cohort.frozen.store import Standing
from trust_node.jobs import LookAgain

log = logging.getLogger(__name__)

LANE = "looking"
REST = timedelta(minutes=1)
"""After a look that had no answer, before the same cohort is looked at again."""


class LooksInTime(Protocol):
    def in_time(self, project_id: str, job: Job) -> Awaitable[Standing | None]: ...


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A cohort whose looks have no answer, `since` its last one that had; none is begun before `rests_until`."""

    since: datetime
    rests_until: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Looking:
    """`every`: the oldest that the last look at a cohort may be before it is looked at again."""

    shrinking: Shrinking
    every: timedelta
    _unanswered: dict[str, Unanswered] = field(default_factory=dict)
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def join(self, lanes: Lanes) -> None:
        lanes.lane(LANE, on_failure=self._later)(self.work)

    async def begin(self, uow: UnitOfWork) -> None:
        """Plan a look at each cohort in use, by the interval as it is now."""
        for project_id in await store.in_use(uow.connection):
            await plan(uow, project_id, uow.now)

    async def work(self, message: LookAgain, job: Job) -> None:
        """Look if that is due, and plan the next; of a cohort that is in use no more there is none."""
        standing = await self.in_time(message.project_id, job)
        async with job.done() as uow:
            if standing is not None:
                await plan(uow, message.project_id, self._next(standing, uow.now))

    async def in_time(self, project_id: str, job: Job) -> Standing | None:
        """Return how a cohort stands, looked at anew if the last look is too old; None of one that is not in use.

        It is still `late` where the warehouse gave no answer.
        """
        async with self._locks[project_id]:
            standing = await self._standing(project_id, job)
            if standing is None or not standing.late:
                self._unanswered.pop(project_id, None)
                return standing
            return standing if self._rests(project_id) else await self._looked(project_id, standing, job)

    def unready(self) -> tuple[str, ...]:
        """Tell since when nobody knows who has left, if that is so."""
        late = sorted(self._unanswered.values(), key=lambda one: one.since)
        if not late:
            return ()
        return (f"frozen cohorts: who has left is unknown since {late[0].since:%Y-%m-%dT%H:%M:%SZ}: {late[0].code}",)

    async def _standing(self, project_id: str, job: Job) -> Standing | None:
        return await store.standing(job.pool, project_id, datetime.now(UTC) - self.every)

    def _rests(self, project_id: str) -> bool:
        unanswered = self._unanswered.get(project_id)
        return unanswered is not None and datetime.now(UTC) < unanswered.rests_until

    async def _looked(self, project_id: str, standing: Standing, job: Job) -> Standing | None:
        try:
            await self.shrinking.look(project_id, job, last=True)
        except Rejection as error:
            self._note(project_id, standing, error.code)
            return standing
        if self._unanswered.pop(project_id, None):
            log.info("a frozen cohort is looked at again")
        return await self._standing(project_id, job)

    def _note(self, project_id: str, standing: Standing, code: str) -> None:
        now = datetime.now(UTC)
        before = self._unanswered.get(project_id)
        if before is None:
            log.warning("who has left a frozen cohort is unknown for now: %s", code)
            before = Unanswered(standing.looked_at or now, now, code)
        self._unanswered[project_id] = replace(before, rests_until=now + REST, code=code)

    def _next(self, standing: Standing, now: datetime) -> datetime:
        if standing.late or standing.looked_at is None:
            return now + REST
        return standing.looked_at + self.every

    async def _later(self, message: LookAgain, uow: UnitOfWork, _code: str, _reason: str) -> None:
        await plan(uow, message.project_id, uow.now + self.every)


async def plan(uow: UnitOfWork, project_id: str, at: datetime) -> None:
    """Have a cohort looked at then, if nobody has looked meanwhile; what was planned before is dropped."""
    await withdraw(uow.connection, LANE, project_id)
    uow.enqueue(LANE, LookAgain(project_id=project_id), run_at=at)
