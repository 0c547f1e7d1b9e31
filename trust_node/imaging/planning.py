"""The import of a frozen cohort is planned for those who are still in it."""

from dataclasses import dataclass

from bus.lanes import Job
from schemas.trust_imaging import ImportCohort
from trust_node import store as node
from trust_node.cohort.frozen.shrinking import Shrinking
from trust_node.imaging.asks import Asks
from trust_node.imaging.deid import DeidKeys


@dataclass(frozen=True, slots=True)
class Planning:
    """What the warehouse raises while it is away is raised, to be tried again."""

    asks: Asks
    keys: DeidKeys
    shrinking: Shrinking

    async def work(self, message: ImportCohort, job: Job) -> None:
        project = await node.project(job.pool, message.project_id)
        if project is None or project.ended_at:
            return
        looked = await self.shrinking.look(message.project_id, job, last=False)
        async with job.done() as uow:
            if looked is None or looked.usable:
                await self.asks.plan(uow, message.project_id, self.keys)
            else:
                await self.asks.stop(uow, message.project_id)
