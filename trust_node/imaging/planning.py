"""The import of a frozen cohort is planned for those who are still in it."""

from dataclasses import dataclass

from bus.lanes import Job
from schemas.trust_imaging import ImportCohort
from trust_node import store as node
from trust_node.cohort.frozen import store as frozen
from trust_node.cohort.frozen.shrinking import Shrinking
from trust_node.imaging import store
from trust_node.imaging.asks import Asks
from trust_node.imaging.deid import DeidKeys
from trust_node.jobs import StopImport


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

    async def stop(self, message: StopImport, job: Job) -> None:
        """Stop what is on its way; say nothing where nothing is, or where the cohort was frozen anew meanwhile."""
        async with job.done() as uow:
            standing = await frozen.standing(uow.connection, message.project_id, uow.now)
            studies = await store.studies(uow.connection, message.project_id)
            if standing and not standing.usable and not all(study.settled for study in studies):
                await self.asks.stop(uow, message.project_id)
