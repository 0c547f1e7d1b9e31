"""What tools see of a group is what the broker was told: also by a participant that has nothing left to read."""

import asyncio
from typing import Any

from aiokafka import TopicPartition

from bus.consumer import Consumer
from bus.wake import Wake

KNOWN, FRESH = TopicPartition("project.events", 0), TopicPartition("project.events", 1)


class FakeInbox:
    async def positions(self, _pool: Any) -> dict[tuple[str, int], int]:
        return {tuple(KNOWN): 7}

    async def remember(self, _pool: Any, _offsets: dict[TopicPartition, int]) -> None:
        pass


class FakeKafka:
    def __init__(self) -> None:
        self.committed: asyncio.Future[dict[TopicPartition, int]] = asyncio.get_running_loop().create_future()
        self.places: dict[TopicPartition, int] = {}

    def subscription(self) -> set[str]:
        return {KNOWN.topic}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.places[partition] = offset

    async def seek_to_beginning(self, partition: TopicPartition) -> None:
        self.places[partition] = 0

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed.set_result(offsets)

    async def getone(self) -> None:
        pass


class FakeSubscriber:
    def __init__(self, consumer: FakeKafka) -> None:
        self.consumer = consumer


async def test_a_broker_that_has_forgotten_a_group_is_told_its_positions_when_it_comes_back() -> None:
    kafka, consumer = FakeKafka(), Consumer(FakeInbox(), Wake())  # type: ignore[arg-type]  all of an inbox it needs
    consumer.subscriber = FakeSubscriber(kafka)
    await consumer.on_partitions_assigned([KNOWN, FRESH])
    assert kafka.places == {KNOWN: 7, FRESH: 0}
    assert await asyncio.wait_for(kafka.committed, 5) == {KNOWN: 7}
