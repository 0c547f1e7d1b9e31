"""What was said on some topics, read in large batches from one place of each partition to another, in no group."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition

from bus.decode import Record
from bus.guard import Guard

Places = Mapping[TopicPartition, int]
"""The offset of the first record that is not meant; a partition that is missing is meant not at all."""

PLACE = re.compile(r"([a-z0-9._-]+)/(\d+)/(\d+)")
LARGE_FETCHES = {"max_partition_fetch_bytes": 4 * 2**20, "fetch_max_wait_ms": 100}
AT_ONCE = 5_000
POLL_MS = 200


def places(given: str) -> Places:
    """Read ``topic/partition/offset,…``.

    Raises
    ------
    ValueError
    """
    found = [PLACE.fullmatch(place.strip()) for place in given.split(",")]
    if not all(found):
        raise ValueError(f"{given} names no places: write topic/partition/offset, with commas between")
    return {TopicPartition(place[1], int(place[2])): int(place[3]) for place in found if place}


class History:
    """Made by `bus.speaker.Speaker.history`; the consumer knows its partitions and reads nothing yet."""

    def __init__(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        self._consumer = consumer
        self._guard = Guard(consumer, _put_aside_already)
        self.partitions = tuple(partitions)

    async def starts(self) -> Places:
        return await self._consumer.beginning_offsets(self.partitions)  # type: ignore[no-any-return]  # aiokafka is untyped

    async def ends(self) -> Places:
        return await self._consumer.end_offsets(self.partitions)  # type: ignore[no-any-return]  # aiokafka is untyped

    async def at(self, moment: datetime) -> Places:
        """Where each partition was at a moment, by the time that the producer put on its records."""
        ends = await self.ends()
        asked = dict.fromkeys(self.partitions, int(moment.timestamp() * 1000))
        found = await self._consumer.offsets_for_times(asked)
        return {place: found[place].offset if found[place] else end for place, end in ends.items()}

    async def read(self, since: Places, until: Places) -> AsyncGenerator[list[Record], None]:
        """Every record from one place to the other, in the order of each partition.

        What the Kafka client cannot read is stepped over, as it is by whoever reads it live.
        """
        reached = {place: since.get(place, 0) for place, end in until.items() if since.get(place, 0) < end}
        self._consumer.assign(list(reached))
        self._seek(reached)
        while reached:
            polled = await self._polled(reached)
            yield [record for place, said in polled.items() for record in said if record.offset < until[place]]
            for place in tuple(reached):
                reached[place] = await self._consumer.position(place)
                if reached[place] >= until[place]:
                    del reached[place]
                    self._consumer.pause(place)

    def _seek(self, reached: Places) -> None:
        """No await between assigning and seeking: a fetch under way from elsewhere costs half a second."""
        for place, offset in reached.items():
            self._consumer.seek(place, offset)

    async def _polled(self, reached: Places) -> Mapping[TopicPartition, Sequence[Record]]:
        if self._guard.is_careful:
            return await self._one()
        try:
            return await self._consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)  # type: ignore[no-any-return]  # aiokafka is untyped
        except UnicodeDecodeError:
            # what was drained with the unreadable record is gone
            self._guard.be_careful()
            self._seek(reached)
            return {}

    async def _one(self) -> Mapping[TopicPartition, Sequence[Record]]:
        try:
            async with asyncio.timeout(POLL_MS / 1000):
                record = await self._consumer.getone()
        except TimeoutError:
            return {}
        return {TopicPartition(record.topic, record.partition): [record]}


async def _put_aside_already(_place: TopicPartition, _offset: int) -> None:
    """Whoever read it live has left the dead letter."""
