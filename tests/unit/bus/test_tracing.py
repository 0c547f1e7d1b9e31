"""Spans: who is whose child, and what they never hold."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bus.decode import read_envelope
from bus.proof.signing import Author
from bus.uow import UnitOfWork
from bus.watch import tracing
from bus.watch.tracing import Span
from schemas.project import CreateProject, ProjectCreated
from tests.unit.bus.recorded import NOW, TRACE, record_of

COMMAND = CreateProject(actor="ada", project_id="p1", name="Knees of Erika")
CREATED = ProjectCreated(project_id="p1", name="Knees of Erika", description="", dicom_to_nifti=True, owner="ada")


@pytest.fixture
def spans() -> Iterator[list[Span]]:
    found: list[Span] = []
    tracing.export_to(found.append)
    yield found
    tracing.export_to(None)


def cause():
    return read_envelope(record_of(COMMAND))


def test_a_message_is_the_child_of_the_handling_which_is_the_child_of_its_message(spans: list[Span]) -> None:
    envelope = cause()
    uow = UnitOfWork(None, Author("project"), NOW, envelope)
    with tracing.handling(envelope, "project.commands", "project"):
        uow.emit(CREATED)
    created, handled = spans
    assert (handled.trace_id, handled.parent_id) == (envelope.traceparent[3:35], envelope.traceparent[36:52])
    assert (created.trace_id, created.parent_id) == (handled.trace_id, handled.span_id)
    assert dict(uow.outbox[0].headers)["ce_traceparent"] == f"00-{created.trace_id}-{created.span_id}-01".encode()


def test_a_message_of_a_job_is_the_child_of_the_job(spans: list[Span]) -> None:
    envelope = cause()
    uow = UnitOfWork(None, Author("project"), NOW, envelope)
    with tracing.job(envelope, "imaging", 1):
        uow.emit(CREATED)
    created, job = spans
    assert (created.parent_id, job.parent_id) == (job.span_id, envelope.traceparent[36:52])


def test_what_a_person_asks_begins_a_trace(spans: list[Span]) -> None:
    UnitOfWork(None, Author("client"), NOW).emit(COMMAND)
    assert spans[0].parent_id is None


def test_a_span_holds_ids_and_kinds_and_nothing_of_the_payload_nor_of_an_error(spans: list[Span]) -> None:
    with pytest.raises(ValueError, match="Erika"), tracing.handling(cause(), "project.commands", "project"):
        raise ValueError("no knee of Erika")
    (handled,) = spans
    assert handled.error == "ValueError"
    assert "Erika" not in repr(handled)
    assert {name.split(".")[0] for name in handled.attributes} == {"messaging", "cloudevents"}


@pytest.mark.parametrize("traceparent", [None, b"", b"00-short-01", b"\xff" * 55])
def test_what_was_sent_without_a_trace_leaves_none(spans: list[Span], traceparent: bytes | None) -> None:
    tracing.sent([("ce_traceparent", traceparent), ("tf-code", b"malformed")], "dlq.project", 0)
    tracing.sent([], "dlq.project", 0)
    assert spans == []


def test_sending_is_a_child_of_the_message(spans: list[Span]) -> None:
    tracing.sent(record_of(COMMAND).headers, "project.commands", 1)
    assert (spans[0].trace_id, spans[0].parent_id) == (TRACE[3:35], TRACE[36:52])
    assert spans[0].span_id != spans[0].parent_id


def test_without_a_receiver_nothing_is_recorded_and_the_sdk_is_not_even_imported() -> None:
    code = "import sys, bus.participant; bus.watch.tracing.start('project'); print('opentelemetry.sdk' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert ended.stdout.strip() == "False"
