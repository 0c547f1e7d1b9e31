"""How much a peer may take, and that nobody else notices."""

import socket
import struct
import time

import pytest

from tests.unit.imaging.receiver.conftest import Caller, Listening, image, request, store
from trust_node.imaging.receiver.fragments import COMMAND, data_pdus
from trust_node.imaging.receiver.pdu import RELEASE, Abort, Accept, Kind, Reject

UNSPECIFIED, BY_USER = Abort(2, 0), Abort(0, 0)


def patient(condition, within_s: float = 10.0) -> bool:
    give_up = time.monotonic() + within_s
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.005)
    return condition()


def test_a_command_has_an_end(listening: Listening) -> None:
    place = listening(command=500)
    endless = b"".join(data_pdus(1, COMMAND, bytes(5_000), 120))
    assert place.associated().say(endless[:2_000]).hear() == BY_USER
    assert place.associated().say(*data_pdus(1, COMMAND, bytes(5_000), 16_384)).hear() == BY_USER
    assert place.count("aborted.limit") == 2


def test_an_object_has_an_end_and_leaves_nothing(listening: Listening) -> None:
    place = listening(object=8_000)
    caller = place.associated().command(store())
    caller.data(image(pixels=20_000))
    assert caller.hear() == UNSPECIFIED
    assert place.files() == []
    assert place.associated().send() == 0x0000


def test_what_is_refused_has_an_end_too(listening: Listening) -> None:
    place = listening(object=8_000)
    caller = place.associated().command(store(sop_class="1.2.840.10008.5.1.4.1.1.4"))
    caller.data(image(pixels=20_000))
    assert caller.hear() == UNSPECIFIED


@pytest.mark.parametrize("limits", [{"objects": 3}, {"association": 20_000}])
def test_an_association_has_an_end_and_what_it_brought_stays(listening: Listening, limits: dict[str, int]) -> None:
    place = listening(**limits)
    caller = place.associated()
    assert [caller.send(number) for number in range(1, 4)] == [0, 0, 0]
    caller.command(store(4)).data(image(4))
    assert caller.hear() == UNSPECIFIED
    assert place.spool.count("1.2.3") == 3


def test_a_peer_that_falls_silent_is_aborted(listening: Listening) -> None:
    place = listening(idle_s=0.2)
    assert place.associated().hear() == UNSPECIFIED
    assert place.associated().command(store()).hear() == UNSPECIFIED
    assert place.count("aborted.idle") == 2
    assert place.files() == []


def test_a_peer_that_never_asks_is_aborted(listening: Listening) -> None:
    place = listening(negotiation_s=0.2)
    assert place.caller().hear() == UNSPECIFIED


def test_a_peer_that_asks_a_byte_at_a_time_is_aborted(listening: Listening) -> None:
    place = listening(negotiation_s=0.3)
    assert _trickled(place.caller(), request().encode()) == UNSPECIFIED
    assert place.count("aborted.too_long") == 1


def test_an_association_that_trickles_is_aborted(listening: Listening) -> None:
    place = listening(total_s=0.3)
    assert _trickled(place.associated().command(store()), b"".join(data_pdus(1, 0, image(), 16_384))) == UNSPECIFIED
    assert place.files() == []


def _trickled(caller: Caller, data: bytes):
    caller.connection.settimeout(0.02)
    for number in range(len(data)):
        caller.say(data[number : number + 1])
        try:
            return caller.hear()
        except TimeoutError:
            continue
    return "it was all taken"


def test_below_the_floor_of_the_disk_objects_are_refused(listening: Listening) -> None:
    place = listening(free=2**62)
    caller = place.associated()
    assert [caller.send(1), caller.send(2)] == [0xA700, 0xA700]
    assert place.count("failed.no_room") == 2
    assert caller.say(RELEASE).hear() is Kind.RELEASED


def test_whoever_comes_too_many_is_told_so_and_may_come_again(listening: Listening) -> None:
    place = listening(associations=2, associations_each=2)
    first, second = place.associated(), place.associated()
    third = place.caller().say(request().encode())
    assert third.hear() == Reject(2, 3, 1)
    assert place.count("refused.busy") == 1
    assert first.say(RELEASE).hear() is Kind.RELEASED
    for gone in (first, third):
        gone.connection.close()
    assert patient(lambda: place.count("open") == 1)
    assert second.send() == 0x0000
    assert isinstance(place.caller().say(request().encode()).hear(), Accept)


def test_one_address_cannot_take_all_places(listening: Listening) -> None:
    place = listening(associations=3, associations_each=1)
    place.associated()
    assert place.caller().say(request().encode()).hear() == Reject(2, 3, 1)
    assert isinstance(place.caller("127.0.0.2").say(request().encode()).hear(), Accept)


def test_a_flood_of_connections_is_hung_up_on(listening: Listening) -> None:
    place = listening(associations=2, associations_each=2)
    callers = [place.caller() for _ in range(30)]
    assert patient(lambda: place.count("refused.busy") == 30 - 4)
    assert place.count("open") <= 4
    assert sum(_is_hung_up(caller) for caller in callers) == 26


def _is_hung_up(caller: Caller) -> bool:
    caller.connection.setblocking(False)
    try:
        return caller.connection.recv(1) == b""
    except BlockingIOError:
        return False


def test_a_stranger_s_address_is_hung_up_on(listening: Listening) -> None:
    place = listening(networks=("127.0.0.1/32", "10.0.0.0/8"))
    assert place.caller("127.0.0.2").hear() is None
    assert place.count("refused.address") == 1
    assert place.associated().send() == 0x0000


def test_a_connection_that_is_reset_leaves_nothing(listening: Listening) -> None:
    place = listening()
    caller = place.associated().command(store()).say(b"".join(data_pdus(1, 0, image(), 1_000))[:2_500])
    assert patient(lambda: place.files() != [])
    caller.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.connection.close()
    assert patient(lambda: place.files() == [])
    assert place.count("aborted.lost") == 1


def test_the_end_aborts_whoever_is_there(listening: Listening) -> None:
    place = listening()
    waiting, sending = place.associated(), place.associated().command(store())
    sending.say(b"".join(data_pdus(1, 0, image(), 1_000))[:2_500])
    assert patient(lambda: place.files() != [])
    place.stop()
    assert [waiting.hear(), sending.hear()] == [UNSPECIFIED, UNSPECIFIED]
    assert place.files() == []
    assert (place.count("aborted.stopped"), place.count("open")) == (2, 0)
