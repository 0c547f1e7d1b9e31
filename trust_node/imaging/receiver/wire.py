"""The byte path: one buffer, prompt acknowledgements, PDUs in and out (PS3.8 9)."""

import socket
import struct
import time
from contextlib import suppress

from trust_node.imaging.receiver.counters import Count
from trust_node.imaging.receiver.errors import INVALID, NOT_KNOWN, UNEXPECTED, UNSPECIFIED, Broken, Left
from trust_node.imaging.receiver.fragments import COMMAND, LAST, PDV_HEAD, Fragment
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.pdu import HEAD, Kind

_KINDS = frozenset(Kind)
_LONG_KINDS = frozenset((Kind.REQUEST, Kind.ACCEPT, Kind.DATA))
_FOUR = 4
_MOST_PIECES = 1024  # the kernel's own limit
_FAREWELL = 2**20


class Wire:
    """One connection. Views that it gives are windows into its buffer, and are gone with the next read."""

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._buffer = memoryview(bytearray(2 * (max(limits.pdu, limits.request) + HEAD.size)))
        self._start = self._end = 0
        self._rest = self._buffer[:0]
        self._left = limits.association
        self._until = 0.0
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._patience(limits.negotiation_s, limits.negotiation_s)

    def expect(self, *kinds: Kind) -> tuple[int, bytes]:
        """Wait for a PDU of one of these kinds, and return its kind and body.

        Raises
        ------
        Broken
            If the peer says anything else, or too slowly.
        """
        kind, body = self._pdu(self._limits.request)
        if kind not in kinds:
            raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
        return kind, bytes(body)

    def go_on(self) -> None:
        """The association is made: there is more time from now on."""
        self._patience(self._limits.idle_s, self._limits.total_s)

    def fragment(self) -> Fragment | None:
        """Wait for a piece of a message; None when the peer asks for release instead."""
        while not self._rest:
            kind, body = self._pdu(self._limits.pdu)
            if kind == Kind.RELEASE:
                return None
            if kind != Kind.DATA:
                raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
            self._rest = body
        if len(self._rest) < PDV_HEAD.size:
            raise Broken(INVALID, Count.ABORTED_MALFORMED)
        length, context, flags = PDV_HEAD.unpack_from(self._rest)
        end = length + _FOUR
        if not PDV_HEAD.size <= end <= len(self._rest):
            raise Broken(INVALID, Count.ABORTED_MALFORMED)
        data, self._rest = self._rest[PDV_HEAD.size : end], self._rest[end:]
        return Fragment(context, bool(flags & COMMAND), bool(flags & LAST), data)

    def send(self, *pieces: bytes | memoryview) -> None:
        """Send all of them, together."""
        unsent = list(pieces)
        try:
            while unsent:
                unsent = _after(unsent, self._connection.sendmsg(unsent[:_MOST_PIECES]))
        except OSError as gone:
            raise Left(Count.ABORTED_LOST) from gone

    def part(self) -> None:
        """Close once the peer has, or has had its time (PS3.8 9.2, state 13): what we said last must reach it.

        A socket closed with bytes unread is reset by the kernel, and the peer loses what it has not read.
        """
        with suppress(OSError, Broken, Left), self._connection:
            self._connection.shutdown(socket.SHUT_WR)
            self._patience(self._limits.negotiation_s, self._limits.negotiation_s)
            self._left = _FAREWELL
            while True:
                self._start = self._end = 0
                self._fill()

    def _pdu(self, longest: int) -> tuple[int, memoryview]:
        kind, length = HEAD.unpack(self._window(HEAD.size))
        if kind not in _KINDS:
            raise Broken(NOT_KNOWN, Count.ABORTED_UNEXPECTED)
        if length > (longest if kind in _LONG_KINDS else _FOUR):
            raise Broken(INVALID, Count.ABORTED_LIMIT)
        body = self._window(length)
        if kind == Kind.ABORT:
            raise Left(Count.ABORTED_BY_PEER)
        if kind == Kind.DATA and not length:
            raise Broken(INVALID, Count.ABORTED_MALFORMED)
        return kind, body

    def _window(self, size: int) -> memoryview:
        if self._start + size > len(self._buffer):
            unread = self._end - self._start
            self._buffer[:unread] = self._buffer[self._start : self._end]
            self._start, self._end = 0, unread
        while self._end - self._start < size:
            self._fill()
        start = self._start
        self._start += size
        return self._buffer[start : self._start]

    def _fill(self) -> None:
        if self._start == self._end:
            self._start = self._end = 0
        try:
            got = self._connection.recv_into(self._buffer[self._end :])
            # Linux forgets this after every read, and a peer with Nagle on waits 40 ms for each delayed ACK.
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except BlockingIOError as late:
            raise Broken(UNSPECIFIED, Count.ABORTED_IDLE) from late
        except OSError as gone:
            raise Left(Count.ABORTED_LOST) from gone
        self._end += got
        self._left -= got
        if not got:
            raise Left(Count.ABORTED_LOST)
        self._check()

    def _check(self) -> None:
        if self._left < 0:
            raise Broken(UNSPECIFIED, Count.ABORTED_LIMIT)
        if time.monotonic() > self._until:
            raise Broken(UNSPECIFIED, Count.ABORTED_TOO_LONG)

    def _patience(self, idle_s: float, total_s: float) -> None:
        """Let the kernel keep the time of each read and write: a Python time-out costs a poll before every one."""
        whole = int(idle_s)
        span = struct.pack("ll", whole, int((idle_s - whole) * 1e6))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._connection.setsockopt(socket.SOL_SOCKET, option, span)
        self._until = time.monotonic() + total_s


def _after(pieces: list[bytes | memoryview], sent: int) -> list[bytes | memoryview]:
    """Return what is left of them when so many bytes are gone."""
    for number, piece in enumerate(pieces):
        if sent < len(piece):
            return [memoryview(piece)[sent:], *pieces[number + 1 :]]
        sent -= len(piece)
    return []
