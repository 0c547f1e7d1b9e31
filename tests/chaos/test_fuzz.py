"""100,000 records that are wrong in some way, through a living consumer, with good ones in between."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bus.decode import Decoded, StoredRecord, read
from schemas.topics import AUDIT_EVENTS, own_topics
from tests.chaos.evidence import everything_on
from tests.chaos.members import Member, settings_of
from tests.chaos.messages import DELTA, DELTA_COMMANDS, ROLES, RULES, TOPICS, Probe
from tests.chaos.mutations import TAG, mutated, tagged
from tests.chaos.world import database_of
from tests.conftest import Broker, Database
from tests.integration.records import Raw, header, raw

pytestmark = pytest.mark.integration

MUTANTS = 100_000
GOOD_EVERY = 20
GOOD = "good"
AT_ONCE = 2_000
WITHIN_S = 240.0
WARM_AFTER = MUTANTS // 4
MOST_GROWTH = 1.10
PAGE = 4096


@dataclass(slots=True)
class Sent:
    """``good`` by partition, in order; of the others the readable by their ids, and the unreadable by their tags."""

    good: Counter[int] = field(default_factory=Counter)
    readable: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Memory:
    """Resident bytes of a process, sampled while it works; growing to its working size at first is no leak."""

    pid: int
    samples: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def watched(self, warm: Awaitable[None]) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch(warm))
        try:
            yield
        finally:
            watching.cancel()

    @property
    def growth(self) -> float:
        """Of the mean of the last third over the mean of the first."""
        third = len(self.samples) // 3
        return mean(self.samples[-third:]) / mean(self.samples[:third])

    async def _watch(self, warm: Awaitable[None]) -> None:
        await warm
        while True:
            _, resident, *_ = Path(f"/proc/{self.pid}/statm").read_text().split()
            self.samples.append(int(resident) * PAGE)
            await asyncio.sleep(0.1)


@pytest.mark.timeout(WITHIN_S + 60)
async def test_nothing_stalls_and_nothing_good_is_lost_among_100_000_mutants(
    kafka: Broker, postgres: Database, tmp_path: Path
) -> None:
    seed, url = secrets.randbelow(10**6), postgres.fresh_database(DELTA)
    async with kafka.lent(TOPICS, RULES, ROLES), opened(postgres, url) as database:
        member = Member(DELTA, 0, settings_of(DELTA, 0, kafka, url), tmp_path / "delta.log")
        member.start()
        try:
            memory = Memory(member.pid)
            async with asyncio.timeout(WITHIN_S), memory.watched(taken(database, WARM_AFTER)):
                sent = await feed(kafka, database, seed)
            await judge(sent, database, kafka, seed)
            assert memory.growth < MOST_GROWTH
            assert not member.ended.is_set()
        finally:
            member.kill()


@asynccontextmanager
async def opened(postgres: Database, url: str) -> AsyncIterator[Any]:
    database = await database_of(postgres, url)
    try:
        yield database
    finally:
        await database.close()


async def feed(kafka: Broker, database: Any, seed: int) -> Sent:
    """Send everything; return when the consumer has taken all of it and said what it had to say."""
    async with AIOKafkaProducer(**kafka.credentials(), linger_ms=5) as producer:
        sent = await send_all(producer, seed)
    await taken(database, MUTANTS + sent.good.total())
    await until(database, "select not exists (select 1 from outbox where topic <> $1)", AUDIT_EVENTS)
    return sent


async def send_all(producer: AIOKafkaProducer, seed: int) -> Sent:
    sent, mutants = Sent(), mutated(seed, MUTANTS)
    for first in range(0, MUTANTS, AT_ONCE):
        batch = list(_mixed(islice(mutants, AT_ONCE), first, sent))
        await asyncio.gather(*[await _send(producer, record, partition) for partition, record in batch])
    return sent


def _mixed(mutants: Iterator[Raw], first: int, sent: Sent) -> Iterator[tuple[int, Raw]]:
    """A good one before every so many mutants, on each partition in turn."""
    for number, mutant in enumerate(mutants, first):
        partition = number // GOOD_EVERY % DELTA_COMMANDS.partitions
        if number % GOOD_EVERY == 0:
            yield partition, tagged(raw(_good(partition, sent.good[partition])), GOOD)
            sent.good[partition] += 1
        if (read_as := _read(mutant)) is None:
            sent.unreadable.add(header(mutant, TAG))
        else:
            sent.readable.add(read_as)
        yield partition, mutant


def _good(partition: int, number: int) -> Probe:
    return Probe(actor="ada", strand=f"{GOOD}-{partition}", number=number)


def _read(record: Raw) -> str | None:
    """Its id if it can be read; two that a mutation gave the same id are one."""
    stored = StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers)
    decoded = read(stored)
    return decoded.envelope.id if isinstance(decoded, Decoded) else None


async def _send(producer: AIOKafkaProducer, record: Raw, partition: int) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = await producer.send(
        record.topic, record.value, key=record.key, headers=record.headers, partition=partition
    )
    return future


async def taken(database: Any, records: int) -> None:
    await until(database, "select sum(next_offset) >= $1 from position", records)


async def until(database: Any, query: str, *args: object) -> None:
    while not await database.fetchval(query, *args):  # noqa: ASYNC110  of another process
        await asyncio.sleep(0.05)


async def judge(sent: Sent, database: Any, kafka: Broker, seed: int) -> None:
    """Each good one had its effect once and in order; each other one its effect, or its dead letter, once."""
    effects = await database.fetch("select strand, number from effect order by seq")
    for partition, number in sent.good.items():
        assert [row["number"] for row in effects if row["strand"] == f"{GOOD}-{partition}"] == list(range(number))
    assert len(effects) - sent.good.total() == len(sent.readable), f"seed {seed}"
    letters = Counter(await everything_on(kafka.credentials(), own_topics(DELTA)[0], lambda one: header(one, TAG)))
    assert letters == Counter(sent.unreadable), f"seed {seed}"
