"""The headers of a record as a JSON Schema and as an example (CloudEvents 1.0.2, Kafka protocol binding, 3.2)."""

from datetime import UTC, datetime
from typing import Any

from infra.contract.language import Schema
from schemas.envelope import LONGEST, REQUIRED, TRACEPARENT, Envelope, to_headers

MEANING = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "Names this one message: the same id twice has one effect. A UUID version 7 is best.",
    "ce_type": "What is said, with its major version.",
    "ce_source": "`/` and the principal that says it.",
    "ce_time": "When it happened, RFC 3339.",
    "ce_subject": "The aggregate: the same as the record's key.",
    "ce_dataschema": "The `$id` of the payload's JSON Schema.",
    "ce_correlationid": "The `ce_id` of the command that began it all; a command carries its own.",
    "ce_causationid": "The `ce_id` of what this follows from.",
    "ce_traceparent": "W3C Trace Context, version 00.",
    "ce_partitionkey": "The same as `ce_subject`.",
    "ce_signature": "On what a trust says: Ed25519 over every other attribute and the payload, by the trust's own key.",
    "ce_keyid": "Which key of the trust signed.",
    "content-type": "Always application/json.",
}
EXACTLY: dict[str, dict[str, Any]] = {
    "ce_specversion": {"const": "1.0"},
    "ce_time": {"format": "date-time"},
    "ce_traceparent": {"pattern": f"^{TRACEPARENT.pattern}$"},
    "content-type": {"const": "application/json"},
}
HEADERS: Schema = {
    "title": "CloudEventHeaders",
    "description": "CloudEvents attributes, each a UTF-8 text without control characters.",
    "type": "object",
    "properties": {
        name: {"description": meaning, "type": "string", "maxLength": LONGEST} | EXACTLY.get(name, {})
        for name, meaning in MEANING.items()
    },
    "required": [f"ce_{name}" for name in REQUIRED],
}

EXAMPLE_ID = "019aa6a0-7d3c-7f10-8a44-0c53f8b0a0ff"
EXAMPLE_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EXAMPLE_TIME = datetime(2026, 11, 21, 9, tzinfo=UTC)


def example_headers(type_: str, subject: str, source: str) -> dict[str, str]:
    """Headers of a message of this type that nothing caused."""
    envelope = Envelope(
        id=EXAMPLE_ID,
        type=type_,
        source=source,
        subject=subject,
        time=EXAMPLE_TIME,
        correlationid=EXAMPLE_ID,
        causationid=None,
        traceparent=EXAMPLE_TRACE,
    )
    return {name: (value or b"").decode() for name, value in to_headers(envelope)}
