"""Keys that wait: a record whose handler could not take it yet is kept, and behind it everything of its key.

The partition goes on and the order of each key holds. Whoever reads or writes these rows holds the partition's row of
`position`, so that a retry and the partition's next batch never pass one another.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bus.backoff import doubling_s
from bus.database import Connection
from bus.decode import Record, StoredRecord
from bus.uow import as_bytes, as_text, headers_as_text, headers_from_json

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
MOST_ATTEMPTS = 20
"""With the delays between them about a quarter of an hour."""

AT_ONCE = 100


def delay_s(attempts: int) -> float:
    """Seconds until a deferred record is tried again: doubling, bounded."""
    return doubling_s(FIRST_DELAY_S, LONGEST_DELAY_S, attempts)


async def defer(connection: Connection, consumer: str, record: Record, error: str | None = None) -> None:
    """Keep a record: because of an error, or because others of its key wait already."""
    now = datetime.now(UTC)
    await connection.execute(
        """insert into deferred
           (consumer, topic, partition, record_offset, recorded_ms, key, value, headers,
            error, first_failed_at, retry_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        consumer,
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        key_of(record),
        record.value,
        headers_as_text(record.headers),
        error,
        now if error else None,
        now + timedelta(seconds=FIRST_DELAY_S if error else 0.0),
    )
    await _count(connection, consumer, (record.topic, record.partition, record.offset), 1)


async def waiting_keys(connection: Connection, consumer: str, topic: str, partition: int) -> frozenset[str]:
    rows = await connection.fetch(
        "select distinct key from deferred where consumer = $1 and topic = $2 and partition = $3",
        consumer,
        topic,
        partition,
    )
    return frozenset(row["key"] for row in rows)


async def due_keys(pool: Any, consumer: str) -> Sequence[Any]:
    """Topic, partition and key of those whose first record may be tried again."""
    rows: Sequence[Any] = await pool.fetch(
        """select topic, partition, key from (
               select distinct on (topic, key) topic, partition, key, retry_at from deferred
               where consumer = $1 order by topic, key, deferred_id) as first
           where retry_at <= now() order by retry_at limit $2""",
        consumer,
        AT_ONCE,
    )
    return rows


async def first_of(connection: Connection, consumer: str, topic: str, key: str) -> Any:
    return await connection.fetchrow(
        """select * from deferred where consumer = $1 and topic = $2 and key = $3 and retry_at <= now()
           and deferred_id = (select min(deferred_id) from deferred where consumer = $1 and topic = $2 and key = $3)""",
        consumer,
        topic,
        key,
    )


async def release(connection: Connection, row: Any) -> None:
    await connection.execute("delete from deferred where deferred_id = $1", row["deferred_id"])
    await _count(connection, row["consumer"], (row["topic"], row["partition"], row["record_offset"]), -1)


async def postpone(connection: Connection, row: Any, error: str) -> None:
    now = datetime.now(UTC)
    await connection.execute(
        """update deferred set attempts = attempts + 1, error = $2, retry_at = $3,
           first_failed_at = coalesce(first_failed_at, $4) where deferred_id = $1""",
        row["deferred_id"],
        error,
        now + timedelta(seconds=delay_s(row["attempts"] + 1)),
        now,
    )


def stored(row: Any) -> StoredRecord:
    """The record as it was read."""
    headers = headers_from_json(json.loads(row["headers"]))
    place = row["topic"], row["partition"], row["record_offset"], row["recorded_ms"]
    return StoredRecord(*place, as_bytes(row["key"]), row["value"], headers)


def key_of(record: Record) -> str:
    return as_text(record.key or b"")


async def _count(connection: Connection, consumer: str, place: tuple[str, int, int], by: int) -> None:
    await connection.execute(
        """insert into position (consumer, topic, partition, next_offset, deferred) values ($1, $2, $3, $4, $5)
           on conflict (consumer, topic, partition) do update set deferred = position.deferred + $5""",
        consumer,
        *place,
        by,
    )
