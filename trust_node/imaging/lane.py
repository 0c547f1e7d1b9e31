"""The imaging lane: one job per study, each step told as it happens; one bad study never stops the others."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from trust_node import store as node
from trust_node.cohort.frozen import store as frozen
from trust_node.cohort.frozen.looking import LooksInTime
from trust_node.imaging import store
from trust_node.imaging.asks import Asks
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.passage import import_study
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.study import Importer, Several, StudyOrder
from trust_node.imaging.telling import Superseded, Telling
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError
from trust_node.jobs import ImportStudy, RemoveWithdrawn, SettleOverdue

log = logging.getLogger(__name__)

IN_PLACE = timedelta(seconds=60)
A_MINUTE = timedelta(minutes=1)
CLAIMS = 12
"""Of one job: so often may the node die over it, or stumble over itself."""


@dataclass(frozen=True, slots=True)
class ImagingLane:
    """``importer`` gives the parts once they are open; ``several`` is the trust's rule where projects have none.

    ``turn`` says when the next study may begin, by the PACS's hours and pace; ``cohorts`` whether it still may.
    """

    asks: Asks
    importer: Callable[[], Importer]
    parallel: int
    retries: int
    several: Several
    turn: Callable[[datetime], datetime]
    cohorts: LooksInTime

    def join(self, lanes: Lanes) -> None:
        lanes.lane("imaging", on_failure=self._gave_up, workers=self.parallel, attempts=CLAIMS)(self.work)
        lanes.lane("deadlines", on_failure=_never, attempts=CLAIMS)(self.settle_overdue)

    async def work(self, message: ImportStudy, job: Job) -> None:
        if not await self._may_begin(message, job) or not await self._may_be_used(message, job):
            return
        async with job.transaction() as uow:
            study = await store.begin(uow.connection, message.project_id, message.study)
            project = await node.project(uow.connection, message.project_id)
            if study and job.attempts > CLAIMS:
                await self.asks.fail(uow, study, FailureCode.INTERNAL_ERROR)
                return
        if study is None or project is None or project.ended_at:
            return
        telling = Telling(
            self.asks.trust_id, message, job, study.attempt, project.dicom_to_nifti, study.failures, self.retries
        )
        await self._import(study, project, telling)

    async def _may_begin(self, message: ImportStudy, job: Job) -> bool:
        """Wait a moment in place; what has to wait for longer waits by its row."""
        now = datetime.now(UTC)
        turn = self.turn(now)
        if turn - now > IN_PLACE:
            async with job.done() as uow:
                uow.enqueue("imaging", message, run_at=turn)
            return False
        await asyncio.sleep((turn - now).total_seconds())
        return True

    async def _may_be_used(self, message: ImportStudy, job: Job) -> bool:
        """A study waits by its row while nobody can tell who has left its cohort; of one too small it is skipped."""
        standing = await self.cohorts.in_time(message.project_id, job)
        if standing is None or (standing.usable and not standing.late):
            return True
        async with job.done() as uow:
            study = await store.study(uow.connection, message.project_id, message.study)
            if standing.late:
                uow.enqueue("imaging", message, run_at=uow.now + A_MINUTE)
            elif study and not study.settled:
                await self.asks.skip(uow, message.project_id, message.study)
        return False

    async def settle_overdue(self, message: SettleOverdue, job: Job) -> None:
        async with job.done() as uow:
            await self.asks.settle_overdue(uow, message.project_id)

    async def _import(self, study: store.Study, project: node.Project, telling: Telling) -> None:
        try:
            order = await self._order(study, project, telling.job)
            state = await import_study(self.importer(), order, telling)
        except XnatUnreachableError:
            await telling.tell(StudyState(study.study, Step.FAILED, code=FailureCode.ARCHIVE_UNREACHABLE))
        except XnatRefusedError:
            await telling.tell(StudyState(study.study, Step.FAILED, code=FailureCode.ARCHIVE_REFUSED))
        except Superseded:
            log.info("an import ends: somebody has decided on its study meanwhile")
            await _remove_withdrawn(study.project_id, telling.job)
        except BrokenProcessPool:
            _stop_the_node("a de-identification process died")
            raise
        else:
            if state.code is FailureCode.CLEANING_TIMED_OUT:
                _stop_the_node("a de-identification process hangs")

    async def _order(self, study: store.Study, project: node.Project, job: Job) -> StudyOrder:
        return StudyOrder(
            study.accession,
            project.project_id,
            await self._archive(project, job),
            to_nifti=project.dicom_to_nifti,
            fresh=study.fresh,
            wish=project.wish,
            several=project.several or self.several,  # type: ignore[arg-type]  # the command writes no other words
        )

    async def _archive(self, project: node.Project, job: Job) -> str:
        if project.xnat_project:
            return project.xnat_project
        made = await self.importer().xnat.ensure_project(project.project_id, project.name)
        async with job.transaction() as uow:
            await node.set_xnat_project(uow.connection, project.project_id, made)
        return made

    async def _gave_up(self, message: ImportStudy, uow: UnitOfWork, _code: str, _reason: str) -> None:
        study = await store.study(uow.connection, message.project_id, message.study)
        if study and not study.settled:
            await self.asks.fail(uow, study, FailureCode.INTERNAL_ERROR)


async def _remove_withdrawn(project_id: str, job: Job) -> None:
    """What this attempt brought of a study that was withdrawn meanwhile goes too."""
    async with job.transaction() as uow:
        if await frozen.withdrawn(uow.connection, project_id):
            uow.enqueue("imports", RemoveWithdrawn(project_id=project_id))


def _never(_message: SettleOverdue, _uow: UnitOfWork, _code: str, _reason: str) -> None:
    """The next deadline of the project settles what this one could not."""


def _stop_the_node(why: str) -> None:
    """The pool of worker processes never recovers: end in good order, to be started anew."""
    log.critical("%s: the node stops", why)
    os.kill(os.getpid(), signal.SIGTERM)
