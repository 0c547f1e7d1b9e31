"""Commands to count and to cancel, as they come in: queued and told of, never worked on."""

from dataclasses import dataclass

from bus.queue import Ahead, ahead
from bus.uow import UnitOfWork
from schemas.trust import CancelCount, CountCohort
from trust_node.cohort import telling
from trust_node.cohort.asking import RefusedError, parts_of
from trust_node.cohort.lane import CANCELLING, LANE, most_for_one
from trust_node.cohort.progress import leave
from trust_node.cohort.release import Pace


@dataclass(frozen=True, slots=True)
class Queue:
    """`parallel`: questions that run at once. `waiting`: most of one project that may wait or run."""

    parallel: int
    waiting: int

    async def on_count_cohort(self, command: CountCohort, uow: UnitOfWork) -> None:
        before = await ahead(uow.connection, LANE, command.project_id)
        if before.own >= self.waiting:
            refusal = RefusedError("too_many_queries", telling.TOO_MANY_WAITING)
            leave(uow, telling.refused(command, refusal), Pace(uow.now))
            return
        uow.enqueue(LANE, command, turn_of=command.project_id)
        if self._waits(before):
            leave(uow, telling.advanced(command, 0, parts_of(command), waiting=True), Pace(uow.now))

    async def on_cancel_count(self, command: CancelCount, uow: UnitOfWork) -> None:
        uow.enqueue(CANCELLING, command)

    def _waits(self, before: Ahead) -> bool:
        return before.running >= self.parallel or before.own >= most_for_one(self.parallel)
