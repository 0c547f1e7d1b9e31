"""Spans across hub, broker and trusts, where somebody listens: OTEL_EXPORTER_OTLP_ENDPOINT names an OTLP/HTTP receiver.

A message's ``traceparent`` names the span of its creation; its handling is a child of that, what the handling creates
are children of the handling, and its sending by the relay is one more child of its creation. Names and attributes are
those of OpenTelemetry's semantic conventions 1.37 for messaging and Kafka. No attribute holds a key or a payload.

Where the variable is unset nothing is imported and nothing is recorded.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

from bus.watch import scope
from schemas.envelope import TRACEPARENT, Envelope, Header

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SEMCONV = "https://opentelemetry.io/schemas/1.37.0"

Kind = Literal["consumer", "producer", "client", "internal"]


@dataclass(frozen=True, slots=True)
class Span:
    """Ids are hexadecimal digits, 32 and 16 of them; times are nanoseconds of the Unix epoch."""

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str | None
    started_ns: int
    ended_ns: int
    attributes: Mapping[str, str | int]
    error: str | None = None
    """The class of what went wrong; never its text."""


Export = Callable[[Span], None]
_export: Export | None = None


def start(participant: str) -> None:
    """Export from now on if the environment names a receiver."""
    if _export is None and os.environ.get(ENDPOINT):
        from bus.watch.otlp import exporter  # noqa: PLC0415  the SDK costs a third of a second where nobody listens

        export_to(exporter(participant))


def export_to(export: Export | None) -> None:
    global _export  # noqa: PLW0603  one process, one exporter, as with metrics
    _export = export


def handling(cause: Envelope, topic: str, group: str) -> AbstractContextManager[object]:
    """Mark everything inside as the handling of this message."""
    if _export is None:
        return scope.within(cause)
    about = {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": group,
        **_about(cause, topic),
    }
    return _recorded(_export, cause, f"process {topic}", "consumer", about)


def job(cause: Envelope | None, lane: str, attempt: int) -> AbstractContextManager[object]:
    """Mark everything inside as long work that this message caused."""
    if _export is None or cause is None:
        return scope.within(cause)
    about: dict[str, str | int] = {"trustflow.lane": lane, "trustflow.attempt": attempt}
    return _recorded(_export, cause, f"job {lane}", "internal", about)


def created(envelope: Envelope, topic: str) -> None:
    """A message was made, by whatever is being handled now; its sending may still take a while."""
    if _export is None:
        return
    now, current = time.time_ns(), scope.current()
    about = {"messaging.operation.name": "create", "messaging.operation.type": "create", **_about(envelope, topic)}
    trace_id, span_id = envelope.traceparent[3:35], envelope.traceparent[36:52]
    parent = current.span_id if current and current.trace_id == trace_id else None
    _export(Span(f"create {topic}", "producer", trace_id, span_id, parent, now, now, about))


def sent(headers: Iterable[Header], topic: str, started_ns: int) -> None:
    """The broker has acknowledged what was handed to it at ``started_ns``; a dead letter may belong to no trace."""
    if _export is None:
        return
    traceparent = (dict(headers).get("ce_traceparent") or b"").decode("latin-1")
    if not TRACEPARENT.fullmatch(traceparent):
        return
    about: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
    }
    ids = traceparent[3:35], secrets.token_hex(8), traceparent[36:52]
    _export(Span(f"send {topic}", "client", *ids, started_ns, time.time_ns(), about))


def is_on() -> bool:
    return _export is not None


@contextmanager
def _recorded(export: Export, cause: Envelope, name: str, kind: Kind, about: Mapping[str, str | int]) -> Iterator[None]:
    trace_id, parent_id, span_id = cause.traceparent[3:35], cause.traceparent[36:52], secrets.token_hex(8)
    started_ns, error = time.time_ns(), None
    try:
        with scope.within(cause, span_id):
            yield
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        export(Span(name, kind, trace_id, span_id, parent_id, started_ns, time.time_ns(), about, error))


def _about(envelope: Envelope, topic: str) -> dict[str, str | int]:
    """CloudEvents' own attributes, and those of messaging; the subject is left out, it is an id of somebody's work."""
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.message.id": envelope.id,
        "messaging.message.conversation_id": envelope.correlationid,
        "cloudevents.event_id": envelope.id,
        "cloudevents.event_type": envelope.type,
        "cloudevents.event_source": envelope.source,
    }
