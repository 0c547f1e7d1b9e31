"""What a bug put aside comes back by an operator's hand: its effect is there once, and the account says why."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from bus.admin.broker_admin import administrator
from bus.login import Login
from bus.speaker import Speaker
from client.ops.account import TOPIC as ACCOUNT
from client.ops.account import Warrant
from client.ops.letters import Letter, read_letters, redrive
from schemas.operations import ActDone, ActIntended, OperatorEvent
from schemas.topics import OPERATOR, Acl
from tests.conftest import Broker, Database
from tests.integration.counter.messages import EVENTS, NAME, RULES, TOPICS, Add, CounterAccepted
from tests.integration.operators import OpsDesk, ops_desk
from tests.integration.process import our_process
from tests.integration.records import Raw, Reader, header, raw, send

pytestmark = pytest.mark.integration

LETTER_BY_LETTER = (
    sys.executable, "-c", "from client.cli import app; app()", "ops", "dlq", "redrive",
    "--rate", "0.1", "--as", "ada", "--yes", "--why", "Slowly.",
)  # fmt: skip
DEAD, REDRIVEN = TOPICS[2], TOPICS[3]
COUNTERS_RULES = (
    *(Acl(OPERATOR, "READ", "TOPIC", topic.name) for topic in (DEAD, REDRIVEN)),
    Acl(OPERATOR, "WRITE", "TOPIC", REDRIVEN.name),
)


@dataclass(slots=True)
class World:
    ops: OpsDesk
    operator: Login
    database: Any
    producer: AIOKafkaProducer
    events: Reader
    dead: Reader
    redriven: Reader

    async def put_aside(self, number: int) -> Raw:
        """Say a command that a bug cannot take, and wait until it lies among the dead letters."""
        command = raw(Add(actor="ada", counter_id=f"c-{secrets.token_hex(4)}", number=number, manner="bug_for_now"))
        await send(self.producer, [command])
        await self.dead.until(lambda records: any(record.value == command.value for record in records))
        return command

    async def fix(self, number: int) -> None:
        await self.database.execute("insert into gate (number) values ($1)", number)

    async def redrive(self, command: Raw, *more: str) -> dict[str, Any]:
        words = ("dlq", "redrive", "--id", command.id, "--as", "ada", "--yes", "--why", "The release is fixed.", *more)
        (told,) = await self.ops.lines(*words)
        return told

    async def standing(self, command: Raw) -> str:
        (letter,) = await self.ops.lines("dlq", "show", command.id)
        return str(letter["standing"])

    async def letter(self, command: Raw) -> Letter:
        async with Speaker(self.operator) as speaker:
            return next(letter for letter in await read_letters(speaker) if letter.id == command.id)

    async def effects(self, command: Raw) -> int:
        counter = (command.key or b"").decode()
        return int(await self.database.fetchval("select count(*) from effect where counter_id = $1", counter))

    async def accepted(self, command: Raw, times: int) -> None:
        """Wait until it was answered so often: a command that comes again is told the same again."""
        await self.events.until(lambda records: sum(_accepts(record, command) for record in records) >= times)

    async def acts(self, command: Raw) -> list[Any]:
        """What the account says of a letter's acts, in order."""
        place = (await self.letter(command)).place
        async with Speaker(self.operator) as speaker:
            told = [heard.message async for heard in speaker.events((ACCOUNT,), until="now")]
        ids = {act.act_id for act in told if isinstance(act, ActIntended) and place in act.letters}
        return [act for act in told if isinstance(act, OperatorEvent) and act.act_id in ids]


def _accepts(record: Any, command: Raw) -> bool:
    return header(record, "ce_type") == CounterAccepted.type and header(record, "ce_causationid") == command.id


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    await kafka.provision_federation()
    await kafka.provision(TOPICS, (*RULES, *COUNTERS_RULES), [NAME])
    await kafka.empty(TOPICS)
    database, folder = postgres.fresh_database(NAME), tmp_path_factory.mktemp("ops")
    login = kafka.credentials()
    async with our_process("tests.integration.counter", NAME, kafka, database, folder):
        pool = await asyncpg.create_pool(postgres.dsn(database.rpartition("/")[2]), min_size=1, max_size=2)
        readers = [await Reader.of(login, topic) for topic in (EVENTS, DEAD, REDRIVEN)]
        async with AIOKafkaProducer(**login) as producer:
            yield World(ops_desk(kafka, folder), kafka.login(OPERATOR), pool, producer, *readers)
        for reader in readers:
            await reader.stop()
        await pool.close()
    async with administrator(kafka.login()) as admin:
        await admin.drop_acls(COUNTERS_RULES)


async def test_a_dry_run_names_the_letter_and_changes_nothing(world: World) -> None:
    command = await world.put_aside(901)
    (letter,) = await world.ops.lines("dlq", "redrive", "--id", command.id)
    assert (letter["code"], letter["type"], letter["group"]) == ("retries_exhausted", Add.type, NAME)
    assert (await world.ops.lines("dlq", "show", command.id))[0]["standing"] == "open"


async def test_after_the_fix_it_has_its_effect_once_however_often_it_is_redriven(world: World) -> None:
    command = await world.put_aside(902)
    await world.fix(902)
    assert await world.redrive(command) == {"redriven": 1, "taken_by_others": 0}
    await world.accepted(command, 1)
    assert await world.redrive(command) == {"redriven": 0, "taken_by_others": 0}
    assert await world.redrive(command, "--again") == {"redriven": 1, "taken_by_others": 0}
    await world.accepted(command, 2)
    assert await world.effects(command) == 1
    copies = await world.redriven.until(lambda records: [one for one in records if one.value == command.value])
    assert (copies[0].key, header(copies[0], "ce_id")) == (command.key, command.id)
    assert (header(copies[0], "tf-redriven-by"), header(copies[0], "tf-redrive-count")) == ("ada", "1")


async def test_the_account_says_who_did_it_and_why_before_and_after(world: World) -> None:
    command = await world.put_aside(903)
    await world.redrive(command)
    intended, done = await world.acts(command)
    assert (intended.operator, intended.reason, intended.count) == ("ada", "The release is fixed.", 1)
    assert (type(done), done.count) == (ActDone, 1)


async def test_what_fails_again_is_a_new_letter_that_tells_how_often_it_was_sent(world: World) -> None:
    command = await world.put_aside(904)
    await world.redrive(command)
    again = await world.dead.until(
        lambda records: [one for one in records if one.value == command.value and header(one, "tf-redrive-count")]
    )
    first = next(one for one in world.dead.records if one.value == command.value)
    assert header(again[0], "tf-origin") == header(first, "tf-origin")
    assert [letter["redriven"] for letter in await world.ops.lines("dlq", "show", command.id)] == [0, 1]


async def test_a_dropped_letter_is_listed_no_more_and_can_still_be_redriven(world: World) -> None:
    command = await world.put_aside(905)
    words = ("dlq", "drop", "--id", command.id, "--yes", "--why", "It was a test.", "--as", "bea")
    assert await world.ops.lines(*words) == [{"dropped": 1, "taken_by_others": 0}]
    listed = await world.ops.lines("dlq", "list", "--each", "--group", NAME)
    assert command.id not in {letter["id"] for letter in listed}
    assert await world.standing(command) == "dropped"
    await world.fix(905)
    await world.redrive(command, "--again")
    await world.accepted(command, 1)
    assert await world.effects(command) == 1


async def test_of_two_operators_at_once_one_has_each_letter(world: World) -> None:
    letters = [await world.letter(await world.put_aside(number)) for number in (906, 907)]
    async with Speaker(world.operator) as one, Speaker(world.operator) as other:
        taken = await asyncio.gather(
            *(redrive(speaker, letters, Warrant(who, "At once."), per_second=100)
              for speaker, who in ((one, "ada"), (other, "bea")))
        )  # fmt: skip
    assert sorted(letter.place.offset for hands in taken for letter in hands) == [
        letter.place.offset for letter in letters
    ]


async def test_an_act_that_was_killed_is_seen_and_taken_over(world: World) -> None:
    sent, left = await world.put_aside(908), await world.put_aside(910)
    for number in (908, 910):
        await world.fix(number)
    words = (*LETTER_BY_LETTER, "--id", sent.id, "--id", left.id)
    command = subprocess.Popen(words, env=os.environ | {"TRUSTFLOW_ENV": str(world.ops.env_file)})  # noqa: ASYNC220  it takes a millisecond
    await world.redriven.until(lambda records: any(record.value == sent.value for record in records))
    command.kill()
    command.wait(10)
    assert [await world.standing(letter) for letter in (sent, left)] == ["unfinished", "unfinished"]
    assert (await world.redrive(left))["redriven"] == 0
    for letter in (sent, left):
        assert (await world.redrive(letter, "--again"))["redriven"] == 1
        await world.accepted(letter, 1)
        assert await world.effects(letter) == 1


async def test_letters_of_an_act_that_failed_are_open_again(world: World) -> None:
    command = await world.put_aside(909)

    async def fail(_seconds: float) -> None:
        raise ConnectionError

    letters, warrant = [await world.letter(command)], Warrant("ada", "It will fail.")
    async with Speaker(world.operator) as speaker:
        with pytest.raises(ConnectionError):
            await redrive(speaker, letters, warrant, per_second=1, pause=fail)
    assert await world.standing(command) == "open"
