"""The CloudEvents SDK reads every record that we write, and we read every record that it writes."""

import json
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from bus.decode import Decoded, Unreadable, read_envelope, read_message
from schemas.envelope import Envelope, to_headers
from schemas.message import Message
from schemas.registry import message_class
from schemas.topics import ANY_TRUST, HUB_TOPICS, trust_topics
from schemas.upcast import newest, upcast
from tests.contract.golden_samples import golden, golden_types
from tests.unit.bus.recorded import NOW, TRACE, FakeRecord

each_type = pytest.mark.parametrize("type_", golden_types())


def message_of(type_: str, payload: dict[str, Any]) -> Message:
    message = message_class(type_)
    assert message is not None
    return message.parse(upcast(type_, json.dumps(payload).encode()))


def envelope_of(type_: str, message: Message) -> Envelope:
    return Envelope("e1", type_, _writer(message), message.key, NOW, "c1", "e0", TRACE)


def _writer(message: Message) -> str:
    """Whoever may write on its topic."""
    topics = (*HUB_TOPICS, *trust_topics(getattr(message, "trust_id", ANY_TRUST)))
    return next(f"/{topic.writers[-1]}" for topic in topics if topic.name == message.topic)


def written_by_the_sdk(envelope: Envelope, payload: dict[str, Any]) -> CloudEvent:
    extensions = {"correlationid": envelope.correlationid, "causationid": envelope.causationid}
    attributes = {
        "id": envelope.id,
        "type": envelope.type,
        "source": envelope.source,
        "specversion": "1.0",
        "subject": envelope.subject,
        "time": envelope.time,
        "dataschema": envelope.dataschema,
        "datacontenttype": "application/json",
        "traceparent": envelope.traceparent,
        "partitionkey": envelope.subject,
    }
    return CloudEvent(attributes | extensions, payload)


@each_type
def test_the_sdk_reads_what_we_write(type_: str) -> None:
    for payload in golden(type_):
        message = message_of(type_, payload)
        envelope = envelope_of(message.type, message)
        record = KafkaMessage(dict(to_headers(envelope)), message.key.encode(), message.to_bytes())
        event = from_binary(record, JSONFormat(), CloudEvent)
        assert (event.get_id(), event.get_type(), event.get_source()) == (envelope.id, envelope.type, envelope.source)
        assert (event.get_subject(), event.get_time()) == (message.key, NOW)
        assert event.get_dataschema() == f"urn:{newest(type_).replace('.', ':')}"
        assert (event.get_extension("correlationid"), event.get_extension("causationid")) == ("c1", "e0")
        assert message_of(message.type, event.get_data()) == message


@each_type
def test_we_read_what_the_sdk_writes(type_: str) -> None:
    for payload in golden(type_):
        message = message_of(type_, payload)
        envelope = envelope_of(type_, message)
        written = to_binary(written_by_the_sdk(envelope, payload), JSONFormat())
        record = FakeRecord(message.topic, written.key.encode(), written.value, list(written.headers.items()))
        assert read_envelope(record) == envelope
        assert read_message(record, envelope) == Decoded(envelope, message)


def test_the_structured_mode_is_put_aside_and_told_why() -> None:
    """Its attributes lie in the payload, where neither a broker's tools nor we look: it is dead, not parked."""
    message = message_of("trustflow.project.activated.v1", {"project_id": "p1"})
    event = written_by_the_sdk(envelope_of(message.type, message), {"project_id": "p1"})
    written = to_structured(event, JSONFormat())
    record = FakeRecord(message.topic, written.key.encode(), written.value, list(written.headers.items()))
    found = read_envelope(record)
    assert isinstance(found, Unreadable)
    assert (found.code, found.parked) == ("malformed", False)
    assert "write every CloudEvents attribute as a ce_ header" in found.reason
