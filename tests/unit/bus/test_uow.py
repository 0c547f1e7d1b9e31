"""What a handler may say, and how what it says is joined to its cause."""

from datetime import timedelta

import pytest

from bus.backoff import LONGEST_PAUSE_S, pause_s
from bus.decode import read_envelope
from bus.lanes import Lanes
from bus.proof.signing import Author
from bus.router import Router
from bus.uow import UnitOfWork, new_id, traceparent
from schemas.envelope import Envelope, from_headers
from schemas.project import CreateProject, ProjectActivated, ProjectCreated
from tests.unit.bus.recorded import NOW, record_of

CREATE = CreateProject(actor="ada", project_id="p1", name="Knees")
ACTIVATED = ProjectActivated(project_id="p1")


@pytest.fixture
def uow() -> UnitOfWork:
    cause = read_envelope(record_of(CREATE, correlationid=b"first"))
    assert isinstance(cause, Envelope)
    return UnitOfWork(None, Author("project"), NOW, cause)


def test_what_is_said_names_its_cause_and_stays_in_its_trace(uow: UnitOfWork) -> None:
    uow.emit(ACTIVATED)
    assert uow.cause is not None
    (row,) = uow.outbox
    said = from_headers(row.headers)
    assert (row.topic, row.key, said.source) == ("project.events", "p1", "/project")
    assert (said.causationid, said.correlationid) == ("e1", "first")
    assert said.traceparent[:36] == uow.cause.traceparent[:36]
    assert said.traceparent != uow.cause.traceparent


def test_a_deadline_leaves_when_it_is_due(uow: UnitOfWork) -> None:
    due_at = NOW + timedelta(minutes=5)
    uow.emit_at(due_at, ACTIVATED)
    assert uow.outbox[0].due_at == from_headers(uow.outbox[0].headers).time == due_at


def test_a_job_is_of_its_messages_key_and_starts_at_once_unless_told_otherwise(uow: UnitOfWork) -> None:
    later = NOW + timedelta(hours=1)
    uow.enqueue("slow", ACTIVATED)
    uow.enqueue("slow", ACTIVATED, key="k", run_at=later)
    assert [(job.key, job.run_at) for job in uow.jobs] == [("p1", NOW), ("k", later)]


def test_what_no_broker_would_take_is_refused_where_it_is_said(uow: UnitOfWork) -> None:
    """In the relay it would stand before everything else for ever."""
    huge = ProjectCreated.model_construct(
        project_id="p1", name="x" * 10**6, description="", dicom_to_nifti=True, owner="ada"
    )
    with pytest.raises(ValueError, match=r"trustflow\.project\.created\.v1 has .* use the object lane"):
        uow.emit(huge)
    assert uow.outbox == []


def test_ids_are_unique_and_sorted_by_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))


def test_without_a_cause_a_trace_begins() -> None:
    assert traceparent(None)[3:35] != traceparent(None)[3:35]


def test_a_message_has_one_handler() -> None:
    router = Router()

    async def handle(message: object, uow: UnitOfWork) -> None: ...

    router.on(CreateProject, ProjectActivated)(handle)
    assert router.handler(CreateProject.type) is handle
    assert router.types == {CreateProject.type, ProjectActivated.type}
    with pytest.raises(ValueError, match="has a handler already"):
        router.on(CreateProject)(handle)


def test_what_nobody_handles_has_no_handler() -> None:
    assert Router().handler(CreateProject.type) is None


def test_a_lane_is_what_was_registered() -> None:
    lanes = Lanes()

    @lanes.lane("slow", on_failure=lambda *_: None, workers=2, attempts=3)
    async def work(message: object, job: object) -> None: ...

    (lane,) = lanes
    assert (lane.name, lane.worker, lane.workers, lane.attempts) == ("slow", work, 2, 3)


@pytest.mark.parametrize("failures", [1, 2, 5, 10, 2000])
def test_a_pause_grows_and_is_bounded(failures: int) -> None:
    pauses = [pause_s(failures) for _ in range(50)]
    assert 0 < min(pauses) <= max(pauses) <= LONGEST_PAUSE_S
    assert failures > 5 or max(pauses) <= 0.03 * 2**failures
