"""A prompt C-STORE SCU: files go out as they lie on disk, nothing is decoded (PS3.4 B, PS3.7 9.1.1)."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.receiver import dimse
from trust_node.imaging.receiver.admission import VERIFICATION
from trust_node.imaging.receiver.counters import Count
from trust_node.imaging.receiver.dimse import Command
from trust_node.imaging.receiver.errors import UNEXPECTED, Broken, Left
from trust_node.imaging.receiver.fragments import COMMAND, data_pdus
from trust_node.imaging.receiver.header import IMPLICIT, identify
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.messages import read_command
from trust_node.imaging.receiver.meta import mapped, read_file_head
from trust_node.imaging.receiver.pdu import RELEASE, Accept, Kind, Proposed, Reject, Request, User
from trust_node.imaging.receiver.wire import Wire

MOST_CONTEXTS = 128
_LONGEST_PDU = 128 * 1024
_LONGEST_COMMAND = 16 * 1024
_LAST_ID = 2**16 - 1


class SendingError(Exception):
    """The peer refuses the association, or breaks it off; what was answered before stays so."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How a file was answered (PS3.4 B.2.3); None where the peer takes no objects of its kind."""

    path: Path
    status: int | None

    @property
    def is_stored(self) -> bool:
        """True if the peer has it, even if with a warning."""
        return self.status is not None and (self.status == dimse.SUCCESS or self.status >> 12 == 0xB)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    start: int

    @property
    def kind(self) -> tuple[str, str]:
        return self.sop_class, self.transfer_syntax


def send_files(peer: Peer, files: Iterable[Path]) -> Iterator[Sent]:
    """Send files in their order, and yield how each was answered; one association as long as 128 kinds are enough.

    Raises
    ------
    SendingError
        If the peer refuses the association or breaks it off.
    MalformedError
        If a file is no DICOM file, or lacks what a C-STORE must name; none of its association is sent.
    """
    for batch in _batches(map(_described, files)):
        yield from _send(peer, batch)


def echo(peer: Peer) -> None:
    """Ask the peer whether it is there (C-ECHO, PS3.7 9.1.5); raise SendingError if it is not, for us."""
    with _association(peer, [(VERIFICATION, IMPLICIT)]) as association:
        if association.echo() != dimse.SUCCESS:
            raise SendingError(f"{peer.title} does not answer C-ECHO")


def _batches(files: Iterable[_File]) -> Iterator[list[_File]]:
    batch: list[_File] = []
    kinds: set[tuple[str, str]] = set()
    for file in files:
        if len(kinds | {file.kind}) > MOST_CONTEXTS:
            yield batch
            batch, kinds = [], set()
        batch.append(file)
        kinds.add(file.kind)
    if batch:
        yield batch


def _described(path: Path) -> _File:
    with path.open("rb") as file:
        data = mapped(file.fileno())
    head = read_file_head(data)
    who = identify(data[head.start :], head.transfer_syntax)
    sop_class, sop_instance = who.sop_class or head.sop_class, who.sop_instance or head.sop_instance
    if not (sop_class and sop_instance):
        raise MalformedError("a file without a SOP class or instance UID cannot be sent")
    return _File(path, sop_class, sop_instance, head.transfer_syntax, head.start)


def _send(peer: Peer, batch: list[_File]) -> Iterator[Sent]:
    with _association(peer, list(dict.fromkeys(file.kind for file in batch))) as association:
        for file in batch:
            yield Sent(file.path, association.store(file))


@contextmanager
def _association(peer: Peer, kinds: list[tuple[str, str]]) -> Iterator["_Association"]:
    try:
        with socket.create_connection((peer.host, peer.port), peer.timeout_s) as connection:
            connection.settimeout(None)
            limits = Limits(negotiation_s=peer.timeout_s, idle_s=peer.timeout_s)
            association = _Association(Wire(connection, limits))
            association.begin(peer, kinds)
            yield association
            association.end()
    except (OSError, Left, Broken, MalformedError) as gone:
        raise SendingError(f"{peer.title} at {peer.host}:{peer.port} broke off: {type(gone).__name__} {gone}") from gone


@dataclass(slots=True)
class _Association:
    wire: Wire
    contexts: dict[tuple[str, str], int] = field(default_factory=dict)
    longest: int = 0
    messages: int = 0

    def begin(self, peer: Peer, kinds: list[tuple[str, str]]) -> None:
        proposed = tuple(
            Proposed(2 * place + 1, sop_class, (syntax,)) for place, (sop_class, syntax) in enumerate(kinds)
        )
        asked = Request(peer.title, peer.our_title, proposed, User(_LONGEST_PDU))
        self.wire.send(asked.encode())
        kind, body = self.wire.expect(Kind.ACCEPT, Kind.REJECT)
        if kind == Kind.REJECT:
            raise SendingError(f"{peer.title} refuses the association of {peer.our_title}: {Reject.decode(body)}")
        self._agree(asked, Accept.decode(body))

    def store(self, file: _File) -> int | None:
        context = self.contexts.get(file.kind)
        if context is None:
            return None
        with file.path.open("rb") as opened:
            data = mapped(opened.fileno())[file.start :]
        command = self._command(dimse.STORE, file.sop_class, file.sop_instance, has_data=True)
        return self._ask(context, command, data)

    def echo(self) -> int | None:
        context = next(iter(self.contexts.values()), None)
        return context and self._ask(context, self._command(dimse.ECHO, VERIFICATION), b"")

    def end(self) -> None:
        self.wire.send(RELEASE)
        self.wire.expect(Kind.RELEASED)

    def _agree(self, asked: Request, answer: Accept) -> None:
        taken = {context.id for context in answer.contexts if context.result == 0}
        self.contexts = {
            (context.abstract_syntax, context.transfer_syntaxes[0]): context.id
            for context in asked.contexts
            if context.id in taken
        }
        self.longest = min(answer.user.max_length or _LONGEST_PDU, _LONGEST_PDU)
        self.wire.go_on()

    def _command(self, kind: int, sop_class: str, sop_instance: str = "", *, has_data: bool = False) -> Command:
        self.messages = self.messages % _LAST_ID + 1
        return Command(kind, self.messages, sop_class, sop_instance, has_data=has_data)

    def _ask(self, context: int, command: Command, data: bytes | memoryview) -> int:
        """Send both in one write, and wait for the answer."""
        pieces = chain(
            data_pdus(context, COMMAND, command.encode(), self.longest), data_pdus(context, 0, data, self.longest)
        )
        self.wire.send(*pieces)
        first = self.wire.fragment()
        if first is None:
            raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
        answer = read_command(self.wire, first, _LONGEST_COMMAND)
        if (answer.kind, answer.message_id) != (command.kind | dimse.RESPONSE, command.message_id):
            raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
        return answer.status
