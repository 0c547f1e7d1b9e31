import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.training.sdk.trustflow_sdk import wire

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def pair():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


@given(message=st.dictionaries(st.text(), json_values, max_size=4))
def test_a_message_arrives_as_it_was_sent(pair, message):
    ours, theirs = pair
    wire.send(ours, message)
    assert wire.receive(theirs) == (message, None)


def test_two_messages_stay_two(pair):
    ours, theirs = pair
    wire.send(ours, {"n": 1})
    wire.send(ours, {"n": 2})
    assert [wire.receive(theirs)[0]["n"] for _ in range(2)] == [1, 2]


def test_an_open_file_travels_beside_a_message(pair, tmp_path):
    ours, theirs = pair
    (tmp_path / "x").write_text("hello")
    with (tmp_path / "x").open() as file:
        wire.send(ours, {}, file.fileno())
    _, received = wire.receive(theirs)
    assert received is not None
    assert os.read(received, 9) == b"hello"
    assert not os.get_inheritable(received)
    os.close(received)


@given(st.binary(min_size=1, max_size=50).filter(lambda packet: packet[:1] not in b'0123456789-"{[tfnNI \t\r\n'))
def test_garbage_is_malformed(pair, packet):
    ours, theirs = pair
    ours.send(packet)
    with pytest.raises(wire.Malformed):
        wire.receive(theirs)


def test_a_message_that_is_too_long_is_refused_on_both_sides(pair):
    ours, theirs = pair
    with pytest.raises(wire.Malformed, match="65536"):
        wire.send(ours, {"x": "y" * wire.MESSAGE_LIMIT})
    ours.send(b'"' + b"y" * wire.MESSAGE_LIMIT + b'"')
    with pytest.raises(wire.Malformed):
        wire.receive(theirs)


def test_a_closed_end_is_the_end():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    with theirs, pytest.raises(EOFError):
        wire.receive(theirs)
