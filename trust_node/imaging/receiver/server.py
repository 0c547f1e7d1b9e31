"""Listens, and gives each peer that may come a thread of its own."""

import logging
import select
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from trust_node.imaging.receiver.admission import Door, busy
from trust_node.imaging.receiver.association import Association
from trust_node.imaging.receiver.counters import Count, Counters
from trust_node.imaging.receiver.errors import UNSPECIFIED, Broken, Left
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.notices import Notices
from trust_node.imaging.receiver.pdu import Kind
from trust_node.imaging.receiver.wire import Wire
from trust_node.imaging.spool import Spool

log = logging.getLogger(__name__)

_END_WITHIN_S = 3.0


@dataclass(slots=True)
class Server:
    """`serve` in one thread; it returns, all associations ended, when `stop` (a file descriptor) is at its end."""

    listener: socket.socket
    door: Door
    limits: Limits
    spool: Spool
    counters: Counters
    notices: Notices = field(default_factory=lambda: Notices(log))
    _open: dict[socket.socket, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: bool = False

    def serve(self, stop: int) -> None:
        self.listener.setblocking(False)
        while not self._stopping:
            ready, _, _ = select.select([self.listener.fileno(), stop], [], [])
            self._stopping = stop in ready
            if not self._stopping:
                self._take()
        self._end_all()

    def _take(self) -> None:
        try:
            connection, (address, *_) = self.listener.accept()
        except BlockingIOError:
            return
        except OSError as broken:
            self.notices.warn("cannot take a connection: errno %s", broken.errno)
            time.sleep(0.1)  # the reason, mostly too many open files, passes; a busy loop would not help it
            return
        if not self.door.is_neighbour(address):
            self.counters.add(Count.REFUSED_ADDRESS)
            self.notices.warn("refused a connection from %s: not in the networks that may call", address)
            connection.close()
            return
        self._enter(connection, address)

    def _enter(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(True)
        with self._lock:
            self._open[connection] = address
            here = Counter(self._open.values())
        is_full = here.total() > self.limits.associations or here[address] > self.limits.associations_each
        if here.total() > 2 * self.limits.associations:  # too many even to be told so
            self.counters.add(Count.REFUSED_BUSY)
            self._leave(connection)
            return
        threading.Thread(target=self._serve, args=(connection, address, is_full), daemon=True).start()

    def _serve(self, connection: socket.socket, address: str, is_full: bool) -> None:
        self.counters.add(Count.OPEN)
        try:
            wire = Wire(connection, self.limits)
            self._converse(wire, address, is_full)
            wire.part()
        except Exception as fault:  # noqa: BLE001  one peer's bytes must not end the others
            self.counters.add(Count.ABORTED_FAULT)
            log.error("an association ended by a fault of ours: %s", type(fault).__name__)  # noqa: TRY400  may quote data
        finally:
            self.counters.add(Count.OPEN, -1)
            self._leave(connection)

    def _converse(self, wire: Wire, address: str, is_full: bool) -> None:
        try:
            if is_full:
                wire.expect(Kind.REQUEST)
                raise busy()
            Association(wire, self.door, self.limits, self.spool, self.counters).serve()
        except Broken as broken:
            self._count(broken.count, address)
            with suppress(Left):
                wire.send(broken.answer.encode())
        except Left as left:
            self._count(Count.ABORTED_STOPPED if self._stopping else left.count, address)
            if self._stopping:
                with suppress(Left):
                    wire.send(UNSPECIFIED.encode())

    def _count(self, count: Count, address: str) -> None:
        self.counters.add(count)
        self.notices.warn("association of %s: %s", address, count.value)

    def _leave(self, connection: socket.socket) -> None:
        connection.close()
        with self._lock:
            self._open.pop(connection, None)

    def _end_all(self) -> None:
        """Have every thread find its peer gone, and wait until they have said so."""
        give_up = time.monotonic() + _END_WITHIN_S
        while self._open and time.monotonic() < give_up:
            with self._lock:
                for connection in self._open:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)
            time.sleep(0.01)
