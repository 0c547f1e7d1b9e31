"""A server in this process, and callers that say exactly what a test has them say."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import CTImageStorage

from trust_node.imaging.receiver.admission import VERIFICATION, Door
from trust_node.imaging.receiver.counters import Counters
from trust_node.imaging.receiver.dimse import STORE, Command
from trust_node.imaging.receiver.fragments import COMMAND, data_pdus
from trust_node.imaging.receiver.header import IMPLICIT
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.pdu import HEAD, Abort, Accept, Kind, Proposed, Reject, Request, User
from trust_node.imaging.receiver.server import Server
from trust_node.imaging.receiver.uids import taken
from trust_node.imaging.spool import Spool

CT = str(CTImageStorage)
EXPLICIT = "1.2.840.10008.1.2.1"
CONTEXTS = (Proposed(1, CT, (IMPLICIT,)), Proposed(3, CT, (EXPLICIT,)), Proposed(5, VERIFICATION, (IMPLICIT,)))
CALLER, CALLED = "PACS", "NODE"


def request(calling: str = CALLER, called: str = CALLED, contexts: tuple[Proposed, ...] = CONTEXTS) -> Request:
    return Request(called, calling, contexts, User(16_384))


def image(number: int = 1, study: str = "1.2.3", pixels: int = 5000) -> bytes:
    """A data set in implicit VR; its instance UID ends in the number."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, f"1.2.3.{number}"
    dataset.PatientName = "Canaryson^Jane"
    if study:
        dataset.StudyInstanceUID = study
    dataset.PixelData = bytes(range(250)) * (pixels // 250)
    dataset["PixelData"].VR = "OW"
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def store(number: int = 1, sop_class: str = CT) -> Command:
    return Command(STORE, number, sop_class, f"1.2.3.{number}", has_data=True)


@dataclass
class Caller:
    """The other end; `hear` returns one PDU, or None when we were hung up on."""

    connection: socket.socket

    def say(self, *data: bytes) -> "Caller":
        self.connection.sendall(b"".join(data))
        return self

    def command(self, command: Command, context: int = 1) -> "Caller":
        return self.say(*data_pdus(context, COMMAND, command.encode(), 16_384))

    def data(self, data: bytes, context: int = 1, longest: int = 16_384) -> "Caller":
        return self.say(*data_pdus(context, 0, data, longest))

    def hear(self) -> Accept | Reject | Abort | Command | Kind | None:
        head = self._exactly(HEAD.size)
        if not head:
            return None
        kind, length = HEAD.unpack(head)
        body = self._exactly(length)
        match kind:
            case Kind.ACCEPT:
                return Accept.decode(body)
            case Kind.REJECT:
                return Reject.decode(body)
            case Kind.ABORT:
                return Abort.decode(body)
            case Kind.DATA:
                return Command.decode(body[6:])
        return Kind(kind)

    def status(self) -> int:
        answer = self.hear()
        assert isinstance(answer, Command), answer
        return answer.status

    def send(self, number: int = 1, data: bytes | None = None) -> int:
        """Store one image, and return the status."""
        return self.command(store(number)).data(image(number) if data is None else data).status()

    def _exactly(self, size: int) -> bytes:
        got = BytesIO()
        while got.tell() < size and (piece := self.connection.recv(size - got.tell())):
            got.write(piece)
        assert got.tell() in {0, size}
        return got.getvalue()


@dataclass
class Place:
    """A server that listens, and whoever calls it."""

    port: int
    spool: Spool
    counters: Counters
    stop: Callable[[], None]
    stack: ExitStack

    def caller(self, host: str = "127.0.0.1") -> Caller:
        source = (host, 0)
        return Caller(self.stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 20, source)))

    def associated(self) -> Caller:
        caller = self.caller().say(request().encode())
        assert isinstance(caller.hear(), Accept)
        return caller

    def count(self, name: str) -> int:
        return self.counters.figures()[name]

    def files(self) -> list[Path]:
        return [path for path in self.spool.root.rglob("*") if path.is_file()]


Listening = Callable[..., Place]


@contextmanager
def _listening(folder: Path, limits: Limits, networks: tuple[str, ...], unknown: bool) -> Iterator[Place]:
    counters, spool = Counters.made(), Spool(folder)
    spool.sweep()
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ended, end = os.pipe()
        stack.callback(os.close, ended)
        door = Door(CALLED, (CALLER,), networks, taken(unknown=unknown), limits.pdu)
        thread = threading.Thread(target=Server(listener, door, limits, spool, counters).serve, args=(ended,))
        thread.start()

        @cache
        def stop() -> None:
            os.close(end)
            thread.join(10)

        stack.callback(stop)
        yield Place(listener.getsockname()[1], spool, counters, stop, stack)
        assert counters.figures()["aborted.fault"] == 0
    assert not thread.is_alive()


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    """Make a server with these limits; no fault of ours may have been counted at its end."""
    with ExitStack() as stack:

        def make(networks: tuple[str, ...] = ("127.0.0.0/8",), *, unknown: bool = False, **limits: float) -> Place:
            chosen = Limits(**{"free": 0, **limits})
            return stack.enter_context(_listening(tmp_path / "spool", chosen, networks, unknown))

        yield make


@pytest.fixture
def place(listening: Listening) -> Place:
    return listening()
