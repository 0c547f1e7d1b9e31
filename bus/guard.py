"""Past what aiokafka cannot read: a header name that is not UTF-8 makes it raise at the same record for ever."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import TopicPartition

from bus.decode import Record
from bus.watch import metrics

log = logging.getLogger(__name__)

CAREFUL_S = 5.0
LOOK_S = 1.0

Lost = Callable[[TopicPartition, int], Awaitable[None]]


class Guard:
    """Stands before a Kafka consumer's ``getone``: whatever it raises on is stepped over, said and counted.

    The client reads a whole batch of its producer to find one record, so what follows the bad record in that batch
    is lost with it; no other producer's records are.
    """

    def __init__(self, kafka: Any, lost: Lost) -> None:
        self._kafka = kafka
        self._plain = kafka.getone
        self._lost = lost
        self._careful_until = 0.0
        kafka.getone = self.getone

    @property
    def is_careful(self) -> bool:
        """True while records are to be taken one by one: those drained beside an unreadable one would be lost."""
        return time.monotonic() < self._careful_until

    def be_careful(self) -> None:
        self._careful_until = time.monotonic() + CAREFUL_S

    async def getone(self) -> Record:
        while True:
            try:
                return await self._plain()  # type: ignore[no-any-return]  # aiokafka is untyped
            except UnicodeDecodeError:
                self.be_careful()
                if record := await self._next_readable():
                    return record

    async def _next_readable(self) -> Record | None:
        """Look at the partitions one by one; step over the unreadable record, or return what could be read."""
        for partition in await self._unread():
            try:
                async with asyncio.timeout(LOOK_S):
                    return await self._plain(partition)  # type: ignore[no-any-return]  # aiokafka is untyped
            except TimeoutError:
                continue
            except UnicodeDecodeError:
                await self._step_over(partition)
                return None
        return None

    async def _unread(self) -> list[TopicPartition]:
        awake = self._kafka.assignment() - self._kafka.paused()
        return [partition for partition in awake if await self._has_more(partition)]

    async def _has_more(self, partition: TopicPartition) -> bool:
        high = self._kafka.highwater(partition)
        return high is not None and await self._kafka.position(partition) < high

    async def _step_over(self, partition: TopicPartition) -> None:
        offset = await self._kafka.position(partition)
        self._kafka.seek(partition, offset + 1)
        metrics.DEAD_LETTERS.labels("unreadable_record").inc()
        log.critical("stepped over %s/%s@%s: its headers cannot be read", *partition, offset)
        await self._lost(partition, offset)
