"""One association, from its request to its end, as the one who is called (PS3.8 9.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trust_node.imaging.receiver import dimse
from trust_node.imaging.receiver.admission import Door
from trust_node.imaging.receiver.counters import Count, Counters
from trust_node.imaging.receiver.dimse import Command
from trust_node.imaging.receiver.errors import BY_USER, INVALID, UNEXPECTED, UNSPECIFIED, Broken
from trust_node.imaging.receiver.fragments import COMMAND, Fragment, data_pdus
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.messages import read_command, read_data_set
from trust_node.imaging.receiver.pdu import RELEASED, Accept, Kind, Request
from trust_node.imaging.receiver.storing import Context, Storing
from trust_node.imaging.receiver.wire import Wire
from trust_node.imaging.spool import Spool

_NO_LIMIT = 2**16


@dataclass(slots=True)
class Association:
    """Serves C-STORE and C-ECHO until the peer releases; every other end is a Broken or Left."""

    wire: Wire
    door: Door
    limits: Limits
    spool: Spool
    counters: Counters
    _contexts: dict[int, Context] = field(default_factory=dict)
    _longest_answer: int = 0
    _objects: int = 0

    def serve(self) -> None:
        asked = self._request()
        answer = self.door.answer(asked)
        self._agree(asked, answer)
        self.wire.send(answer.encode())
        self.wire.go_on()
        self.counters.add(Count.ASSOCIATIONS)
        while fragment := self.wire.fragment():
            self._message(fragment)
        self.wire.send(RELEASED)

    def _request(self) -> Request:
        _, body = self.wire.expect(Kind.REQUEST)
        try:
            return Request.decode(body)
        except MalformedError as wrong:
            raise Broken(INVALID, Count.ABORTED_MALFORMED) from wrong

    def _agree(self, asked: Request, answer: Accept) -> None:
        agreed = [(context, made) for context, made in zip(asked.contexts, answer.contexts, strict=True)]
        self._contexts = {
            made.id: Context(made.id, context.abstract_syntax, made.transfer_syntax)
            for context, made in agreed
            if made.result == 0
        }
        self._longest_answer = min(asked.user.max_length or _NO_LIMIT, _NO_LIMIT)

    def _message(self, first: Fragment) -> None:
        context = self._contexts.get(first.context)
        if context is None:
            raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
        command = read_command(self.wire, first, self.limits.command)
        if command.kind == dimse.STORE:
            self._store(context, command)
        elif command.kind == dimse.ECHO:
            self._forget(context, command)
            self._answer(context, command, dimse.SUCCESS)
        elif command.kind & dimse.RESPONSE:
            raise Broken(BY_USER, Count.ABORTED_UNEXPECTED)
        elif command.kind != dimse.CANCEL:  # nothing is ever under way that could be cancelled
            self._forget(context, command)
            self._answer(context, command, dimse.UNRECOGNISED)

    def _store(self, context: Context, command: Command) -> None:
        self._objects += 1
        if self._objects > self.limits.objects:
            raise Broken(UNSPECIFIED, Count.ABORTED_LIMIT)
        storing = Storing(self.spool, self.limits, self.counters, context, command)
        try:
            storing.begin()
            for data in self._data_set(context, command):
                storing.add(data)
            self._answer(context, command, storing.end())
        finally:
            storing.drop()

    def _forget(self, context: Context, command: Command) -> None:
        size = 0
        for data in self._data_set(context, command):
            size += len(data)
            if size > self.limits.object:
                raise Broken(UNSPECIFIED, Count.ABORTED_LIMIT)

    def _data_set(self, context: Context, command: Command) -> Iterator[bytes | memoryview]:
        return read_data_set(self.wire, context.id) if command.has_data else iter(())

    def _answer(self, context: Context, command: Command, status: int) -> None:
        message = command.answer(status).encode()
        self.wire.send(b"".join(data_pdus(context.id, COMMAND, message, self._longest_answer)))
