"""The outbox relay: what was committed is said, in order per key, by one active relay per database."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bus import metrics
from bus.uow import OUTBOX, as_bytes, headers_from_json
from bus.wake import Wake, wait
from schemas.topics import LARGEST_DEAD_LETTER

log = logging.getLogger(__name__)

RELAY_LOCK = 7_310_002
BATCH = 500
SAFETY_NET_S = 1.0
TROUBLE = (
    KafkaError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    TimeoutError,
)


class Relay:
    """Reads the outbox by id, publishes with an idempotent producer, deletes what the broker has acknowledged."""

    def __init__(self, database_url: str, producer_settings: dict[str, Any], wake: Wake) -> None:
        self._url = database_url
        self._producer_settings = producer_settings
        self._woken = wake.listener(OUTBOX)
        self.alive_at = datetime.now(UTC)

    async def run(self) -> None:
        """For ever: a relay that ended would leave its participant hearing everything and saying nothing."""
        while True:
            try:
                await self._relay()
            except Exception as error:
                known = isinstance(error, TROUBLE)
                log.warning("relay will start again: %s", type(error).__name__, exc_info=not known)
                await asyncio.sleep(0.5)

    async def _relay(self) -> None:
        """With one connection and one producer, until either fails."""
        # a deletion that a crash of the database undoes is one message said twice, which every inbox swallows
        hasty = {"synchronous_commit": "off"}
        connection = await asyncpg.connect(self._url, command_timeout=60, server_settings=hasty)
        producer = AIOKafkaProducer(
            acks="all", enable_idempotence=True, max_request_size=LARGEST_DEAD_LETTER, **self._producer_settings
        )
        try:
            await self._become_the_one(connection)
            await producer.start()
            while True:
                if await self._publish_batch(connection, producer) < BATCH:
                    await wait(self._woken, await self._until_next(connection))
        finally:
            await producer.stop()
            await connection.close(timeout=2)

    async def _become_the_one(self, connection: Any) -> None:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", RELAY_LOCK):
            self.alive_at = datetime.now(UTC)
            await asyncio.sleep(SAFETY_NET_S)

    async def _publish_batch(self, connection: Any, producer: AIOKafkaProducer) -> int:
        self.alive_at = datetime.now(UTC)
        rows = await connection.fetch(
            """select outbox_id, topic, key, value, headers::text as headers from outbox
               where due_at is null or due_at <= now() order by outbox_id limit $1""",
            BATCH,
        )
        if not rows:
            return 0
        sent = [await _send(producer, row) for row in rows]
        await producer.flush()
        for acknowledgement in sent:
            await acknowledgement
        await connection.execute("delete from outbox where outbox_id = any($1)", [row["outbox_id"] for row in rows])
        metrics.PUBLISHED.inc(len(rows))
        return len(rows)

    async def _until_next(self, connection: Any) -> float:
        """Seconds to the next deadline, at most the safety net's period."""
        due_at = await connection.fetchval("select min(due_at) from outbox")
        if due_at is None:
            return SAFETY_NET_S
        return float(min(SAFETY_NET_S, max(0.0, (due_at - datetime.now(UTC)).total_seconds())))


async def _send(producer: AIOKafkaProducer, row: Any) -> "asyncio.Future[Any]":
    key = as_bytes(row["key"]) if row["key"] is not None else None
    future: asyncio.Future[Any] = await producer.send(
        row["topic"], row["value"], key=key, headers=headers_from_json(json.loads(row["headers"]))
    )
    return future
