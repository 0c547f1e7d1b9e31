"""How far each consumer group is behind, in records and in seconds, as the broker knows it.

A participant's own truth is its table `position`; it tells the broker the same a moment later. A group that the broker
has forgotten (after seven days without a member) is shown as if it had read nothing.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bus.login import Login
from bus.speaker import reaching
from schemas.topics import SERVICES, TRUST_PREFIX, consumers, subscription

LOOK_S = 5.0
"""How long the first unread record of a partition is looked for: it may be gone, or not readable."""

TRUST_COMMANDS = re.compile(r"trust\.([a-z][a-z0-9-]*)\.commands")


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """``position`` is the next offset that the group reads, ``waiting_since`` the time of the record there if known."""

    group: str
    members: int
    topic: str
    partition: int
    position: int
    end: int
    waiting_since: datetime | None = None

    @property
    def records(self) -> int:
        return max(0, self.end - self.position)

    def seconds(self, now: datetime) -> float | None:
        """How long the first unread record has waited: 0 when there is none, None when its time is not known."""
        if not self.records:
            return 0.0
        return max(0.0, (now - self.waiting_since).total_seconds()) if self.waiting_since else None


@dataclass(frozen=True, slots=True)
class _Log:
    """Where each partition begins and ends."""

    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]


async def lags(login: Login) -> list[PartitionLag]:
    """Every group that the broker knows, and every consumer of `schemas/topics.py`, by group, topic and partition."""
    with reaching(login):
        return await _lags(login)


async def _lags(login: Login) -> list[PartitionLag]:
    async with _administrator(login) as admin:
        topics = [topic["topic"] for topic in await admin.describe_topics()]
        known = frozenset(group for group, _ in await admin.list_consumer_groups())
        async with _reader(login, topics) as (reader, log):
            found = [
                lag
                for name in sorted({*known, *_expected(log)})
                for lag in (await _lags_of(admin, name, log) if name in known else _absent(name, log))
            ]
            return [await _timed(reader, lag) for lag in found]


def _expected(log: _Log) -> tuple[str, ...]:
    """Who should be reading: a node that never came has no group, and is behind all the same."""
    matches = (TRUST_COMMANDS.fullmatch(partition.topic) for partition in log.ends)
    return consumers(sorted({match[1] for match in matches if match}))


async def _lags_of(admin: AIOKafkaAdminClient, group: str, log: _Log) -> list[PartitionLag]:
    members = await _members(admin, group)
    committed = await admin.list_consumer_group_offsets(group)
    read = sorted({*_subscribed(group, log), *committed} & log.ends.keys())
    return [_lag(group, members, partition, committed.get(partition), log) for partition in read]


def _absent(group: str, log: _Log) -> list[PartitionLag]:
    """A group that the broker does not know has read nothing."""
    return [_lag(group, 0, partition, None, log) for partition in _subscribed(group, log)]


def _lag(group: str, members: int, partition: TopicPartition, committed: Any, log: _Log) -> PartitionLag:
    """Retention may have passed what was committed."""
    begin = log.begins[partition]
    position = max(begin, committed.offset) if committed else begin
    return PartitionLag(group, members, partition.topic, partition.partition, position, log.ends[partition])


def _subscribed(group: str, log: _Log) -> list[TopicPartition]:
    if group not in SERVICES and not group.startswith(TRUST_PREFIX):
        return []
    pattern = re.compile(subscription(group))
    return [partition for partition in log.ends if pattern.match(partition.topic)]


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    """Processes of the group that are there now."""
    (answer,) = await admin.describe_consumer_groups([group])
    (described,) = answer.to_object()["groups"]
    return len(described["members"])


async def _timed(reader: AIOKafkaConsumer, lag: PartitionLag) -> PartitionLag:
    """With the time of its first unread record."""
    if not lag.records:
        return lag
    partition = TopicPartition(lag.topic, lag.partition)
    reader.assign([partition])
    reader.seek(partition, lag.position)
    try:
        async with asyncio.timeout(LOOK_S):
            record = await reader.getone(partition)
    except (TimeoutError, UnicodeDecodeError):
        return lag
    return replace(lag, waiting_since=datetime.fromtimestamp(record.timestamp / 1000, UTC))


@asynccontextmanager
async def _administrator(login: Login) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**login.options())
    try:
        await client.start()
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def _reader(login: Login, topics: Iterable[str]) -> AsyncIterator[tuple[AIOKafkaConsumer, _Log]]:
    """Short waits: a fetch at the end of one partition must not hold up the look at the next."""
    reader = AIOKafkaConsumer(
        *topics,
        group_id=None,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=10,
        max_partition_fetch_bytes=2**16,
        **login.options(),
    )
    try:
        await reader.start()
        partitions = tuple(reader.assignment())
        reader.unsubscribe()
        yield reader, _Log(await reader.beginning_offsets(partitions), await reader.end_offsets(partitions))
    finally:
        await reader.stop()
