"""What the relay hands to the broker: one batch for each partition, so that no later one can overtake it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from pydantic_core import from_json

from bus.uow import as_bytes, headers_from_json
from schemas.topics import LARGEST_RECORD

PARCEL_BYTES = LARGEST_RECORD // 2
"""A topic's limit is one of batches; a single record may be larger than this."""

KEYS = 10_000
"""Remembered: the hash is pure Python."""


@dataclass(slots=True)
class Parcel:
    """Rows of the outbox for one partition, in order; those that no longer fit wait for the next parcel."""

    builder: BatchBuilder
    rows: list[Any] = field(default_factory=list)

    def take(self, row: Any, key: bytes | None) -> None:
        headers = headers_from_json(from_json(row["headers"]))
        if self.builder.append(timestamp=None, key=key, value=row["value"], headers=headers) is not None:
            self.rows.append(row)


def pack(producer: AIOKafkaProducer, rows: Iterable[Any]) -> dict[TopicPartition, Parcel]:
    """Deal rows out to the partitions of their topics, which the producer must know."""
    parcels: dict[TopicPartition, Parcel] = {}
    for row in rows:
        key = as_bytes(row["key"]) if row["key"] is not None else None
        partitions = producer.client.cluster.partitions_for_topic(row["topic"])
        place = TopicPartition(row["topic"], partition_of(key, len(partitions)))
        if place not in parcels:
            parcels[place] = Parcel(producer.create_batch())
        parcels[place].take(row, key)
    return parcels


@lru_cache(KEYS)
def partition_of(key: bytes | None, partitions: int) -> int:
    """Where Kafka's own clients put a key: murmur2, as in its Java client. Without a key there is no order to keep."""
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % partitions
