"""Raw records: sent with any bytes and headers, and read back as the broker holds them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bus.proof.signing import Author
from bus.uow import new_id, traceparent
from schemas.envelope import Header, envelope_for, to_headers
from schemas.message import Message
from schemas.topics import Topic, writers

WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Raw:
    """A record before it is sent."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header]

    @property
    def id(self) -> str:
        return (dict(self.headers)["ce_id"] or b"").decode()

    def but(self, **headers: bytes | None) -> list[Header]:
        """Its headers with some of another value."""
        return list((dict(self.headers) | {f"ce_{name}": value for name, value in headers.items()}).items())


def raw(message: Message, *, id_: str | None = None, author: Author | None = None) -> Raw:
    """The message as its author says it: by default, unsigned, the first of those who may."""
    said_by, payload = author or first_writer(message), message.to_bytes()
    envelope = envelope_for(
        message, id=id_ or new_id(), source=said_by.source, time=datetime.now(UTC), traceparent=traceparent(None)
    )
    return Raw(message.topic, message.key.encode(), payload, said_by.signed(to_headers(envelope), payload))


def first_writer(message: Message) -> Author:
    return Author((writers(message.topic) or ("test",))[0])


async def send(producer: AIOKafkaProducer, records: Sequence[Raw], partition: int | None = None) -> None:
    waiting = [
        await producer.send(record.topic, record.value, key=record.key, headers=record.headers, partition=partition)
        for record in records
    ]
    await asyncio.gather(*waiting)


class Reader:
    """Everything on some topics from their beginning, as far as it was read."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.records: list[Any] = []

    @classmethod
    async def of(cls, login: dict[str, str], *topics: Topic) -> "Reader":
        consumer = AIOKafkaConsumer(**login, fetch_max_wait_ms=50, auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)])
        return cls(consumer)

    async def until(self, enough: Callable[[list[Any]], Any], within_s: float = WITHIN_S) -> Any:
        """Read on until what was read is enough; returns what ``enough`` found."""
        async with asyncio.timeout(within_s):
            while not (found := enough(self.records)):
                for batch in (await self._consumer.getmany(timeout_ms=100)).values():
                    self.records.extend(batch)
            return found

    async def stop(self) -> None:
        await self._consumer.stop()


def header(record: Any, name: str) -> str:
    return (dict(record.headers).get(name) or b"").decode()
