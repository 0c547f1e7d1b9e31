"""What can't be handled leaves whole, for the dead-letter topic; whoever asked is told why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.answers import Answers
from bus.inbox import Inbox
from bus.router import Router
from bus.taken import take
from bus.uow import as_bytes, as_text, headers_from_json
from schemas.envelope import Header
from schemas.project import CreateProject, ProjectCommandAccepted, ProjectCommandRejected
from schemas.trust import EndRun
from tests.unit.bus.recorded import FakeConnection, FakeRecord, record_of

CREATE = CreateProject(actor="ada", project_id="p1", name="Knees")


def inbox() -> Inbox:
    return Inbox("project", Router(), Answers("project", ProjectCommandAccepted, ProjectCommandRejected))


async def rows_of(inbox: Inbox, record: FakeRecord) -> list[tuple[object, ...]]:
    connection = FakeConnection()
    (outcome,) = await inbox._together(connection, [take(record, inbox.router)])
    assert outcome in {"dead", "parked"}
    return connection.rows


def without_ours(headers: list[Header]) -> list[Header]:
    return [(name, value) for name, value in headers if not name.startswith("tf-")]


async def test_a_dead_letter_is_the_record_and_where_it_came_from() -> None:
    record = record_of(CREATE)
    record.value = b"{"
    letter, _ = await rows_of(inbox(), record)
    topic, key, value, headers, due_at = letter
    assert (topic, key, value, due_at) == ("dlq.project", "p1", b"{", None)
    assert headers_from_json(json.loads(headers))[: len(record.headers)] == record.headers
    told = dict(headers_from_json(json.loads(headers)))
    assert (told["tf-origin"], told["tf-code"], told["tf-outcome"]) == (
        b"project.commands/0/7",
        b"invalid_payload",
        b"dead",
    )


async def test_whoever_sent_the_command_is_told_why() -> None:
    record = record_of(CREATE)
    record.value = b"{"
    _, (topic, key, payload, headers, _) = await rows_of(inbox(), record)
    rejected = ProjectCommandRejected.parse(payload)
    assert (topic, key, rejected.code, rejected.command_id) == ("project.events", "p1", "invalid_payload", "e1")
    assert dict(headers_from_json(json.loads(headers)))["ce_causationid"] == b"e1"


async def test_rubbish_is_put_aside_and_nobody_is_told() -> None:
    (letter,) = await rows_of(inbox(), FakeRecord("project.commands", None, None, [("ce_id", None)]))
    assert letter[0] == "dlq.project"


@pytest.mark.parametrize("type_", [b"trustflow.trust.end_run.v2", b"trustflow.trust.dance.v1"])
async def test_a_trust_that_lags_behind_parks_what_a_newer_hub_sends(type_: bytes) -> None:
    """A trust node answers no commands by accepted and rejected: it must not stumble over that."""
    record = record_of(EndRun(trust_id="amber", run_id="r1"), type=type_)
    (letter,) = await rows_of(Inbox("trust-amber", Router(), Answers("trust-amber")), record)
    assert letter[0] == "dlq.trust-amber"


@given(st.binary())
def test_any_bytes_survive_postgresqls_text(raw: bytes) -> None:
    text = as_text(raw)
    assert "\0" not in text
    assert as_bytes(text) == raw


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=("Cs",))), st.none() | st.binary())))
async def test_any_headers_survive_the_outbox(headers: list[Header]) -> None:
    letter, *_ = await rows_of(inbox(), FakeRecord("project.commands", b"\0\xff", b"\0", headers))
    assert without_ours(headers_from_json(json.loads(letter[3]))) == without_ours(headers)
    assert as_bytes(str(letter[1])) == b"\0\xff"
