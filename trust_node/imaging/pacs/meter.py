"""Counts what a peer sends and bounds what of it waits in memory: lengths in a PDU are the peer's word."""

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pynetdicom import evt

LARGEST_PDU = 131_072  # a fifth faster than the usual 16 KiB; larger gains nothing
ANSWER_BYTES = 64 * 2**20


@dataclass(slots=True)
class Meter:
    """`total` bytes came so far; at most `most` may wait for whoever calls `handled` after each message."""

    most: int = ANSWER_BYTES
    total: int = 0
    waiting: int = 0
    exceeded: bool = False
    _line: socket.socket | None = field(default=None, repr=False)

    def count(self, size: int) -> None:
        """Count bytes that are about to be read.

        Raises
        ------
        ConnectionAbortedError
            If they are more than a PDU may have, or too many wait: the connection then ends.
        """
        self.total += size
        self.waiting += size
        if self.waiting > self.most or size > LARGEST_PDU:
            self.exceeded = True
            raise ConnectionAbortedError("the peer sends more than was agreed")

    def handled(self) -> None:
        self.waiting = 0

    def watch(self, event: evt.Event) -> None:
        """Count what this association reads; to be bound to the opening of its connection."""
        transport = event.assoc.dul.socket
        if transport is None or transport.socket is None:
            return
        self._line = transport.socket
        receive: Any = transport.recv

        def receive_counted(nr_bytes: int) -> bytearray:
            self.count(nr_bytes)
            received: bytearray = receive(nr_bytes)
            return received

        transport.recv = receive_counted  # type: ignore[method-assign]  # no hook does this

    def cut(self) -> None:
        """End the connection: a thread of pynetdicom that waits for the rest of a PDU waits for ever."""
        with suppress(OSError):
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)
