"""The envelope codec, with the CloudEvents SDK as oracle."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import REQUIRED, Envelope, Header, Malformed, envelope_for, from_headers, to_headers
from schemas.project import ProjectActivated

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
envelopes = st.builds(
    Envelope,
    id=ids,
    type=st.from_regex(r"trustflow\.[a-z]{1,9}\.[a-z_]{1,20}\.v[1-9]", fullmatch=True),
    source=st.from_regex(r"/[a-z_-]{1,20}", fullmatch=True),
    subject=ids,
    time=st.datetimes(timezones=st.just(UTC)),
    correlationid=texts,
    causationid=st.none() | ids,
    traceparent=st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True),
)
GOOD = Envelope("e1", "trustflow.project.activated.v1", "/project", "p1", datetime.now(UTC), "c1", None, TRACE)


def headers(**changed: bytes | None) -> list[Header]:
    """Good headers; ``None`` leaves one out."""
    good = dict(to_headers(GOOD)) | {f"ce_{name}": value for name, value in changed.items()}
    return [(name, value) for name, value in good.items() if value is not None]


@given(envelopes)
def test_what_is_written_is_read_back(envelope: Envelope) -> None:
    assert from_headers(to_headers(envelope)) == envelope


@given(envelopes)
def test_the_sdk_reads_what_we_write(envelope: Envelope) -> None:
    record = KafkaMessage(dict(to_headers(envelope)), envelope.subject.encode(), b'{"project_id": "p1"}')
    event = from_binary(record, JSONFormat(), CloudEvent)
    assert (event.get_id(), event.get_type(), event.get_source()) == (envelope.id, envelope.type, envelope.source)
    assert (event.get_subject(), event.get_time()) == (envelope.subject, envelope.time)
    assert event.get_dataschema() == envelope.dataschema
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("causationid") == envelope.causationid
    assert event.get_extension("traceparent") == envelope.traceparent
    assert event.get_data() == {"project_id": "p1"}


@given(envelopes)
def test_we_read_what_the_sdk_writes(envelope: Envelope) -> None:
    attributes = {
        "id": envelope.id,
        "type": envelope.type,
        "source": envelope.source,
        "specversion": "1.0",
        "subject": envelope.subject,
        "time": envelope.time,
        "dataschema": envelope.dataschema,
        "datacontenttype": "application/json",
        "correlationid": envelope.correlationid,
        "traceparent": envelope.traceparent,
        "partitionkey": envelope.subject,
    } | ({"causationid": envelope.causationid} if envelope.causationid else {})
    record = to_binary(CloudEvent(attributes, {"project_id": "p1"}), JSONFormat())
    assert from_headers(record.headers.items()) == envelope
    assert record.key == envelope.subject


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_header_is_named(name: str) -> None:
    for absent in (None, b""):
        with pytest.raises(Malformed, match=f"ce_{name} "):
            from_headers(headers(**{name: absent}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", b"0.3"),
        ("time", b"yesterday"),
        ("time", b"2026-11-21T09:00:00"),
        ("time", b"0001-01-01T00:00:00+14:00"),
        ("traceparent", b"00-xyz"),
        ("traceparent", TRACE.encode() + b"\n"),
        ("traceparent", TRACE.replace("00-", "ff-", 1).encode()),
        ("subject", b"p\x00"),
        ("id", b"e1\n"),
        ("id", b"e" * 1025),
        ("type", b"t" * 100_000),
        ("correlationid", b"\xff\xfe"),
    ],
)
def test_an_unreadable_header_is_named_and_its_value_is_not(name: str, value: bytes) -> None:
    with pytest.raises(Malformed, match=f"ce_{name} ") as malformed:
        from_headers(headers(**{name: value}))
    assert value.decode("latin-1") not in str(malformed.value)


def test_a_header_without_a_value_is_as_good_as_missing() -> None:
    """Kafka allows null as a header's value."""
    with pytest.raises(Malformed, match="ce_id "):
        from_headers([*headers(id=None), ("ce_id", None)])


@given(st.lists(st.tuples(st.text(), st.none() | st.binary())))
def test_rubbish_is_malformed_and_nothing_worse(rubbish: list[Header]) -> None:
    with pytest.raises(Malformed):
        from_headers(rubbish)


@given(st.sampled_from(REQUIRED), st.binary(max_size=80))
def test_one_strange_header_is_read_or_malformed_and_nothing_worse(name: str, value: bytes) -> None:
    try:
        envelope = from_headers(headers(**{name: value}))
    except Malformed:
        return
    assert from_headers(to_headers(envelope)) == envelope


def test_headers_of_others_are_ignored() -> None:
    assert from_headers([*to_headers(GOOD), ("x-trace", b"\xff"), ("ce_colour", b"blue")]) == GOOD


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    elsewhere = GOOD.time.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert from_headers(headers(time=elsewhere.isoformat().encode())) == GOOD


def test_a_cause_is_carried_on() -> None:
    event = ProjectActivated(project_id="p1")
    said = envelope_for(event, id="e2", source="/x", time=GOOD.time, traceparent=TRACE, cause=GOOD)
    assert (said.subject, said.correlationid, said.causationid) == ("p1", "c1", "e1")


def test_without_a_cause_a_message_starts_its_own_correlation() -> None:
    said = envelope_for(ProjectActivated(project_id="p1"), id="e2", source="/x", time=GOOD.time, traceparent=TRACE)
    assert (said.correlationid, said.causationid) == ("e2", None)
