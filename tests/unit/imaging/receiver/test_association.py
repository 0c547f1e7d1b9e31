"""What a peer may say, in which order, and what it hears then (PS3.8 9.2; PS3.4 B)."""

import shutil
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from tests.unit.imaging.receiver.conftest import CONTEXTS, CT, Caller, Listening, Place, image, request, store
from trust_node.imaging.receiver.admission import VERIFICATION
from trust_node.imaging.receiver.dimse import CANCEL, ECHO, RESPONSE, STORE, Command
from trust_node.imaging.receiver.fragments import data_pdus
from trust_node.imaging.receiver.header import IMPLICIT
from trust_node.imaging.receiver.pdu import (
    HEAD,
    RELEASE,
    RELEASED,
    Abort,
    Accept,
    Kind,
    Proposed,
    Reject,
    Request,
    User,
)

ANY_TIME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_an_image_lies_in_the_spool_when_the_answer_comes(place: Place) -> None:
    caller = place.associated()
    assert caller.send(1) == 0x0000
    (file,) = place.spool.files("1.2.3")
    assert file.read_bytes().endswith(image(1))
    assert dcmread(file).file_meta.MediaStorageSOPInstanceUID == "1.2.3.1"
    assert caller.say(RELEASE).hear() is Kind.RELEASED
    assert caller.hear() is None
    assert place.files() == [file]


def test_every_syntax_of_a_class_has_a_context_of_its_own(place: Place) -> None:
    asked = request()
    answer = place.caller().say(asked.encode()).hear()
    assert isinstance(answer, Accept)
    assert [(made.id, made.result, made.transfer_syntax) for made in answer.contexts] == [
        (context.id, 0, context.transfer_syntaxes[0]) for context in CONTEXTS
    ]
    assert (answer.called, answer.calling, answer.user.max_length) == (asked.called, asked.calling, 131_072)


@pytest.mark.parametrize(
    ("context", "result"),
    [
        (Proposed(7, "1.2.840.10008.5.1.4.1.2.2.1", (IMPLICIT,)), 3),
        (Proposed(7, "1.2.826.0.1.9999.1", (IMPLICIT,)), 3),
        (Proposed(7, CT, ("1.2.840.10008.1.2.1.99",)), 4),
        (Proposed(7, "1.2.840.10008.5.1.4.1.1.6", (IMPLICIT,)), 0),
    ],
    ids=["C-FIND", "unknown", "deflated", "retired"],
)
def test_what_is_no_storage_or_no_syntax_of_ours_is_refused_alone(place: Place, context: Proposed, result: int) -> None:
    answer = place.caller().say(request(contexts=(*CONTEXTS, context)).encode()).hear()
    assert isinstance(answer, Accept)
    assert [made.result for made in answer.contexts] == [0, 0, 0, result]


def test_an_echo_is_answered(place: Place) -> None:
    caller = place.associated().command(Command(ECHO, 9, VERIFICATION), context=5)
    assert caller.hear() == Command(ECHO | RESPONSE, 9, VERIFICATION, status=0)


@pytest.mark.parametrize(
    ("asked", "answer", "counted"),
    [
        (request(calling="STRANGER"), Reject(1, 1, 3), "refused.calling_title"),
        (request(called="SOMEBODY"), Reject(1, 1, 7), "refused.called_title"),
        (Request("NODE", "PACS", CONTEXTS, User(0), application="1.2.3"), Reject(1, 1, 2), "refused.protocol"),
        (Request("NODE", "PACS", CONTEXTS, User(0), protocols=2), Reject(1, 2, 2), "refused.protocol"),
        (Request("NODE", "PACS", CONTEXTS, User(7)), Reject(1, 3, 2), "refused.protocol"),
    ],
)
def test_a_refusal_says_why(place: Place, asked: Request, answer: Reject, counted: str) -> None:
    caller = place.caller().say(asked.encode())
    assert caller.hear() == answer
    assert caller.hear() is None
    assert place.count(counted) == 1
    assert place.count("associations") == 0


NOT_KNOWN, UNEXPECTED, INVALID, BY_USER = Abort(2, 1), Abort(2, 2), Abort(2, 6), Abort(0, 0)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (RELEASE, UNEXPECTED),
        (RELEASED, UNEXPECTED),
        (b"".join(data_pdus(1, 1, store().encode(), 16_384)), UNEXPECTED),
        (b"\x09\0\0\0\0\0", NOT_KNOWN),
        (b"GET / HTTP/1.1\r\n\r\n", NOT_KNOWN),
        (HEAD.pack(Kind.REQUEST, 2**32 - 1), INVALID),
        (HEAD.pack(Kind.REQUEST, 10) + bytes(10), INVALID),
    ],
)
def test_out_of_turn_before_the_association_is_an_abort(place: Place, said: bytes, answer: Abort) -> None:
    caller = place.caller().say(said)
    assert caller.hear() == answer
    assert caller.hear() is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (request().encode(), UNEXPECTED),
        (RELEASED, UNEXPECTED),
        (Reject(1, 1, 1).encode(), UNEXPECTED),
        (b"\x08\0\0\0\0\0", NOT_KNOWN),
        (HEAD.pack(Kind.DATA, 0), INVALID),
        (HEAD.pack(Kind.DATA, 131_073), INVALID),
        (HEAD.pack(Kind.RELEASE, 5) + bytes(5), INVALID),
        (HEAD.pack(Kind.DATA, 6) + struct.pack(">IBB", 1, 1, 3), INVALID),
        (HEAD.pack(Kind.DATA, 6) + struct.pack(">IBB", 2**32 - 1, 1, 3), INVALID),
        (b"".join(data_pdus(9, 1, store().encode(), 16_384)), UNEXPECTED),
        (b"".join(data_pdus(1, 0, image(), 16_384)), UNEXPECTED),
        (b"".join(data_pdus(1, 1, b"\0\0\1\1\xff\xff\xff\xff", 16_384)), BY_USER),
        (b"".join(data_pdus(1, 1, store().answer(0).encode(), 16_384)), BY_USER),
    ],
)
def test_out_of_turn_within_the_association_is_an_abort(place: Place, said: bytes, answer: Abort) -> None:
    caller = place.associated().say(said)
    assert caller.hear() == answer
    assert caller.hear() is None


@pytest.mark.parametrize("said", [RELEASE, b"".join(data_pdus(1, 1, store(2).encode(), 16_384)),
                                  b"".join(data_pdus(3, 0, image(), 16_384))])  # fmt: skip
def test_nothing_interrupts_a_data_set(place: Place, said: bytes) -> None:
    caller = place.associated().command(store()).say(said)
    assert caller.hear() == UNEXPECTED
    assert caller.hear() is None
    assert place.files() == []


def test_an_aborting_peer_hears_nothing_and_leaves_nothing(place: Place) -> None:
    half = list(data_pdus(1, 0, image(), 2_000))[:2]
    caller = place.associated().command(store()).say(*half, Abort(0, 0).encode())
    assert caller.hear() is None
    assert place.files() == []
    assert place.count("aborted.by_peer") == 1


@pytest.mark.parametrize(
    ("command", "data", "status", "counted"),
    [
        (store(1), image(2), 0xA900, "failed.mismatch"),
        (store(1), image(1, study=""), 0xC000, "failed.unreadable"),
        (store(1), b"\x08\0\x08\0\xff\xff\0\0not a data set", 0xC000, "failed.unreadable"),
        (store(1, "1.2.840.10008.5.1.4.1.1.4"), image(1), 0x0122, "failed.class"),
        (Command(STORE, 1, CT, "", has_data=True), image(1), 0xC000, "failed.unreadable"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_association_lives_on(
    place: Place, command: Command, data: bytes, status: int, counted: str
) -> None:
    caller = place.associated()
    assert caller.command(command).data(data).status() == status
    assert place.files() == []
    assert place.count(counted) == 1
    assert caller.send(7) == 0x0000


def test_other_services_are_not_recognised_and_a_cancel_is_not_answered(place: Place) -> None:
    caller = place.associated().command(Command(CANCEL, 1)).command(Command(0x0020, 4, CT, has_data=True)).data(b"12")
    assert caller.hear() == Command(0x8020, 4, CT, status=0x0211)
    assert caller.send() == 0x0000


def test_a_command_without_a_data_set_stores_nothing(place: Place) -> None:
    caller = place.associated().command(Command(STORE, 1, CT, "1.2.3.1"))
    assert caller.status() == 0xC000
    assert place.files() == []


def test_a_spool_that_cannot_be_written_is_out_of_resources_until_it_can(place: Place) -> None:
    caller = place.associated()
    shutil.rmtree(place.spool.root)
    place.spool.root.write_text("no folder")
    assert caller.send(1) == 0xA700
    place.spool.root.unlink()
    place.spool.root.mkdir()
    assert caller.send(2) == 0x0000
    assert (place.count("failed.no_room"), place.count("objects")) == (1, 1)


def test_the_first_piece_may_end_anywhere(place: Place) -> None:
    """Between two elements, too, and before the study's UID."""
    caller, data = place.associated(), image()
    for cut in range(1, 180):
        first = HEAD.pack(Kind.DATA, cut + 6) + struct.pack(">IBB", cut + 2, 1, 0) + data[:cut]
        assert caller.command(store()).say(first).data(data[cut:]).status() == 0x0000


@ANY_TIME
@given(st.data())
def test_a_message_may_come_in_any_pieces(listening: Listening, data: st.DataObject) -> None:
    place = _kept(listening)
    stream = _streamed(data.draw(st.integers(7, 700)))
    cuts = sorted(data.draw(st.lists(st.integers(1, len(stream)), max_size=12)))
    caller = place.associated()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        caller.say(stream[start:end])
    assert caller.status() == 0x0000
    (file,) = place.spool.files("1.2.3")
    assert file.read_bytes().endswith(image())
    file.unlink()
    caller.connection.close()


_places: dict[Listening, Place] = {}


def _kept(listening: Listening) -> Place:
    """One server for all of Hypothesis' examples."""
    if listening not in _places:
        _places[listening] = listening()
    return _places[listening]


def _streamed(longest: int) -> bytes:
    command = b"".join(data_pdus(1, 1, store().encode(), max(longest, 20)))
    return command + b"".join(data_pdus(1, 0, image(), longest))


WORDS = {
    "request": request().encode(),
    "store": _streamed(4_000),
    "command": b"".join(data_pdus(1, 1, store().encode(), 16_384)),
    "echo": b"".join(data_pdus(5, 1, Command(ECHO, 3, VERIFICATION).encode(), 16_384)),
    "release": RELEASE,
    "released": RELEASED,
    "reject": Reject(1, 1, 1).encode(),
}


@ANY_TIME
@given(st.lists(st.sampled_from(sorted(WORDS)), max_size=6))
def test_any_order_of_words_is_answered_as_the_state_machine_says(listening: Listening, words: list[str]) -> None:
    caller = _kept(listening).caller()
    for expected in _model(words, caller):
        assert expected(caller.hear())
    caller.connection.close()


def _model(words: list[str], caller: Caller):
    """Say the words, and yield what each is to be answered: states 2, 6 and 13 of PS3.8 9.2."""
    state = "idle"
    for word in words:
        caller.say(WORDS[word])
        if state == "idle" and word == "request":
            state = "associated"
            yield lambda heard: isinstance(heard, Accept)
        elif state == "associated" and word in {"store", "echo"}:
            yield lambda heard: isinstance(heard, Command) and heard.status == 0
        elif state == "associated" and word == "command":
            state = "storing"
        elif state == "associated" and word == "release":
            yield lambda heard: heard is Kind.RELEASED
            yield lambda heard: heard is None
            return
        else:
            yield lambda heard: heard == UNEXPECTED
            yield lambda heard: heard is None
            return
    caller.connection.shutdown(socket.SHUT_WR)
    yield lambda heard: heard is None


@ANY_TIME
@given(
    st.lists(st.sampled_from(sorted(WORDS)), max_size=4),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=6),
)
def test_words_with_bytes_changed_anywhere_end_in_an_answer_or_an_abort(
    listening: Listening, words: list[str], changes: list[tuple[int, int]]
) -> None:
    stream = bytearray(b"".join(WORDS[word] for word in ["request", *words]))
    for at, change in changes:
        stream[at % len(stream)] ^= change
    place = _kept(listening)
    caller = place.caller().say(bytes(stream))
    caller.connection.shutdown(socket.SHUT_WR)
    heard = list(iter(caller.hear, None))
    assert not any(isinstance(answer, Abort | Reject) for answer in heard[:-1])
    assert place.count("aborted.fault") == 0
    caller.connection.close()
