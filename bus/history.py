"""What was said on some topics, read in large batches from one place of each partition to another, in no group."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition

from bus.decode import Record

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
        """Every record from one place to the other, in the order of each partition."""
        ahead = {place: end for place, end in until.items() if since.get(place, 0) < end}
        self._consumer.assign(list(ahead))
        # no await between assigning and seeking: a fetch under way from elsewhere costs half a second
        for place in ahead:
            self._consumer.seek(place, since.get(place, 0))
        while ahead:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
            yield [record for place, said in polled.items() for record in said if record.offset < until[place]]
            for place in [place for place in polled if place in ahead]:
                if await self._consumer.position(place) >= ahead[place]:
                    del ahead[place]
                    self._consumer.pause(place)
