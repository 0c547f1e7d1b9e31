"""One object on its way from an association into the spool, and what is answered (PS3.4 B.2.3)."""

import logging
from contextlib import suppress
from dataclasses import dataclass, field

from trust_node.imaging.receiver import dimse
from trust_node.imaging.receiver.counters import Count, Counters
from trust_node.imaging.receiver.dimse import Command
from trust_node.imaging.receiver.errors import UNSPECIFIED, Broken
from trust_node.imaging.receiver.header import Identity, identify
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.meta import file_head, mapped
from trust_node.imaging.receiver.notices import Notices
from trust_node.imaging.spool import Part, Spool

notices = Notices(logging.getLogger(__name__))

_FAILURES = {
    dimse.NO_ROOM: Count.FAILED_NO_ROOM,
    dimse.NOT_UNDERSTOOD: Count.FAILED_UNREADABLE,
    dimse.MISMATCH: Count.FAILED_MISMATCH,
    dimse.NOT_AUTHORISED_CLASS: Count.FAILED_CLASS,
}


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context that was agreed on."""

    id: int
    abstract_syntax: str
    transfer_syntax: str


@dataclass(slots=True)
class Storing:
    """Bytes are written as they come. Once something is wrong the rest is read and forgotten, and `end` says what."""

    spool: Spool
    limits: Limits
    counters: Counters
    context: Context
    command: Command
    status: int = dimse.SUCCESS
    size: int = 0
    _head: int = 0
    _who: Identity | None = None
    _part: Part | None = field(default=None, repr=False)

    def begin(self) -> None:
        if self.command.sop_class != self.context.abstract_syntax:
            self.status = dimse.NOT_AUTHORISED_CLASS
        elif not self.command.sop_instance:
            self.status = dimse.NOT_UNDERSTOOD
        else:
            self._open()

    def add(self, data: memoryview | bytes) -> None:
        """Take a piece of the data set; raise Broken if it has become too large."""
        self.size += len(data)
        if self.size > self.limits.object:
            raise Broken(UNSPECIFIED, Count.ABORTED_LIMIT)
        if self.status == dimse.SUCCESS and self._part:
            try:
                self._part.write(data)
            except OSError as full:
                self._no_room(full)
            if self.size == len(data):
                self._look_ahead(data)

    def end(self) -> int:
        """Let the object be seen if it is what it was said to be; return the status to answer."""
        if self.status == dimse.SUCCESS and self._part:
            self._keep(self._part)
        if self.status == dimse.SUCCESS:
            self.counters.add(Count.OBJECTS)
            self.counters.add(Count.BYTES, self.size)
        else:
            self.drop()
            self.counters.add(_FAILURES[self.status])
        return self.status

    def drop(self) -> None:
        """Leave nothing behind but what was kept."""
        if self._part:
            self._part.drop()

    def _open(self) -> None:
        head = file_head(self.command.sop_class, self.command.sop_instance, self.context.transfer_syntax)
        self._head = len(head)
        try:
            if self.spool.free_bytes() < self.limits.free:
                self.status = dimse.NO_ROOM
                return
            self._part = self.spool.begin()
            self._part.write(head)
        except OSError as full:
            self._no_room(full)

    def _look_ahead(self, first: memoryview | bytes) -> None:
        """Mostly all that is asked is in the first piece, and the rest is still on its way meanwhile."""
        with suppress(MalformedError):
            who = identify(first, self.context.transfer_syntax)
            self._who = who if who.study else None  # it may be in the next piece

    def _keep(self, part: Part) -> None:
        try:
            who = self._who or identify(mapped(part.descriptor)[self._head :], self.context.transfer_syntax)
            self.status = self._judge(who)
            if self.status == dimse.SUCCESS:
                part.keep(who.study, who.sop_instance)
        except MalformedError:
            self.status = dimse.NOT_UNDERSTOOD
        except OSError as full:
            self._no_room(full)

    def _judge(self, who: Identity) -> int:
        if not (who.study and who.sop_instance):
            return dimse.NOT_UNDERSTOOD
        same = (who.sop_class, who.sop_instance) == (self.command.sop_class, self.command.sop_instance)
        return dimse.SUCCESS if same else dimse.MISMATCH

    def _no_room(self, full: OSError) -> None:
        notices.warn("spool: cannot write, errno %s; free space under the spool folder", full.errno)
        self.status = dimse.NO_ROOM
        self.drop()
