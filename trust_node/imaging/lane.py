"""The imaging lane: one job per study, each step told as it happens; one bad study never stops the others."""

import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from bus.errors import Transient
from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from schemas.trust import StudyAdvanced, StudyFailure
from trust_node import store
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.study import Importer, StudyOrder
from trust_node.jobs import ImportStudy

log = logging.getLogger(__name__)

ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class ImagingLane:
    """``importer`` gives the parts once they are open."""

    trust_id: str
    importer: Callable[[], Importer]
    parallel: int

    def join(self, lanes: Lanes) -> None:
        lanes.lane("imaging", on_failure=self._gave_up, workers=self.parallel, attempts=ATTEMPTS)(self.work)

    async def work(self, message: ImportStudy, job: Job) -> None:
        async with job.transaction() as uow:
            attempt = await store.begin_attempt(uow.connection, message.project_id, message.study)
            study = await store.study(uow.connection, message.project_id, message.study)
            project = await store.project(uow.connection, message.project_id)
        if study is None or project is None:
            raise LookupError("the study's project is not known here")
        order = StudyOrder(study.accession, await self._xnat_project(project, job), project.dicom_to_nifti)
        passage = _Telling(self.trust_id, message, job, attempt, project.dicom_to_nifti)
        try:
            await self.importer().import_study(order, passage.tell)
        except BrokenProcessPool:
            _stop_the_node()
            raise

    async def _xnat_project(self, project: store.Project, job: Job) -> str:
        if project.xnat_project:
            return project.xnat_project
        made = await self.importer().xnat.ensure_project(project.project_id, project.name)
        async with job.transaction() as uow:
            await store.set_xnat_project(uow.connection, project.project_id, made)
        return made

    async def _gave_up(self, message: ImportStudy, uow: UnitOfWork, code: str, _reason: str) -> None:
        await store.save_study(
            uow.connection, message.project_id, message.study, state="failed", session=None, code=code
        )
        uow.emit(
            StudyAdvanced(
                trust_id=self.trust_id,
                project_id=message.project_id,
                study=message.study,
                state=Step.QUEUED.value,
                attempt=ATTEMPTS,
                failure=StudyFailure(code=code, final=True),
            )
        )


def _stop_the_node() -> None:
    """A worker process died, and its pool never recovers: end in good order, to be started anew."""
    log.critical("a de-identification process died: the node stops")
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(slots=True)
class _Telling:
    """Turns the states of one study into events, each once."""

    trust_id: str
    message: ImportStudy
    job: Job
    attempt: int
    to_nifti: bool
    last: Step | None = None
    reached: Step = Step.QUEUED

    async def tell(self, state: StudyState) -> None:
        if state.step == self.last:
            return
        self.last = state.step
        if state.code is None:
            self.reached = state.step
        again = state.code is not None and state.code.retryable and self.job.attempts < ATTEMPTS
        final = self._is_final(state) and not again
        async with self.job.done() if final else self.job.transaction() as uow:
            await self._save(uow, state)
            uow.emit(self._advanced(state, final=final))
        if again:
            raise Transient(str(state.code))

    def _is_final(self, state: StudyState) -> bool:
        ends = {Step.FAILED, Step.CONVERTED if self.to_nifti else Step.ARCHIVED}
        return state.step in ends

    async def _save(self, uow: UnitOfWork, state: StudyState) -> None:
        await store.save_study(
            uow.connection,
            self.message.project_id,
            self.message.study,
            state=state.step.value,
            session=state.study,
            code=state.code.value if state.code else None,
        )

    def _advanced(self, state: StudyState, *, final: bool) -> StudyAdvanced:
        return StudyAdvanced(
            trust_id=self.trust_id,
            project_id=self.message.project_id,
            study=self.message.study,
            state=self.reached.value,
            attempt=self.attempt,
            arrived=final and state.code is None,
            failure=StudyFailure(code=state.code.value, final=final) if state.code else None,
            expected=state.expected,
            present=_present(state),
        )


def _present(state: StudyState) -> int:
    """Images that are there, by what the step has proven."""
    match state.step:
        case Step.CONVERTED:
            return state.slices_out
        case Step.ARCHIVED:
            return state.archived
        case _:
            return state.received
