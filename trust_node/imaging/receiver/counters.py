"""What the receiver counts, in memory that its process and the node share."""

import mmap
import os
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

_NUMBER = 8


class Count(StrEnum):
    """`open` goes up and down, all others only up. Refused and aborted are associations, failed are objects."""

    OBJECTS = "objects"
    BYTES = "bytes"
    ASSOCIATIONS = "associations"
    OPEN = "open"
    RESTARTS = "restarts"
    REFUSED_ADDRESS = "refused.address"
    REFUSED_BUSY = "refused.busy"
    REFUSED_CALLING_TITLE = "refused.calling_title"
    REFUSED_CALLED_TITLE = "refused.called_title"
    REFUSED_PROTOCOL = "refused.protocol"
    ABORTED_MALFORMED = "aborted.malformed"
    ABORTED_UNEXPECTED = "aborted.unexpected"
    ABORTED_LIMIT = "aborted.limit"
    ABORTED_IDLE = "aborted.idle"
    ABORTED_TOO_LONG = "aborted.too_long"
    ABORTED_STOPPED = "aborted.stopped"
    ABORTED_FAULT = "aborted.fault"
    ABORTED_BY_PEER = "aborted.by_peer"
    ABORTED_LOST = "aborted.lost"
    FAILED_NO_ROOM = "failed.no_room"
    FAILED_UNREADABLE = "failed.unreadable"
    FAILED_MISMATCH = "failed.mismatch"
    FAILED_CLASS = "failed.class"


_PLACES = {count: place for place, count in enumerate(Count)}


@dataclass(frozen=True, slots=True)
class Counters:
    """Written by the threads of one process, read by any that has the descriptor."""

    descriptor: int
    _numbers: memoryview = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def made(cls) -> Self:
        descriptor = os.memfd_create("receiver-counters")
        os.ftruncate(descriptor, len(Count) * _NUMBER)
        return cls.at(descriptor)

    @classmethod
    def at(cls, descriptor: int) -> Self:
        """Open counters that another process made."""
        shared = mmap.mmap(descriptor, len(Count) * _NUMBER)
        return cls(descriptor, memoryview(shared).cast("Q"))

    def add(self, count: Count, amount: int = 1) -> None:
        with self._lock:
            self._numbers[_PLACES[count]] += amount

    def begin_anew(self) -> None:
        """Whoever was open in a process that died is not any more."""
        self._numbers[_PLACES[Count.OPEN]] = 0

    def figures(self) -> dict[str, int]:
        """Return every count by its name."""
        return {str(count): self._numbers[place] for count, place in _PLACES.items()}
