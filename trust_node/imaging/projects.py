"""Lanes for what concerns a whole project: comparing, purging, looking at labels, and who may see it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from schemas.trust_imaging import CompareImport, PurgeProject, SetMembers
from trust_node.imaging.comparing import Comparing
from trust_node.imaging.covering import Covering
from trust_node.imaging.purging import Purging
from trust_node.jobs import CoverEnrichment
from trust_node.people.admitting import Admitting

ATTEMPTS = 40
"""With pauses of five seconds: a restart of the archive or the PACS is outlasted."""

AN_HOUR = timedelta(hours=1)

ProjectJob = CompareImport | PurgeProject | CoverEnrichment


@dataclass(frozen=True, slots=True)
class ProjectLanes:
    """Each project's jobs one after the other, in the order in which they were asked."""

    comparing: Comparing
    purging: Purging
    covering: Covering
    admitting: Admitting

    def join(self, lanes: Lanes) -> None:
        lanes.lane("imports", on_failure=_later, workers=2, attempts=ATTEMPTS)(self.work)
        lanes.lane("people", on_failure=_later, attempts=ATTEMPTS)(self.set_members)

    async def work(self, message: ProjectJob, job: Job) -> None:
        match message:
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
    if isinstance(message, PurgeProject | SetMembers):
        lane = "imports" if isinstance(message, PurgeProject) else "people"
        uow.enqueue(lane, message, run_at=uow.now + AN_HOUR)
