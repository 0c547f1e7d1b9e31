"""A record as a consumer gives it, and a connection that remembers what was written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bus.proof.audit import BEFORE_THE_FIRST
from schemas.envelope import Header, envelope_for, to_headers
from schemas.message import Message
from schemas.topics import writers

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@dataclass(slots=True)
class FakeRecord:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    partition: int = 0
    offset: int = 7
    timestamp: int = 1_795_000_000_000


def record_of(message: Message, **headers: bytes | None) -> FakeRecord:
    """A good record of this message, some headers changed."""
    source = f"/{(writers(message.topic) or ('test',))[0]}"
    envelope = envelope_for(message, id="e1", source=source, time=NOW, traceparent=TRACE)
    changed = dict(to_headers(envelope)) | {f"ce_{name}": value for name, value in headers.items()}
    return FakeRecord(message.topic, message.key.encode(), message.to_bytes(), list(changed.items()))


@dataclass(slots=True)
class FakeConnection:
    """Keeps the rows that are written to the outbox, and the columns of the account's entries."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    async def execute(self, sql: str, *columns: Any) -> None:
        if "into audit" in sql:
            self.told += columns
        else:
            self.rows += zip(*columns, strict=True)

    async def fetchrow(self, _sql: str) -> dict[str, Any]:
        return {"seq": 0, "hash": BEFORE_THE_FIRST}
