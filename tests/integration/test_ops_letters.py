"""A record that a bug put aside comes back by an operator's hand: its effect is there once, and the account says why."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from schemas.operations import ActDone, ActIntended
from schemas.topics import HUB_TOPICS, OPERATOR, Acl
from tests.conftest import Broker, Database
from tests.integration.counter.messages import EVENTS, NAME, RULES, TOPICS, Add, Added, CounterAccepted
from tests.integration.operators import OpsDesk, ops_desk
from tests.integration.process import our_process
from tests.integration.records import Raw, Reader, header, raw, send

pytestmark = pytest.mark.integration

WITHIN_S = 30.0
DEAD, REDRIVEN = TOPICS[2], TOPICS[3]
ACCOUNT = next(topic for topic in HUB_TOPICS if topic.name == "operator.events")
OPERATORS_RULES = (
    Acl(OPERATOR, "READ", "TOPIC", DEAD.name),
    Acl(OPERATOR, "WRITE", "TOPIC", REDRIVEN.name),
    Acl(OPERATOR, "WRITE", "TOPIC", ACCOUNT.name),
    Acl(OPERATOR, "READ", "TOPIC", ACCOUNT.name),
)


@dataclass(slots=True)
class World:
    ops: OpsDesk
    database: Any
    producer: AIOKafkaProducer
    events: Reader
    dead: Reader
    redriven: Reader
    account: Reader

    async def put_aside(self, number: int) -> Raw:
        """Say a command that a bug cannot take, and wait until it lies among the dead letters."""
        command = raw(Add(actor="ada", counter_id=f"c-{secrets.token_hex(4)}", number=number, manner="bug_for_now"))
        await send(self.producer, [command])
        await self.dead.until(lambda records: any(record.value == command.value for record in records))
        return command

    async def fix(self, number: int) -> None:
        await self.database.execute("insert into gate (number) values ($1)", number)

    async def redrive(self, command: Raw, *more: str) -> list[dict[str, Any]]:
        """Redrive and wait until the counter has answered what was sent."""
        words = ("dlq", "redrive", "--id", command.id, "--as", "ada", "--yes", "--why", "The release is fixed.", *more)
        return await self.ops.lines(*words)

    async def effects(self, command: Raw) -> int:
        return int(
            await self.database.fetchval("select count(*) from effect where counter_id = $1", command.key.decode())
        )

    async def accepted(self, command: Raw) -> None:
        await self.events.until(lambda records: any(_accepts(record, command) for record in records))


def _accepts(record: Any, command: Raw) -> bool:
    return header(record, "ce_type") == CounterAccepted.type and header(record, "ce_causationid") == command.id


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    await kafka.provision((*TOPICS, ACCOUNT), (*RULES, *OPERATORS_RULES), [NAME])
    database, folder = postgres.fresh_database(NAME), tmp_path_factory.mktemp("ops")
    login = kafka.credentials()
    async with our_process("tests.integration.counter", NAME, kafka, database, folder):
        pool = await asyncpg.create_pool(postgres.dsn(database.rpartition("/")[2]), min_size=1, max_size=2)
        readers = [await Reader.of(login, topic) for topic in (EVENTS, DEAD, REDRIVEN, ACCOUNT)]
        async with AIOKafkaProducer(**login) as producer:
            yield World(ops_desk(kafka, folder), pool, producer, *readers)
        for reader in readers:
            await reader.stop()
        await pool.close()


async def test_a_dry_run_names_the_letter_and_changes_nothing(world: World) -> None:
    command = await world.put_aside(901)
    (letter,) = await world.ops.lines("dlq", "redrive", "--id", command.id)
    assert (letter["code"], letter["type"], letter["group"]) == ("retries_exhausted", Add.type, NAME)
    assert (await world.ops.lines("dlq", "show", command.id))[0]["standing"] == "open"


async def test_after_the_fix_it_has_its_effect_once_however_often_it_is_redriven(world: World) -> None:
    command = await world.put_aside(902)
    await world.fix(902)
    assert await world.redrive(command) == [{"redriven": 1, "taken_by_others": 0}]
    await world.accepted(command)
    assert await world.redrive(command) == [{"redriven": 0, "taken_by_others": 0}]
    assert await world.redrive(command, "--again") == [{"redriven": 1, "taken_by_others": 0}]
    marker = await world.put_aside(903)
    assert await world.effects(marker) == 0
    assert await world.effects(command) == 1
    copies = [record for record in world.redriven.records if record.value == command.value]
    assert len(copies) == 2
