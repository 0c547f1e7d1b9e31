"""A hundred thousand broken conversations with the living receiver, while a good peer stores its images."""

import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from infra.parts.part import free_port
from tests.bench.ct import make_slices
from tests.unit.imaging.receiver.conftest import CALLED, CALLER, image, request, store
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.receiver import Limits, Receiver
from trust_node.imaging.receiver.admission import VERIFICATION
from trust_node.imaging.receiver.dimse import ECHO, Command
from trust_node.imaging.receiver.fragments import COMMAND, data_pdus
from trust_node.imaging.receiver.pdu import HEAD, RELEASE, Abort, Kind
from trust_node.imaging.sending import Sent, send_files
from trust_node.imaging.spool import Spool

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

CONVERSATIONS = 100_000
AT_ONCE = 40
GROWTH = 8 * 2**20

Pdus = list[bytes]


def captures() -> list[Pdus]:
    """Conversations as good peers have them, PDU by PDU."""
    echoed = b"".join(data_pdus(5, COMMAND, Command(ECHO, 3, VERIFICATION).encode(), 16_384))
    command = b"".join(data_pdus(1, COMMAND, store().encode(), 16_384))
    data = image(pixels=1_000)
    small = [b"".join(pair) for pair in _pairs(data_pdus(1, 0, data, 300))]
    whole = b"".join(data_pdus(1, 0, data, 16_384))
    asked = request().encode()
    return [
        [asked, echoed, RELEASE],
        [asked, command, whole, RELEASE],
        [asked, command, *small, command, whole, RELEASE],
        [asked, command + whole + echoed, Abort(0, 0).encode()],
    ]


def _pairs(pieces: Iterator[bytes | memoryview]) -> Iterator[tuple[bytes, bytes]]:
    for head in pieces:
        yield bytes(head), bytes(next(pieces))


def mutated(dice: random.Random, good: list[Pdus]) -> bytes:
    pdus = list(dice.choice(good))
    match dice.randrange(8):
        case 0:
            return flipped(dice, b"".join(pdus))
        case 1:
            return b"".join(pdus)[: dice.randrange(1, len(b"".join(pdus)))]
        case 2:
            dice.shuffle(pdus)
        case 3:
            victim = dice.randrange(len(pdus))
            pdus[victim] = with_length(dice, pdus[victim])
        case 4:
            pdus = pdus[: dice.randrange(1, len(pdus))] + dice.choice(good)[dice.randrange(2) :]
        case 5:
            pdus.insert(dice.randrange(len(pdus)), dice.randbytes(dice.randrange(1, 200)))
        case 6:
            victim = dice.randrange(1, len(pdus))
            pdus[victim] = flipped(dice, pdus[victim])
        case 7:
            return dice.randbytes(dice.randrange(1, 300))
    return b"".join(pdus)


def flipped(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 8)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def with_length(dice: random.Random, pdu: bytes) -> bytes:
    """Lie about a length: the PDU's, an item's or a fragment's."""
    at = dice.choice((2, 6, dice.randrange(len(pdu) - 3)))
    lie = dice.choice((0, 1, 2**31, 2**32 - 1, len(pdu), dice.randrange(2**17), dice.getrandbits(32)))
    return pdu[:at] + lie.to_bytes(4, "big") + pdu[at + 4 :]


def converse(port: int, number: int, streams: list[bytes]) -> Counter[str]:
    """Say all of these at once, each on a connection of its own, and hear each to its end."""
    callers = [socket.create_connection(("127.0.0.1", port), 10, (f"127.0.0.{2 + number % 200}", 0)) for _ in streams]
    for caller, stream in zip(callers, streams, strict=True):
        caller.sendall(stream)
        caller.shutdown(socket.SHUT_WR)
    return Counter(_ended(caller) for caller in callers)


def _ended(caller: socket.socket) -> str:
    """Hear whole PDUs until the other end hangs up; say what the last was."""
    with caller:
        heard = b"".join(iter(lambda: caller.recv(65_536), b""))
    last = "nothing"
    while heard:
        kind, length = HEAD.unpack_from(heard)
        last, heard = Kind(kind).name, heard[HEAD.size + length :]
    return last


def resident(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/statm").read_text().split()
    return int(status[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int | None) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


class GoodPeer(threading.Thread):
    """Stores the same images again and again, until it is told to end."""

    def __init__(self, port: int, files: list[Path]) -> None:
        super().__init__(daemon=True)
        self.peer = Peer("127.0.0.1", port, CALLED, CALLER)
        self.files = files
        self.answers: Counter[int | None] = Counter()
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            for sent in send_files(self.peer, self.files):
                self._note(sent)

    def _note(self, sent: Sent) -> None:
        self.answers[sent.status] += 1
        self.ending.wait(0.02)


def test_a_hundred_thousand_broken_conversations_end_and_harm_nobody(tmp_path: Path) -> None:
    dice, good, spool = random.Random(2026), captures(), Spool(tmp_path / "spool")
    files = make_slices(tmp_path / "ct", slices=20)
    with Receiver(spool, CALLED, "127.0.0.1", free_port(), (CALLER,), limits=Limits(associations=64)) as receiver:
        neighbour = GoodPeer(receiver.port, files)
        neighbour.start()
        ends: Counter[str] = Counter()
        rounds = CONVERSATIONS // AT_ONCE
        for number in range(rounds):
            ends += converse(receiver.port, number, [mutated(dice, good) for _ in range(AT_ONCE)])
            if number == rounds // 10:
                warm, open_then = resident(receiver.pid), descriptors(receiver.pid)
        neighbour.ending.set()
        neighbour.join()
        figures = receiver.figures()

        assert ends.total() == rounds * AT_ONCE
        assert set(ends) == {"ABORT", "REJECT", "RELEASED", "ACCEPT", "DATA", "nothing"}
        assert (figures["aborted.fault"], figures["restarts"]) == (0, 0)
        assert resident(receiver.pid) < warm + GROWTH
        assert descriptors(receiver.pid) < open_then + AT_ONCE
        assert list((spool.root / "receiving").iterdir()) == []
        assert set(neighbour.answers) == {0}
        assert neighbour.answers.total() > 100
        study = str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
        assert spool.count(study) == len(files)
