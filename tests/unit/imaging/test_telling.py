"""What a trust tells of a study: the step it has come to, and its failure beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bus.errors import Transient
from bus.proof.signing import Author
from bus.uow import UnitOfWork
from schemas.trust import StudyAdvanced, StudyFailure
from tests.unit.bus.recorded import NOW
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.lane import ATTEMPTS, ImagingLane, _Telling
from trust_node.imaging.states import Step, StudyState
from trust_node.jobs import ImportStudy

STUDY = ImportStudy(project_id="p1", study="S0123456789abcdef")


class NoDatabase:
    async def execute(self, *_: Any) -> None: ...


@dataclass(slots=True)
class Job:
    """``said`` is what left, ``finished`` whether the job is over."""

    attempts: int = 1
    said: list[StudyAdvanced] = field(default_factory=list)
    finished: bool = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        uow = UnitOfWork(NoDatabase(), Author("trust-amber"), NOW)
        yield uow
        self.said += [StudyAdvanced.parse(row.value) for row in uow.outbox]

    @asynccontextmanager
    async def done(self) -> AsyncIterator[UnitOfWork]:
        async with self.transaction() as uow:
            yield uow
        self.finished = True


async def tell(job: Job, *steps: Step, code: FailureCode | None = None, to_nifti: bool = True) -> StudyAdvanced:
    telling = _Telling("amber", STUDY, job, job.attempts, to_nifti)
    for step in steps:
        failed = code if step == Step.FAILED else None
        await telling.tell(StudyState("S0123456789abcdef", step=step, code=failed))
    return job.said[-1]


@pytest.mark.parametrize(("to_nifti", "last"), [(True, Step.CONVERTED), (False, Step.ARCHIVED)])
async def test_a_study_has_arrived_at_the_step_that_the_project_wants(to_nifti: bool, last: Step) -> None:
    job = Job()
    said = await tell(job, Step.MOVING, last, to_nifti=to_nifti)
    assert [(event.state, event.arrived) for event in job.said] == [("moving", False), (last.value, True)]
    assert job.finished
    assert said.settled


async def test_a_failure_is_told_with_the_step_that_was_reached() -> None:
    job = Job()
    said = await tell(job, Step.MOVING, Step.RECEIVED, Step.FAILED, code=FailureCode.NOT_IN_PACS)
    assert said.state == "received"
    assert said.failure == StudyFailure(code="not_in_pacs", final=True)
    assert job.finished


async def test_a_failure_that_may_pass_is_not_final_before_the_last_attempt() -> None:
    job = Job()
    with pytest.raises(Transient):
        await tell(job, Step.MOVING, Step.FAILED, code=FailureCode.PACS_UNREACHABLE)
    assert job.said[-1].failure == StudyFailure(code="pacs_unreachable", final=False)
    last = Job(attempts=ATTEMPTS)
    assert (await tell(last, Step.FAILED, code=FailureCode.PACS_UNREACHABLE)).settled


async def test_a_study_whose_import_broke_is_settled_as_failed() -> None:
    job = Job()
    lane = ImagingLane("amber", lambda: pytest.fail("nothing is imported"), parallel=1)
    async with job.transaction() as uow:
        await lane._gave_up(STUDY, uow, "broken", "")
    assert job.said == [
        StudyAdvanced(
            trust_id="amber",
            project_id="p1",
            study=STUDY.study,
            state="queued",
            attempt=ATTEMPTS,
            failure=StudyFailure(code="broken", final=True),
        )
    ]
