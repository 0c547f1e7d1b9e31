"""The loop's other half: FastStream polls, this applies each partition and pauses what is stuck."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import asyncpg
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from bus.backoff import pause_s
from bus.breaker import Breaker
from bus.decode import Record, StoredRecord
from bus.guard import Guard
from bus.inbox import Applied, Inbox
from bus.wake import Wake
from bus.watch import metrics
from bus.watch.behind import Behind

log = logging.getLogger(__name__)

DATABASE_TROUBLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    TimeoutError,
)
MOST_AT_ONCE = 500
TELL_EVERY_S = 0.2
TAKE_UP_EVERY_S = 0.2


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One participant's consumption: applies batches, partition by partition."""

    def __init__(self, inbox: Inbox, wake: Wake) -> None:
        self.inbox = inbox
        inbox.catching_up = self.is_catching_up
        self.wake = wake
        self.pool: Any = None
        self.subscriber: Any = None
        self.guard: Guard | None = None
        self.breaker = Breaker()
        self.behind = Behind()
        self.halted: str | None = None
        self.failures: dict[TopicPartition, tuple[int, int]] = {}
        self._in_hand: set[TopicPartition] = set()
        self._has_doubted = False
        self._resuming: set[asyncio.Task[None]] = set()
        self._untold: dict[TopicPartition, int] = {}
        self._telling: asyncio.Task[None] | None = None
        self._committing = asyncio.Lock()
        self._joined = asyncio.Event()

    @property
    def kafka(self) -> Any:
        """FastStream makes it when the broker starts, before the first assignment."""
        return self.subscriber.consumer

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """No commit may meet a join: it would be refused for a generation that is over, and aiokafka join once more."""
        self._joined.clear()
        async with self._committing:
            pass  # the one that is on its way has been answered
        for partition in revoked:
            self.failures.pop(partition, None)
            self.behind.forget(partition)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Seek to our own positions, and tell the broker: its own may be behind, or forgotten."""
        metrics.REBALANCES.inc()
        self.guard = self.guard or Guard(self.kafka, self._lost)
        await self._take_up(assigned)
        self._doubt(assigned)
        self._joined.set()

    def _doubt(self, assigned: Iterable[TopicPartition]) -> None:
        """Join once more when a topic has nothing assigned.

        Who takes its forerunner's place in the group gets its partitions as they were; a trust may have come since.
        """
        unread = self.kafka.subscription() - {partition.topic for partition in assigned}
        if unread and not self._has_doubted:
            self._has_doubted = True
            self.kafka._coordinator.request_rejoin()  # noqa: SLF001  aiokafka has no public call for it

    async def _take_up(self, partitions: Collection[TopicPartition]) -> None:
        """Without our own positions nothing is read: the broker's may be of another time."""
        try:
            await self._seek_own(partitions)
        except (*DATABASE_TROUBLE, KafkaError) as error:
            log.warning("our positions are not known yet: %s", type(error).__name__)
            self.kafka.pause(*partitions)
            self._keep(asyncio.create_task(self._take_up_later(frozenset(partitions))))

    async def _take_up_later(self, partitions: frozenset[TopicPartition]) -> None:
        while True:
            await asyncio.sleep(TAKE_UP_EVERY_S)
            ours = partitions & self.kafka.assignment()
            try:
                await self._seek_own(ours)
            except (*DATABASE_TROUBLE, KafkaError) as error:
                log.info("our positions are still not known: %s", type(error).__name__)
            else:
                self.kafka.resume(*ours)
                return

    async def _seek_own(self, partitions: Iterable[TopicPartition]) -> None:
        positions = await self.inbox.positions(self.pool)
        if fresh := [partition for partition in partitions if tuple(partition) not in positions]:
            await self.kafka.seek_to_beginning(*fresh)
        for partition in partitions:
            offset = positions.get(tuple(partition))
            if offset is not None:
                self.kafka.seek(partition, offset)
                self._tell_broker(partition, offset)

    async def is_catching_up(self) -> bool:
        """True while some event of before is still unread; commands don't count, they wait for one another."""
        events = [partition for partition in self.kafka.assignment() if not partition.topic.endswith(".commands")]
        return any([await self._is_behind(partition) for partition in events])

    async def _is_behind(self, partition: TopicPartition) -> bool:
        """Judge by what was read: our own position stays where nothing concerned us, or where old records are gone."""
        high = self.kafka.highwater(partition)
        return high is None or partition in self._in_hand or await self.kafka.position(partition) < high

    async def take(self, record: Record) -> None:
        """Apply a record, and with it whatever else has arrived by now.

        FastStream's own batches sleep after each empty poll as long as the poll may last, and hear nothing meanwhile.
        """
        await self.apply([record, *await self._arrived()])

    async def _arrived(self) -> list[Record]:
        """Whatever fails here must not cost the record that was taken before: its place has been passed."""
        if self.guard is None or self.guard.is_careful:
            return []
        try:
            return list(
                chain.from_iterable((await self.kafka.getmany(timeout_ms=0, max_records=MOST_AT_ONCE)).values())
            )
        except KafkaError as error:
            log.warning("no more records for now: %s", type(error).__name__)
            return []
        except UnicodeDecodeError:
            # what was drained with the unreadable record is gone: read it again from our own positions
            self.guard.be_careful()
            await self._take_up(self.kafka.assignment())
            return []

    async def _lost(self, partition: TopicPartition, offset: int) -> None:
        await self.inbox.lose(self.pool, StoredRecord(partition.topic, partition.partition, offset))

    async def retry_deferred(self) -> bool:
        more = await self.inbox.retry_deferred(self.pool)
        self.wake.up(self.inbox.take_work())
        return more

    async def apply(self, records: Sequence[Record]) -> None:
        self._in_hand = set(map(_partition, records))
        awake = self.kafka.assignment() - self.kafka.paused()
        runs = {
            partition: list(run)
            for partition, run in groupby(sorted(records, key=_partition), key=_partition)
            if partition in awake
        }
        if len(runs) > 1 and await self._apply_all(runs):
            self._in_hand.clear()
            return
        for partition, run in runs.items():
            self._in_hand.discard(partition)
            if self._is_awake(partition):
                await self._apply_partition(partition, run)

    def _is_awake(self, partition: TopicPartition) -> bool:
        return partition in self.kafka.assignment() and partition not in self.kafka.paused()

    async def _apply_all(self, runs: Mapping[TopicPartition, Sequence[Record]]) -> bool:
        """In one transaction as long as nothing goes wrong; false when each partition must be applied alone."""
        for partition, run in runs.items():
            self.behind.taken(partition, run[0])
        try:
            applied = await self.inbox.apply_all(self.pool, list(runs.values()))
        except Exception as error:  # noqa: BLE001  whatever it is, each partition alone says it again and waits
            log.warning("trouble on %s partitions: %s", len(runs), type(error).__name__)
            return False
        for (partition, run), one in zip(runs.items(), applied or (), strict=bool(applied)):
            self._after(partition, one)
            self.behind.applied(partition, run[-1])
        return applied is not None

    async def _apply_partition(self, partition: TopicPartition, records: list[Record]) -> None:
        """Whatever goes wrong, the partition never moves past a record that was neither applied nor put aside."""
        self.behind.taken(partition, records[0])
        try:
            applied = await self.inbox.apply(self.pool, records)
        except Exception as error:
            log.warning(
                "trouble on %s: %s",
                partition,
                type(error).__name__,
                exc_info=not isinstance(error, DATABASE_TROUBLE),
            )
            self._pause(partition, records[0].offset)
        else:
            self._after(partition, applied)
            if not applied.stuck:
                self.behind.applied(partition, records[-1])

    def _after(self, partition: TopicPartition, applied: Applied) -> None:
        self.wake.up(self.inbox.take_work())
        if why := self.breaker.tripped_by(applied.dead, applied.handled):
            self.halted = why
            log.critical("consumer halted: %s", why)
        if applied.stuck or self.halted:
            self._pause(partition, applied.next_offset)
            return
        self.failures.pop(partition, None)
        if applied.next_offset >= 0:
            self._tell_broker(partition, applied.next_offset)

    def _tell_broker(self, partition: TopicPartition, offset: int) -> None:
        self._untold[partition] = offset
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        """Remember what was skipped, then tell the tools that watch lag; a failure costs only reading it again."""
        while self._untold and self.kafka is not None:
            offsets, self._untold = self._untold, {}
            try:
                await self.inbox.remember(self.pool, offsets)
                await self._commit(offsets)
            except (*DATABASE_TROUBLE, KafkaError) as error:
                metrics.COMMIT_FAILURES.inc()
                log.info("offsets not told to the broker: %s", type(error).__name__)
            await asyncio.sleep(TELL_EVERY_S)

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        await self._joined.wait()
        async with self._committing:
            ours = self.kafka.assignment()
            await self.kafka.commit({partition: at for partition, at in offsets.items() if partition in ours})

    def _pause(self, partition: TopicPartition, offset: int) -> None:
        """Stop this partition for a moment; the others, and the heartbeat, go on."""
        if partition not in self.kafka.assignment():
            return
        stuck_at, failures = self.failures.get(partition, (offset, 0))
        # another record than the last time: its own patience begins
        failures = failures + 1 if stuck_at == offset else 1
        self.failures[partition] = (offset, failures)
        self.kafka.seek(partition, offset)
        self.kafka.pause(partition)
        if not self.halted:
            self._keep(asyncio.create_task(self._resume(partition, pause_s(failures))))

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Until it is done: the event loop itself would forget it."""
        self._resuming.add(task)
        task.add_done_callback(self._resuming.discard)

    async def _resume(self, partition: TopicPartition, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if partition in self.kafka.assignment():
            self.kafka.resume(partition)


def _partition(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
