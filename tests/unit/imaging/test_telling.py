"""What a trust tells of a study: the step it has come to, its failure beside it, and where it rests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bus.proof.signing import Author
from bus.uow import JobRow, UnitOfWork
from schemas.trust_imaging import StudyAdvanced, StudyFailure
from tests.unit.bus.recorded import NOW
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.telling import Superseded, Telling
from trust_node.jobs import ImportStudy

STUDY = ImportStudy(project_id="p1", study="A0123456789abcdef")
RETRIES = 3


@dataclass(slots=True)
class Database:
    """``mine``: the study is still this attempt's; ``project`` is the row that is read back."""

    mine: bool = True
    project: dict[str, Any] | None = None

    async def fetchval(self, *_: Any) -> bool:
        return self.mine

    async def execute(self, *_: Any) -> None: ...

    async def fetchrow(self, *_: Any) -> dict[str, Any] | None:
        return self.project


@dataclass(slots=True)
class Job:
    """``said`` is what left, ``finished`` whether the job is over, ``next`` what was asked for in its place."""

    database: Database = field(default_factory=Database)
    said: list[StudyAdvanced] = field(default_factory=list)
    next: list[JobRow] = field(default_factory=list)
    finished: bool = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        uow = UnitOfWork(self.database, Author("trust-amber"), NOW)
        yield uow
        self.said += [StudyAdvanced.parse(row.value) for row in uow.outbox]
        self.next += uow.jobs

    @asynccontextmanager
    async def done(self) -> AsyncIterator[UnitOfWork]:
        async with self.transaction() as uow:
            yield uow
        self.finished = True


async def tell(job: Any, *states: StudyState, to_nifti: bool = True, failures: int = 0) -> StudyAdvanced:
    telling = Telling("amber", STUDY, job, 1, to_nifti, failures, RETRIES)
    for state in states:
        await telling.tell(state)
    said: StudyAdvanced = job.said[-1]
    return said


def at(step: Step, code: FailureCode | None = None, **counts: Any) -> StudyState:
    return StudyState(STUDY.study, step=step, code=code, **counts)


@pytest.mark.parametrize(("to_nifti", "last"), [(True, Step.CONVERTED), (False, Step.ARCHIVED)])
async def test_a_study_has_arrived_at_the_step_that_the_project_wants(to_nifti: bool, last: Step) -> None:
    job = Job()
    said = await tell(job, at(Step.MOVING), at(last, archived=3, slices_out=3), to_nifti=to_nifti)
    assert [(event.state, event.arrived, event.present) for event in job.said] == [
        ("moving", False, 0),
        (last.value, True, 3),
    ]
    assert job.finished
    assert said.settled


async def test_each_step_is_told_once() -> None:
    job = Job()
    await tell(job, at(Step.MOVING), at(Step.MOVING, received=1), at(Step.RECEIVED, received=2))
    assert [event.state for event in job.said] == ["moving", "received"]


async def test_a_study_with_images_that_wait_rests_as_held() -> None:
    job = Job()
    said = await tell(job, at(Step.ARCHIVED, archived=2), at(Step.CONVERTED, slices_out=2, held={"leak": 1}))
    assert (said.state, said.arrived, said.rest, said.held) == ("converted", False, "held", {"leak": 1})
    assert said.settled
    assert job.finished


async def test_a_study_of_which_all_waits_is_not_to_be_converted() -> None:
    job = Job()
    said = await tell(job, at(Step.ARCHIVED, archived=0, held={"leak": 4}))
    assert (said.rest, said.settled, job.finished) == ("held", True, True)


async def test_a_failure_is_told_with_the_step_that_was_reached() -> None:
    job = Job()
    said = await tell(job, at(Step.MOVING), at(Step.RECEIVED), at(Step.FAILED, FailureCode.MIXED_PATIENTS))
    assert (said.state, said.failure) == ("received", StudyFailure(code="mixed_patients", final=True))
    assert job.finished
    assert job.next == []


@pytest.mark.parametrize(("failures", "again"), [(0, True), (RETRIES - 1, True), (RETRIES, False)])
async def test_what_may_pass_is_tried_again_a_bounded_number_of_times(failures: int, again: bool) -> None:
    job = Job()
    said = await tell(job, at(Step.FAILED, FailureCode.PACS_UNREACHABLE), failures=failures)
    assert said.failure == StudyFailure(code="pacs_unreachable", final=not again)
    assert [(row.lane, row.message, row.run_at > NOW) for row in job.next] == [("imaging", STUDY, True)] * again
    assert job.finished


async def test_pauses_between_tries_grow() -> None:
    pauses = []
    for failures in range(RETRIES):
        job = Job()
        await tell(job, at(Step.FAILED, FailureCode.INCOMPLETE), failures=failures)
        pauses.append(job.next[0].run_at - NOW)
    assert pauses == sorted(set(pauses))


async def test_conversion_that_was_switched_on_meanwhile_is_not_forgotten() -> None:
    project = {"project_id": "p1", "name": "n", "dicom_to_nifti": True, "xnat_project": "x"}
    job = Job(Database(project=project))
    said = await tell(job, at(Step.ARCHIVED, archived=3), to_nifti=False)
    assert not said.settled
    assert [row.message for row in job.next] == [STUDY]


async def test_what_somebody_has_decided_meanwhile_stands() -> None:
    job = Job(Database(mine=False))
    with pytest.raises(Superseded):
        await tell(job, at(Step.MOVING))
    assert job.said == []
