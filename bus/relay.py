"""The outbox relay: what was committed is said, in order per key, by one active relay per database."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from bus.leader import Leader
from bus.parcels import PARCEL_BYTES, Parcel, pack
from bus.uow import OUTBOX, headers_from_json
from bus.wake import Wake, wait
from bus.watch import metrics, tracing
from schemas.topics import LARGEST_DEAD_LETTER

log = logging.getLogger(__name__)

BATCH = 1000
SAFETY_NET_S = 1.0
HOLD_S = 10.0
AGAIN_S = 0.5
THE_TOPICS_FAULT = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
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
    """Reads the outbox by id, publishes with an idempotent producer, deletes what the broker has acknowledged.

    ``held`` names topics that can't be written now, and why: their rows wait, in order, and all others go on.
    """

    def __init__(self, database_url: str, producer_settings: dict[str, Any], wake: Wake, leader: Leader) -> None:
        self._url = database_url
        self._producer_settings = producer_settings
        self._woken = wake.listener(OUTBOX)
        self._leader = leader
        self._met: set[str] = set()
        self._again_at: dict[str, float] = {}
        self.held: dict[str, str] = {}
        self.alive_at = datetime.now(UTC)

    async def run(self) -> None:
        """For ever: a relay that ended would leave its participant hearing everything and saying nothing."""
        while True:
            try:
                await self._relay()
            except Exception as error:
                known = isinstance(error, TROUBLE)
                metrics.RELAY_RESTARTS.inc()
                log.warning("relay will start again: %s", type(error).__name__, exc_info=not known)
                await asyncio.sleep(AGAIN_S)

    async def _relay(self) -> None:
        """With one connection and one producer, until either fails."""
        async with (
            self._connection() as connection,
            self._leader.leading(connection, self._alive),
            self._producer() as producer,
        ):
            while True:
                if await self._publish_batch(connection, producer) < BATCH:
                    await wait(self._woken, await self._until_next(connection))

    @asynccontextmanager
    async def _connection(self) -> Any:
        # a deletion that a crash of the database undoes is one message said twice, which every inbox swallows
        hasty = {"synchronous_commit": "off"}
        connection = await asyncpg.connect(self._url, command_timeout=60, server_settings=hasty)
        try:
            yield connection
        finally:
            await connection.close(timeout=2)

    @asynccontextmanager
    async def _producer(self) -> Any:
        producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            max_request_size=LARGEST_DEAD_LETTER,
            max_batch_size=PARCEL_BYTES,
            **self._producer_settings,
        )
        self._met.clear()
        try:
            await producer.start()
            yield producer
        finally:
            await producer.stop()

    def _alive(self) -> None:
        self.alive_at = datetime.now(UTC)

    async def _publish_batch(self, connection: Any, producer: AIOKafkaProducer) -> int:
        """Return how many rows were read; those of held topics are not."""
        self._alive()
        self._release()
        rows = await connection.fetch(
            """select outbox_id, topic, key, value, headers, due_at from outbox
               where (due_at is null or due_at <= now()) and topic <> all($2) order by outbox_id limit $1""",
            BATCH,
            list(self.held),
        )
        await self._meet(producer, {row["topic"] for row in rows} - self._met)
        rows = [row for row in rows if row["topic"] not in self.held]
        if rows:
            await self._publish(connection, producer, rows)
        return len(rows)

    async def _publish(self, connection: Any, producer: AIOKafkaProducer, rows: Sequence[Any]) -> None:
        began = time.time_ns()
        parcels = pack(producer, rows)
        sent = (_send(producer, place, parcel) for place, parcel in parcels.items())
        results = await asyncio.gather(*sent, return_exceptions=True)
        said = [
            row
            for parcel, result in zip(parcels.values(), results, strict=True)
            if not isinstance(result, BaseException)
            for row in parcel.rows
        ]
        await connection.execute("delete from outbox where outbox_id = any($1)", [row["outbox_id"] for row in said])
        _record(said, began)
        for place, result in zip(parcels, results, strict=True):
            if isinstance(result, THE_TOPICS_FAULT):
                self._hold(place.topic, type(result).__name__)
            elif isinstance(result, BaseException):
                raise result

    async def _meet(self, producer: AIOKafkaProducer, topics: set[str]) -> None:
        """Ask for all that are new at once: the client would ask one by one, and wait long for what is not there."""
        if not topics:
            return
        answers = [producer.client.add_topic(topic) for topic in topics]
        if not all(await asyncio.gather(*answers, producer.client.force_metadata_update())):
            raise KafkaConnectionError("the broker does not say which topics there are")
        there = producer.client.cluster.topics()
        self._met |= topics & there
        for topic in topics - there:
            self._hold(topic, "it is not there, or may not be written")

    def _hold(self, topic: str, why: str) -> None:
        if topic not in self.held:
            log.error("the outbox holds what is for %s: %s", topic, why)
        self.held[topic] = why
        self._met.discard(topic)
        self._again_at[topic] = time.monotonic() + HOLD_S

    def _release(self) -> None:
        now = time.monotonic()
        for topic in [topic for topic, at in self._again_at.items() if at <= now]:
            del self.held[topic], self._again_at[topic]

    async def _until_next(self, connection: Any) -> float:
        """Seconds to the next deadline, at most the safety net's period."""
        due_at = await connection.fetchval("select min(due_at) from outbox")
        if due_at is None:
            return SAFETY_NET_S
        return float(min(SAFETY_NET_S, max(0.0, (due_at - datetime.now(UTC)).total_seconds())))


async def _send(producer: AIOKafkaProducer, place: TopicPartition, parcel: Parcel) -> None:
    await (await producer.send_batch(parcel.builder, place.topic, partition=place.partition))


def _record(said: Sequence[Any], began_ns: int) -> None:
    metrics.PUBLISHED.inc(len(said))
    metrics.PUBLISH_SECONDS.observe((time.time_ns() - began_ns) / 1e9)
    now = datetime.now(UTC)
    for row in said:
        if row["due_at"] is not None:
            metrics.DEADLINE_LATE_SECONDS.observe(max(0.0, (now - row["due_at"]).total_seconds()))
        if tracing.is_on():
            tracing.sent(headers_from_json(json.loads(row["headers"])), row["topic"], began_ns)
