"""Lanes for what concerns a whole project: planning, comparing, purging, looking at labels, and who may see it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from schemas.trust_imaging import CompareImport, ImportCohort, PurgeProject, SetMembers
from trust_node.imaging.comparing import Comparing
from trust_node.imaging.covering import Covering
from trust_node.imaging.planning import Planning
from trust_node.imaging.purging import Purging
from trust_node.imaging.withdrawing import Withdrawing
from trust_node.jobs import CoverEnrichment, RemoveWithdrawn, StopImport
from trust_node.people.admitting import Admitting

ATTEMPTS = 40
"""With pauses of five seconds: a restart of the archive or the PACS is outlasted."""

AN_HOUR = timedelta(hours=1)

ProjectJob = ImportCohort | CompareImport | PurgeProject | CoverEnrichment | RemoveWithdrawn | StopImport


@dataclass(frozen=True, slots=True)
class ProjectLanes:
    """Each project's jobs one after the other, in the order in which they were asked."""

    planning: Planning
    comparing: Comparing
    purging: Purging
    withdrawing: Withdrawing
    covering: Covering
    admitting: Admitting

    def join(self, lanes: Lanes) -> None:
        lanes.lane("imports", on_failure=_later, workers=2, attempts=ATTEMPTS)(self.work)
        lanes.lane("people", on_failure=_later, attempts=ATTEMPTS)(self.set_members)

    async def work(self, message: ProjectJob, job: Job) -> None:
        match message:
            case ImportCohort():
                await self.planning.work(message, job)
            case StopImport():
                await self.planning.stop(message, job)
            case RemoveWithdrawn():
                await self.withdrawing.work(message, job)
            case CompareImport():
                await self.comparing.work(message, job)
            case PurgeProject():
                await self.purging.work(message, job)
            case CoverEnrichment():
                await self.covering.work(message, job)

    async def set_members(self, message: SetMembers, job: Job) -> None:
        await self.admitting.work(message, job)


def _later(message: Any, uow: UnitOfWork, _code: str, _reason: str) -> None:
    """What must come about in the end is tried again in an hour; the rest was logged, and may be asked again."""
    if isinstance(message, ImportCohort | PurgeProject | RemoveWithdrawn | StopImport | SetMembers):
        lane = "people" if isinstance(message, SetMembers) else "imports"
        uow.enqueue(lane, message, run_at=uow.now + AN_HOUR)
