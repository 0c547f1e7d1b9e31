"""From a record's bytes to a message that can be believed: nothing is handled before all of this holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from bus.errors import Poison
from bus.proof.signing import BadSignature, TrustKeys
from schemas.envelope import Envelope, Header, Malformed, from_headers
from schemas.message import MAX_PAYLOAD_BYTES, Command, Message
from schemas.registry import declared_fields, message_class, newer_major_of_known
from schemas.topics import REDRIVE_PREFIX, REPLAY_PREFIX, may_say, speaking_trust
from schemas.upcast import upcast

SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
ORIGIN = "tf-origin"
REPLAYED = "tf-replay"
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""An escaped NUL in JSON: no text of PostgreSQL can hold one."""

MAYBE_NUL = b"\\u0000"
"""Looked for first: the expression above is tried at every byte."""


class Record(Protocol):
    """What we need of a consumer's record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


@dataclass(slots=True)
class StoredRecord:
    """A record that does not come from the client: kept by us, or one of which nothing but its place is known."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[Header] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    envelope: Envelope
    message: Message


class MissingKeys(Exception):
    """A participant was put together wrongly: it handles what trusts say and has no keys to believe them by."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """``parked`` records may become readable by an upgrade, others never will."""

    code: str
    reason: str
    parked: bool
    envelope: Envelope | None


def read(record: Record) -> Decoded | Unreadable:
    """Everything that can be said against a record is said here, before any handler sees it."""
    envelope = read_envelope(record)
    if isinstance(envelope, Unreadable):
        return envelope
    if is_redriven(record) and any(name == REPLAYED for name, _ in record.headers):
        return Unreadable("replayed", "a replay is for looking at, or for rebuilding a view", False, envelope)
    return read_message(record, envelope)


def is_redriven(record: Record) -> bool:
    """True for what an operator sends again of what was put aside."""
    return record.topic.startswith(REDRIVE_PREFIX)


def place_of(record: Record) -> str:
    """``topic/partition/offset`` where this was first said."""
    if record.topic.startswith((REDRIVE_PREFIX, REPLAY_PREFIX)):
        named = next((value for name, value in record.headers if name == ORIGIN and value), b"")
        return named.decode("latin-1")
    return f"{record.topic}/{record.partition}/{record.offset}"


def topic_of(record: Record) -> str:
    """The topic on which this was first said."""
    return place_of(record).partition("/")[0]


def read_envelope(record: Record) -> Envelope | Unreadable:
    try:
        return from_headers(record.headers)
    except Malformed as error:
        return Unreadable("malformed", str(error), parked=False, envelope=None)


def read_message(record: Record, envelope: Envelope) -> Decoded | Unreadable:
    message_type = message_class(envelope.type)
    if message_type is None:
        return _unknown(envelope)
    try:
        return Decoded(envelope, _validated(record, envelope, message_type))
    except Poison as error:
        return Unreadable(error.code, error.reason, parked=False, envelope=envelope)


def proven(record: Record, decoded: Decoded, keys: TrustKeys | None) -> Decoded | Unreadable:
    """What a trust says counts only with the trust's own signature."""
    trust = speaking_trust(topic_of(record))
    if trust is None:
        return decoded
    if keys is None:
        raise MissingKeys(f"{record.topic} is handled here without the trusts' keys: give them to the participant")
    try:
        keys.verify(trust, record.headers, record.value or b"")
    except BadSignature as error:
        return Unreadable("bad_signature", str(error), parked=False, envelope=decoded.envelope)
    return decoded


def is_command(envelope: Envelope, topic: str) -> bool:
    """True when somebody waits for an answer that can be addressed."""
    known = message_class(envelope.type)
    asked = issubclass(known, Command) if known else topic.endswith(".commands")
    return asked and SUBJECT.fullmatch(envelope.subject) is not None and SUBJECT.fullmatch(envelope.id) is not None


def _unknown(envelope: Envelope) -> Unreadable:
    if newer_major_of_known(envelope.type):
        return Unreadable("newer_version", f"{envelope.type} is newer than this release: upgrade it", True, envelope)
    return Unreadable("unknown_type", "no message of this type is known here", True, envelope)


def _validated(record: Record, envelope: Envelope, message_type: type[Message]) -> Message:
    payload = record.value or b""
    if issubclass(message_type, Command) and not SUBJECT.fullmatch(envelope.id):
        raise Poison("malformed", "ce_id of a command has 1 to 64 letters, digits, - and _: its answer repeats it")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Poison(
            "too_large",
            f"the payload is larger than {MAX_PAYLOAD_BYTES} bytes: send large data by the object lane",
        )
    if MAYBE_NUL in payload and NUL.search(payload):
        raise Poison("invalid_payload", "a text holds the character U+0000: leave it out")
    try:
        message = message_type.parse(upcast(envelope.type, payload))
    except ValidationError as error:
        raise Poison("invalid_payload", _fields_at_fault(error)) from None
    if (record.key or b"").decode("latin-1") != message.key or envelope.subject != message.key:
        raise Poison(
            "wrong_key",
            f"the record's key and ce_subject must both be the message's {message_type.key_field}",
        )
    if topic_of(record) != message.topic:
        raise Poison("wrong_topic", "this message does not belong on this topic")
    if not may_say(envelope.source, message.topic):
        raise Poison("forged_source", "ce_source names nobody who may write this topic")
    return message


def _fields_at_fault(error: ValidationError) -> str:
    """Name the fields and the rule, never their values; a key of a map is a value too."""
    faults = [f"{_place(fault['loc'])}: {fault['type']}" for fault in error.errors(include_input=False)]
    return f"fields are missing or wrong: {', '.join(faults[:5])}"[:480]


def _place(location: tuple[int | str, ...]) -> str:
    declared = declared_fields()
    return ".".join(str(part) if isinstance(part, int) or part in declared else "*" for part in location) or "payload"
