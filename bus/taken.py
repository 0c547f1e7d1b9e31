"""A record that was read once, and what may be said of it without handling it."""

import logging
from dataclasses import dataclass
from datetime import datetime

from bus.decode import Decoded, MissingKeys, Record, Unreadable, is_command, proven, topic_of
from bus.decode import read as decode
from bus.proof.audit import Entry, digest
from bus.proof.signing import TrustKeys
from bus.router import Handler, Router
from schemas.envelope import Envelope
from schemas.message import Command
from schemas.topics import speaking_trust

log = logging.getLogger(__name__)


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
    def asked(self) -> str | None:
        """What a command asks, as a digest, however its JSON is spelled: one id is one command."""
        if not isinstance(self.read, Decoded) or not isinstance(self.read.message, Command):
            return None
        envelope = self.read.envelope
        return digest(f"{envelope.type} {envelope.subject} ".encode() + self.read.message.to_bytes())

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

    def entry(self, outcome: str, at: datetime) -> Entry | None:
        """What the account says of this record, if it was a command, or an order of the hub."""
        envelope = self.read.envelope
        if envelope is None or not self.is_asked:
            return None
        message = self.read.message if isinstance(self.read, Decoded) else None
        actor = message.actor if isinstance(message, Command) else envelope.source
        payload = self.record.value or b""
        return Entry(at, actor, envelope.type, envelope.subject, outcome, envelope.id, digest(payload))

    @property
    def is_asked(self) -> bool:
        """True for a command of somebody, and for an order of the hub to a trust."""
        return topic_of(self.record).endswith(".commands")

    @property
    def is_an_outsiders_fault(self) -> bool:
        """Rubbish from outside, a person's or a trust's, must not stop us; rubbish from our own, or a bug, must."""
        topic = topic_of(self.record)
        asked_by_people = topic.endswith(".commands") and not topic.startswith("trust.")
        return isinstance(self.read, Unreadable) and (asked_by_people or speaking_trust(topic) is not None)


def take(record: Record, router: Router, keys: TrustKeys | None = None) -> Taken:
    """Read it; what a trust says and somebody here handles must be signed by one of its keys.

    Reading must not fail in ways that nobody thought of; if it does, one record is put aside and no partition stands.
    """
    try:
        read = decode(record)
        handler = router.handler(read.envelope.type) if read.envelope else None
        if handler and isinstance(read, Decoded):
            read = proven(record, read, keys)
    except MissingKeys:
        raise
    except Exception:
        log.exception("reading %s/%s@%s failed", record.topic, record.partition, record.offset)
        return Taken(record, Unreadable("reading_failed", "it could not be read: a fault of ours", False, None), None)
    return Taken(record, read, handler)
