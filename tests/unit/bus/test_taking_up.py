"""Partitions that come while the database is away are read from our own positions or not at all."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition

import bus.consumer
from bus.consumer import Consumer
from bus.wake import Wake

OURS = TopicPartition("project.events", 0)


@dataclass(slots=True)
class FakeKafka:
    """Remembers what was asked of it."""

    places: dict[TopicPartition, int] = field(default_factory=dict)
    asleep: set[TopicPartition] = field(default_factory=set)
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset({OURS})

    def pause(self, *partitions: TopicPartition) -> None:
        self.asleep |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.asleep -= set(partitions)
        self.awake.set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.places[partition] = offset


class LateInbox:
    """Its database answers the third time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def positions(self, _pool: Any) -> Mapping[tuple[str, int], int]:
        self.asked += 1
        if self.asked < 3:
            raise ConnectionRefusedError
        return {tuple(OURS): 7}


async def test_nothing_is_read_before_our_own_positions_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus.consumer, "TAKE_UP_EVERY_S", 0.0)
    monkeypatch.setattr(Consumer, "_tell_broker", lambda *_: None)
    kafka, inbox = FakeKafka(), LateInbox()
    monkeypatch.setattr(Consumer, "kafka", kafka)
    consumer = Consumer(inbox, Wake())  # type: ignore[arg-type]  # only its positions are asked for
    await consumer._take_up([OURS])
    assert kafka.asleep == {OURS}
    async with asyncio.timeout(5):
        await kafka.awake.wait()
    assert (kafka.places, kafka.asleep) == ({OURS: 7}, set())
