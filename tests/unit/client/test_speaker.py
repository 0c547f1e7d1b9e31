import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.speaker import CommandRejected, NoAnswer, _accepted, hear
from bus.uow import new_id, traceparent
from schemas.envelope import envelope_for, to_headers
from schemas.project import CreateProject, ProjectCommandAccepted, ProjectCommandRejected

START = datetime(2026, 11, 21, tzinfo=UTC)

COMMAND = CreateProject(project_id="p1", name="Prostate", actor="ann")
ANSWER = {"command_id": "c1", "command_type": COMMAND.type, "subject": "p1"}


@dataclass
class Raw:
    value: bytes | None
    headers: list[tuple[str, bytes]]
    key: bytes | None = b"p1"
    topic: str = "project.commands"
    partition: int = 0
    offset: int = 5
    timestamp: int = 1_790_000_000_000


def headers() -> list[tuple[str, bytes]]:
    return to_headers(envelope_for(COMMAND, id=new_id(), source="/client", time=START, traceparent=traceparent(None)))


def test_a_good_record_is_heard_whole():
    heard = hear(Raw(COMMAND.to_bytes(), headers()))
    assert heard.message == COMMAND
    assert heard.envelope.subject == heard.key == "p1"
    assert heard.fault is None


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (Raw(b"garbage", []), "malformed"),
        (Raw(b"garbage", headers()), "invalid_payload"),
        (Raw(COMMAND.to_bytes(), headers(), key=b"other"), "wrong_key"),
        (Raw(COMMAND.to_bytes(), headers(), topic="cohort.commands"), "wrong_topic"),
        (Raw(None, headers()), "invalid_payload"),
    ],
)
def test_a_bad_record_is_heard_with_the_code_of_its_fault(raw, fault):
    heard = hear(raw)
    assert (heard.message, heard.fault) == (None, fault)


def test_a_dead_letter_keeps_its_own_code_and_origin():
    origin = [("tf-code", b"wrong_key"), ("tf-group", b"project"), ("tf-origin", b"project.commands/0/4")]
    heard = hear(Raw(COMMAND.to_bytes(), [*headers(), *origin], topic="dlq.project"))
    assert (heard.message, heard.fault) == (None, "wrong_key")
    assert (heard.put_aside_by, heard.origin) == ("project", "project.commands/0/4")


@given(st.binary(), st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20))), st.binary())
def test_whatever_lies_on_a_topic_can_be_heard(value, extra, key):
    heard = hear(Raw(value, [*headers(), *extra], key=key))
    assert heard.offset == 5
    assert heard.message is None


async def _future(answer):
    future = asyncio.get_running_loop().create_future()
    if answer:
        future.set_result(answer)
    return future


async def test_an_answer_is_returned_or_raised():
    accepted = ProjectCommandAccepted(**ANSWER)
    assert _accepted(await _future(accepted), COMMAND, "c1", 1.0) == accepted
    rejected = ProjectCommandRejected(**ANSWER, code="already_exists", reason="Choose another id.")
    with pytest.raises(CommandRejected, match=r"already_exists: Choose another id\."):
        _accepted(await _future(rejected), COMMAND, "c1", 1.0)


async def test_no_answer_names_the_service_and_the_topic_where_the_command_waits():
    with pytest.raises(NoAnswer, match=r"the project service gave no answer within 1.5 s.*project\.commands"):
        _accepted(await _future(None), COMMAND, "c1", 1.5)
