"""A record that was read once, and what may be said of it without handling it."""

from dataclasses import dataclass

from bus.decode import Decoded, Record, Unreadable, is_command, topic_of
from bus.decode import read as decode
from bus.router import Handler, Router
from schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Taken:
    record: Record
    read: Decoded | Unreadable
    handler: Handler | None

    @property
    def id(self) -> str | None:
        """Of a message that somebody here handles."""
        return self.read.envelope.id if self.handler and isinstance(self.read, Decoded) else None

    @property
    def envelope(self) -> Envelope:
        if self.read.envelope is None:
            raise TypeError("what has no envelope reaches no handler")
        return self.read.envelope

    @property
    def concerns_nobody(self) -> bool:
        return self.handler is None and isinstance(self.read, Decoded)

    @property
    def place(self) -> tuple[str, int, int]:
        return (self.record.topic, self.record.partition, self.record.offset)

    @property
    def is_command(self) -> bool:
        envelope = self.read.envelope
        return envelope is not None and is_command(envelope, topic_of(self.record))

    @property
    def type(self) -> str:
        return self.read.envelope.type if isinstance(self.read, Decoded) else "unreadable"

    @property
    def is_a_speakers_fault(self) -> bool:
        """Rubbish from outside must not stop us; rubbish from our own, or a bug, must."""
        topic = topic_of(self.record)
        return isinstance(self.read, Unreadable) and topic.endswith(".commands") and not topic.startswith("trust.")


def take(record: Record, router: Router) -> Taken:
    read = decode(record)
    return Taken(record, read, router.handler(read.envelope.type) if read.envelope else None)
