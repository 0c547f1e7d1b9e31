"""A counter that runs, and everything one needs to see what it does."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from tests.conftest import Broker, Database
from tests.integration.counter.messages import (
    EVENTS,
    NAME,
    RULES,
    TOPICS,
    Add,
    CounterAccepted,
    CounterRejected,
    Manner,
)
from tests.integration.process import OurProcess, our_process
from tests.integration.records import Raw, Reader, header, raw, send

WITHIN_S = 30.0
DEAD_LETTERS = TOPICS[2]


@dataclass(slots=True)
class World:
    process: OurProcess
    database: Any
    producer: AIOKafkaProducer
    events: Reader
    dead: Reader

    async def say(self, *commands: Add) -> list[Raw]:
        records = [raw(command) for command in commands]
        await send(self.producer, records)
        return records

    async def effects(self, counter: str) -> list[int]:
        rows = await self.database.fetch("select number from effect where counter_id = $1 order by seq", counter)
        return [row["number"] for row in rows]

    async def until(self, query: str, *args: object) -> Any:
        """Ask the participant's database until the answer is true."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := await self.database.fetchval(query, *args)):  # noqa: ASYNC110  of another process
                await asyncio.sleep(0.01)
            return found

    async def heard(self, said: type[Any], counter: str, number: int = 1) -> list[Any]:
        """The events of this type and key, once there are as many; a relay that dies may say one twice."""
        return await self.events.until(lambda records: at_least(number, each_once(of(records, said, counter))))

    async def answer(self, command: Raw) -> Any:
        """What became of a command: the record that names it as its cause."""
        return await self.events.until(lambda records: first(records, is_answer_to(command.id)))

    async def put_aside(self, command: Raw) -> Any:
        return await self.dead.until(lambda records: first(records, lambda record: record.value == command.value))


def of(records: Sequence[Any], said: type[Any], counter: str) -> list[Any]:
    return [record for record in records if header(record, "ce_type") == said.type and record.key == counter.encode()]


def at_least(number: int, found: list[Any]) -> list[Any]:
    return found if len(found) >= number else []


def each_once(records: list[Any]) -> list[Any]:
    by_id: dict[str, Any] = {}
    for record in records:
        by_id.setdefault(header(record, "ce_id"), record)
    return list(by_id.values())


def first(records: Sequence[Any], wanted: Callable[[Any], bool]) -> Any:
    return next((record for record in records if wanted(record)), None)


def is_answer_to(id_: str) -> Callable[[Any], bool]:
    answers = {CounterAccepted.type, CounterRejected.type}
    return lambda record: header(record, "ce_causationid") == id_ and header(record, "ce_type") in answers


def counter() -> str:
    return f"c-{secrets.token_hex(4)}"


def add(counter_id: str, number: int = 0, manner: Manner = "plain") -> Add:
    return Add(actor="ada", counter_id=counter_id, number=number, manner=manner)


@asynccontextmanager
async def running_counter(kafka: Broker, postgres: Database, folder: Path) -> AsyncIterator[World]:
    await kafka.provision(TOPICS, RULES, [NAME])
    await kafka.empty(TOPICS)
    database = postgres.fresh_database(NAME)
    login = kafka.credentials()
    async with our_process("tests.integration.counter", NAME, kafka, database, folder) as process:
        pool = await asyncpg.create_pool(postgres.dsn(database.rpartition("/")[2]), min_size=1, max_size=4)
        events, dead = await Reader.of(login, EVENTS), await Reader.of(login, DEAD_LETTERS)
        async with AIOKafkaProducer(**login, linger_ms=2) as producer:
            yield World(process, pool, producer, events, dead)
        await events.stop()
        await dead.stop()
        await pool.close()
