"""The envelope: CloudEvents 1.0 in Kafka binary mode (attributes in ``ce_`` headers, the payload as plain JSON).

Source: CloudEvents 1.0.2 and its Kafka protocol binding 1.0.2, section 3.2; W3C Trace Context for ``traceparent``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from schemas.message import Message

TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that no CloudEvents attribute may hold (CloudEvents 1.0.2, section "Type System", String)."""

LONGEST = 1024
"""Bytes of one attribute: some become keys of a database index, some are repeated in answers."""

CONTENT_TYPE = b"application/json"
REQUIRED = (
    "specversion",
    "id",
    "type",
    "source",
    "time",
    "subject",
    "dataschema",
    "correlationid",
    "traceparent",
)
ATTRIBUTES = {f"ce_{name}": name for name in (*REQUIRED, "causationid")}
"""What we read, by the names of its headers."""

Header = tuple[str, bytes | None]
"""Kafka allows null as a header's value."""


class Malformed(ValueError):
    """A record whose headers are no envelope; the message names the header and the remedy."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who says what about which aggregate, when, and because of what."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    correlationid: str
    causationid: str | None
    traceparent: str

    @property
    def dataschema(self) -> str:
        return schema_urn(self.type)


@lru_cache(1024)
def schema_urn(type_: str) -> str:
    """Bounded: others may send us any type."""
    return f"urn:{type_.replace('.', ':')}"


def envelope_for(
    message: Message,
    *,
    id: str,  # noqa: A002  the CloudEvents word
    source: str,
    time: datetime,
    traceparent: str,
    cause: Envelope | None = None,
) -> Envelope:
    return Envelope(
        id=id,
        type=message.type,
        source=source,
        subject=message.key,
        time=time,
        correlationid=cause.correlationid if cause else id,
        causationid=cause.id if cause else None,
        traceparent=traceparent,
    )


def to_headers(envelope: Envelope) -> list[Header]:
    subject = envelope.subject.encode()
    headers: list[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_time", envelope.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_subject", subject),
        ("ce_dataschema", envelope.dataschema.encode()),
        ("ce_correlationid", envelope.correlationid.encode()),
        ("ce_traceparent", envelope.traceparent.encode()),
        ("ce_partitionkey", subject),
        ("content-type", CONTENT_TYPE),
    ]
    if envelope.causationid:
        headers.append(("ce_causationid", envelope.causationid.encode()))
    return headers


def from_headers(headers: Iterable[Header]) -> Envelope:
    """Read an envelope; raises Malformed naming the header that is missing or unreadable."""
    attributes = _attributes(headers)
    for name in REQUIRED:
        if not attributes.get(name):
            raise Malformed(f"header ce_{name} is missing: write every CloudEvents attribute as a ce_ header")
    if attributes["specversion"] != "1.0":
        raise Malformed("header ce_specversion must be 1.0")
    if not TRACEPARENT.fullmatch(attributes["traceparent"]):
        raise Malformed("header ce_traceparent is not W3C Trace Context version 00")
    return Envelope(
        id=attributes["id"],
        type=attributes["type"],
        source=attributes["source"],
        subject=attributes["subject"],
        time=_time(attributes["time"]),
        correlationid=attributes["correlationid"],
        causationid=attributes.get("causationid"),
        traceparent=attributes["traceparent"],
    )


def _attributes(headers: Iterable[Header]) -> dict[str, str]:
    found = {
        ATTRIBUTES[name]: _text(name, value) for name, value in headers if name in ATTRIBUTES and value is not None
    }
    # once over all of them: almost always there is none
    if CONTROL.search("".join(found.values())):
        name = next(name for name, text in found.items() if CONTROL.search(text))
        raise Malformed(f"header ce_{name} holds a control character: leave it out")
    return found


def _text(header: str, value: bytes) -> str:
    if len(value) > LONGEST:
        raise Malformed(f"header {header} is longer than {LONGEST} bytes: shorten it")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"header {header} is not UTF-8: write headers as UTF-8 text") from error


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        utc = time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed("header ce_time is not an RFC 3339 time such as 2026-11-21T09:00:00Z") from error
    if time.tzinfo is None:
        raise Malformed("header ce_time has no time zone: add Z or an offset")
    return utc
