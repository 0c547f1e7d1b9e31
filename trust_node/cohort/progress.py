"""How far a count is, told as it goes; and when: no message leaves at a moment that the data has chosen."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bus.lanes import Job
from bus.uow import UnitOfWork
from schemas.message import Message
from schemas.trust import CountCohort
from trust_node.cohort import telling
from trust_node.cohort.release.timing import STEP_S, Pace


def leave(uow: UnitOfWork, message: Message, pace: Pace) -> None:
    """Let a message go at a step after its question began, however long that took within the step."""
    uow.emit_at(pace.due_at(datetime.now(UTC)), message)


@dataclass(slots=True)
class Progress:
    """Tells of one count, at most once in a step. `is_asking`: the warehouse has been asked."""

    message: CountCohort
    job: Job
    parts: int
    pace: Pace
    is_asking: bool = False
    done: int = 0
    told_at: datetime | None = None

    async def begun(self) -> None:
        await self._tell(datetime.now(UTC))

    async def advanced(self) -> None:
        self.done += 1
        now = datetime.now(UTC)
        if self.done < self.parts and (self.told_at is None or (now - self.told_at).total_seconds() >= STEP_S):
            await self._tell(now)

    async def _tell(self, now: datetime) -> None:
        self.told_at = now
        async with self.job.transaction() as uow:
            leave(uow, telling.advanced(self.message, self.done, self.parts), self.pace)
