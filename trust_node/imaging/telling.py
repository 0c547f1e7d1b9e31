"""Turns the states of one study into rows and events, each once, and decides what its end is."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from bus.backoff import doubling_s
from bus.lanes import Job
from bus.uow import UnitOfWork
from schemas.trust_imaging import StudyAdvanced, StudyFailure
from trust_node import store as node
from trust_node.imaging import holds, store
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.store import Progress
from trust_node.imaging.study import Found
from trust_node.jobs import ImportStudy

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 600.0


class Superseded(Exception):
    """Somebody has settled the study, or begun it anew, while this attempt was under way."""


@dataclass(slots=True)
class Telling:
    """The journal of one attempt at one study; ``failures`` of ``retries`` have been before it."""

    trust_id: str
    message: ImportStudy
    job: Job
    attempt: int
    to_nifti: bool
    failures: int = 0
    retries: int = 5
    last: Step | None = None
    reached: StudyState = field(default_factory=lambda: StudyState(""))

    async def tell(self, state: StudyState) -> bool:
        if state.step == self.last:
            return False
        self.last = state.step
        if state.code is None:
            self.reached = state
        again = state.code is not None and state.code.retryable and self.failures < self.retries
        final = self._is_final(state) and not again
        async with self._transaction(over=final or again) as uow:
            final = final and not await self._more_is_wanted(uow, state)
            await self._save(uow, state, final=final)
            uow.emit(self._advanced(state, final=final))
            if again or (self._is_final(state) and not final):
                self._once_more(uow)
        return final

    async def found(self, studies: Iterable[Found]) -> None:
        async with self.job.transaction() as uow:
            await store.save_found(uow.connection, self.message.project_id, self.message.study, studies)

    async def reviewed(self, session: str) -> holds.Reviewed:
        async with self.job.transaction() as uow:
            return await holds.reviewed(uow.connection, self.message.project_id, session)

    async def hold(self, session: str, held: Iterable[tuple[str, str]]) -> None:
        async with self.job.transaction() as uow:
            await holds.hold(uow.connection, self.message.project_id, session, held, uow.now)

    async def waiting(self, session: str) -> Mapping[str, str]:
        async with self.job.transaction() as uow:
            there = await holds.waiting(uow.connection, self.message.project_id, session)
        return {hold.image: hold.reason for hold in there}

    def _transaction(self, *, over: bool) -> AbstractAsyncContextManager[UnitOfWork]:
        return self.job.done() if over else self.job.transaction()

    def _is_final(self, state: StudyState) -> bool:
        """Nothing follows: it failed, is converted, or archived where nothing is to be converted."""
        nothing_to_convert = not self.to_nifti or not state.archived
        return state.step in {Step.FAILED, Step.CONVERTED} or (state.step is Step.ARCHIVED and nothing_to_convert)

    async def _more_is_wanted(self, uow: UnitOfWork, state: StudyState) -> bool:
        """Conversion was switched on while this attempt went without."""
        if state.step is not Step.ARCHIVED or not state.archived:
            return False
        project = await node.project(uow.connection, self.message.project_id)
        return project is not None and project.dicom_to_nifti and not self.to_nifti

    def _once_more(self, uow: UnitOfWork) -> None:
        pause = timedelta(seconds=doubling_s(FIRST_PAUSE_S, LONGEST_PAUSE_S, 2 * self.failures))
        uow.enqueue("imaging", self.message, run_at=uow.now + pause)

    async def _save(self, uow: UnitOfWork, state: StudyState, *, final: bool) -> None:
        step = Progress(
            state=self.reached.step.value,
            present=self.reached.present,
            session=state.sessions[0] if state.sessions else None,
            code=state.code.value if state.code else None,
            rest=self._rest(state, final=final),
            expected=state.expected,
            received=state.received,
            archived=state.archived,
            held=state.held,
            settled=final,
        )
        about = self.message
        if not await store.advance(uow.connection, about.project_id, about.study, self.attempt, step):
            raise Superseded

    def _rest(self, state: StudyState, *, final: bool) -> str | None:
        return "held" if final and state.code is None and state.held else None

    def _advanced(self, state: StudyState, *, final: bool) -> StudyAdvanced:
        held = self._rest(state, final=final) is not None
        return StudyAdvanced(
            trust_id=self.trust_id,
            project_id=self.message.project_id,
            study=self.message.study,
            state=self.reached.step.value,
            attempt=self.attempt,
            arrived=final and state.code is None and not held,
            failure=StudyFailure(code=state.code.value, final=final) if state.code else None,
            expected=state.expected,
            present=self.reached.present if state.code is None else state.received,
            rest="held" if held else None,
            held=dict(state.held) or None,
        )
