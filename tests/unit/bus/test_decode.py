"""From bytes to a message: nothing that a record may hold does more than name its fault."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.decode import Decoded, Unreadable, is_command, read_envelope, read_message
from bus.speaker import hear
from schemas.envelope import Envelope, Header
from schemas.message import MAX_PAYLOAD_BYTES
from schemas.project import CreateProject, ProjectActivated
from schemas.training import TrustEvaluated
from tests.unit.bus.recorded import FakeRecord, record_of

SECRET = "Mustermann^Erika"
CREATE = CreateProject(actor="ada", project_id="p1", name="Knees")


def fault(record: FakeRecord) -> Unreadable:
    envelope = read_envelope(record)
    read = read_message(record, envelope) if isinstance(envelope, Envelope) else envelope
    assert isinstance(read, Unreadable)
    return read


def with_value(value: bytes | None) -> FakeRecord:
    record = record_of(CREATE)
    record.value = value
    return record


def test_a_good_record_is_read() -> None:
    record = record_of(CREATE)
    envelope = read_envelope(record)
    assert isinstance(envelope, Envelope)
    assert read_message(record, envelope) == Decoded(envelope, CREATE)


def test_an_unknown_type_and_a_newer_version_are_parked() -> None:
    newer, unknown = (
        fault(record_of(CREATE, type=f"trustflow.project.{name}".encode())) for name in ("create.v2", "x.v1")
    )
    assert (newer.code, newer.parked) == ("newer_version", True)
    assert (unknown.code, unknown.parked) == ("unknown_type", True)


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"[]", b"null", b"\xff", b'{"actor": "ada"}', b'{"project_id": "p1", "actor": "ada", "name": 7}'],
)
def test_a_payload_that_breaks_its_schema_is_dead(value: bytes | None) -> None:
    found = fault(with_value(value))
    assert (found.code, found.parked) == ("invalid_payload", False)


def test_a_payload_is_measured_before_it_is_parsed() -> None:
    assert fault(with_value(b"x" * (MAX_PAYLOAD_BYTES + 1))).code == "too_large"


@pytest.mark.parametrize(
    ("key", "subject"), [(b"p2", b"p1"), (b"p1", b"p2"), (None, b"p1"), (b"", b"p1"), (b"p1\xff", b"p1")]
)
def test_key_and_subject_are_the_messages_own(key: bytes | None, subject: bytes) -> None:
    record = record_of(CREATE, subject=subject)
    record.key = key
    assert fault(record).code == "wrong_key"


def test_a_message_is_believed_on_its_own_topic_only() -> None:
    record = record_of(ProjectActivated(project_id="p1"))
    record.topic = "cohort.events"
    assert fault(record).code == "wrong_topic"


def test_a_fault_names_fields_and_never_values() -> None:
    value = {"actor": SECRET, "project_id": SECRET, "name": {SECRET: SECRET}}
    reason = fault(with_value(json.dumps(value).encode())).reason
    assert all(field in reason for field in ("actor", "project_id", "name"))
    assert SECRET not in reason


def test_a_key_of_a_map_is_a_value_too() -> None:
    evaluated = TrustEvaluated.model_validate(
        {"run_id": "r1", "site": {"trust_id": "amber", "examples": 1, "metrics": {"loss": 0.5}}}
    )
    record = record_of(evaluated)
    record.value = (record.value or b"").replace(b"loss", SECRET.encode())
    found = fault(record)
    assert "site.metrics.*" in found.reason
    assert SECRET not in found.reason


def test_a_text_with_nul_is_refused_and_an_escaped_backslash_is_not() -> None:
    nul = json.dumps({"actor": "ada", "project_id": "p1", "name": "a\0b"}).encode()
    assert fault(with_value(nul)).code == "invalid_payload"
    written = with_value(json.dumps({"actor": "ada", "project_id": "p1", "name": r"a\u0000b"}).encode())
    envelope = read_envelope(written)
    assert isinstance(envelope, Envelope)
    assert isinstance(read_message(written, envelope), Decoded)


@pytest.mark.parametrize(
    ("headers", "topic", "asked"),
    [
        ({}, "project.commands", True),
        ({"type": b"trustflow.project.create.v2"}, "project.commands", True),
        ({"type": b"trustflow.project.create.v2"}, "project.events", False),
        ({"type": b"trustflow.project.activated.v1"}, "project.commands", False),
        ({"subject": b"not an id"}, "project.commands", False),
        ({"id": b"i" * 65}, "project.commands", False),
    ],
)
def test_an_answer_needs_somebody_who_asked(headers: dict[str, bytes], topic: str, asked: bool) -> None:
    envelope = read_envelope(record_of(CREATE, **headers))
    assert isinstance(envelope, Envelope)
    assert is_command(envelope, topic) is asked


headers = st.lists(st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=40)), max_size=5)
keys = st.none() | st.binary(max_size=20)


@given(headers, keys, st.none() | st.binary(max_size=60))
def test_whoever_listens_survives_any_record(headers: list[Header], key: bytes | None, value: bytes | None) -> None:
    heard = hear(FakeRecord("project.events", key, value, headers))
    assert heard.message is None
    assert heard.fault


@given(
    st.recursive(st.none() | st.text() | st.integers() | st.floats(), st.lists, max_leaves=6),
    st.sampled_from(["actor", "project_id", "name"]),
)
def test_any_json_is_a_message_or_an_invalid_payload(value: object, field: str) -> None:
    payload = {"actor": "ada", "project_id": "p1", "name": "Knees"} | {field: value}
    record = with_value(json.dumps(payload).encode())
    envelope = read_envelope(record)
    assert isinstance(envelope, Envelope)
    read = read_message(record, envelope)
    assert isinstance(read, Decoded) or read.code in {"invalid_payload", "wrong_key"}


@pytest.mark.parametrize("id_", [b"../../etc/passwd", b"a b", b"-", b"x" * 65, "💀".encode()])
def test_a_command_has_an_id_that_its_answer_can_repeat(id_: bytes) -> None:
    """Else every such command would look like a bug of its handler, and a speaker could stop a service."""
    command = CreateProject(actor="ada", project_id="p1", name="Knees")
    assert fault(record_of(command, id=id_)).code == "malformed"
