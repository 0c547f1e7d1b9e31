"""Keys that wait, topics that are held, a breaker that trips: one stumbles, the others go on, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bus.breaker import LONGEST_RUN
from schemas.topics import Acl
from tests.conftest import Broker, Database
from tests.integration.counter.messages import LOST, NAME, REDRIVE, Added, CounterAccepted, CounterRejected
from tests.integration.counter.world import World, add, counter, first, is_answer_to, of, running_counter
from tests.integration.records import header, raw, send

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_counter(kafka, postgres, tmp_path_factory.mktemp("waiting")) as counter_world:
        yield counter_world


async def open_gate(world: World, number: int) -> None:
    await world.database.execute("insert into gate values ($1)", number)


async def health(world: World) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{world.process.url}/health") as answer:
        return await answer.json()


async def is_halted(world: World) -> bool:
    return any("consumer halted" in fault for fault in (await health(world))["faults"])


class TestKeysThatWait:
    async def test_a_key_waits_with_all_that_follows_and_others_of_its_partition_go_on(self, world: World) -> None:
        waits, goes = counter(), counter()
        records = [raw(command) for command in (add(waits, 501, "waits"), add(waits, 2), add(goes, 1), add(waits, 3))]
        await send(world.producer, records, partition=0)
        await world.answer(records[2])
        await world.until("select count(*) = 3 from deferred where key = $1", waits)
        assert await world.effects(waits) == []
        await open_gate(world, 501)
        await world.answer(records[3])
        assert await world.effects(waits) == [501, 2, 3]
        await world.until("select count(*) = 0 from deferred")
        assert await world.database.fetchval("select sum(deferred) from position") == 0

    async def test_what_waits_outlives_the_process(self, world: World) -> None:
        waits = counter()
        await world.say(add(waits, 511, "waits"), add(waits, 2))
        await world.until("select count(*) = 2 from deferred where key = $1", waits)
        world.process.kill()
        await open_gate(world, 511)
        await world.process.start()
        await world.heard(Added, waits, 2)
        assert await world.effects(waits) == [511, 2]

    async def test_what_waited_in_vain_is_put_aside_with_its_history(self, world: World) -> None:
        waits = counter()
        hopeless, last = await world.say(add(waits, 521, "waits"), add(waits, 2))
        await world.until("select count(*) = 2 from deferred where key = $1", waits)
        await world.database.execute("update deferred set attempts = 19, retry_at = now() where error is not null")
        await world.answer(last)
        letter = await world.put_aside(hopeless)
        told = [header(letter, f"tf-{name}") for name in ("code", "error", "attempts")]
        assert told == ["retries_exhausted", "Transient", "25"]
        assert header(letter, "tf-first-failed-at") < header(letter, "tf-failed-at")
        assert await world.effects(waits) == [2]


class TestRedriving:
    async def test_what_was_put_aside_is_handled_when_it_is_sent_again_once(self, world: World) -> None:
        mine = counter()
        (broken,) = await world.say(add(mine, 531, "bug_for_now"))
        letter = await world.put_aside(broken)
        await open_gate(world, 531)
        again = replace(broken, topic=REDRIVE.name, headers=[(name, value) for name, value in letter.headers])
        await send(world.producer, [again, again, raw(add(mine, 2))])
        await world.until("select count(*) >= 2 from effect where counter_id = $1", mine)
        assert sorted(await world.effects(mine)) == [2, 531]

    async def test_what_fails_again_keeps_its_origin(self, world: World) -> None:
        (broken,) = await world.say(add(counter(), 541, "bug"))
        letter = await world.put_aside(broken)
        again = replace(broken, topic=REDRIVE.name, headers=[*letter.headers, ("tf-redrive-count", b"1")])
        await send(world.producer, [again])
        second = await world.dead.until(
            lambda records: first(records, lambda r: r.value == broken.value and header(r, "tf-redrive-count"))
        )
        assert header(second, "tf-origin") == header(letter, "tf-origin")
        assert len([name for name, _ in second.headers if name == "tf-origin"]) == 1

    async def test_a_replay_never_reaches_a_handler(self, world: World) -> None:
        mine = counter()
        copy = raw(add(mine, 1))
        origin = [("tf-origin", b"counter.commands/0/0"), ("tf-replay", b"looking")]
        await send(world.producer, [replace(copy, topic=REDRIVE.name, headers=[*copy.headers, *origin])])
        assert header(await world.put_aside(copy), "tf-code") == "replayed"
        assert await world.effects(mine) == []


class TestTheSameCommandAgain:
    @pytest.mark.parametrize(
        ("manner", "answer", "effects"), [("plain", CounterAccepted, [1]), ("reject", CounterRejected, [])]
    )
    async def test_it_has_one_effect_and_the_same_answer(
        self, world: World, manner: str, answer: type, effects: list[int]
    ) -> None:
        mine = counter()
        command = raw(add(mine, 1, manner))
        await send(world.producer, [command])
        before = await world.answer(command)
        await send(world.producer, [command, command])
        answers = await world.events.until(
            lambda records: [r for r in records if is_answer_to(command.id)(r)][2:] and records
        )
        told = [r for r in answers if is_answer_to(command.id)(r)]
        assert {record.value for record in told} == {before.value}
        assert answer.parse(before.value).command_id == command.id
        assert await world.effects(mine) == effects

    async def test_another_command_under_its_id_is_refused_and_has_no_effect(self, world: World) -> None:
        mine, other = counter(), counter()
        command = raw(add(mine, 1))
        await send(world.producer, [command])
        await world.answer(command)
        await send(world.producer, [raw(add(other, 2), id_=command.id)])
        told = await world.events.until(lambda records: of(records, CounterRejected, other))
        assert CounterRejected.parse(told[0].value).code == "id_used"
        assert await world.effects(other) == []


class TestTopicsThatAreHeld:
    async def test_what_cannot_be_said_holds_up_nothing_else_and_is_said_once_it_can_be(
        self, world: World, kafka: Broker
    ) -> None:
        mine = counter()
        _, last = await world.say(add(mine, 1, "lost"), add(mine, 2))
        await world.answer(last)
        assert await world.database.fetchval("select count(*) from outbox where topic = $1", LOST.name) == 1
        assert LOST.name in (await health(world))["held_topics"]
        await kafka.provision([LOST], [Acl(NAME, "WRITE", "TOPIC", LOST.name)])
        await world.until("select count(*) = 0 from outbox where topic = $1", LOST.name)


class TestTheCircuitBreaker:
    async def test_a_bug_that_meets_every_record_stops_the_consumer_before_the_topic_is_drained(
        self, world: World
    ) -> None:
        mine = [counter() for _ in range(20)]
        commands = await world.say(*(add(key, 600 + number, "bug_for_now") for key in mine for number in range(3)))
        async with asyncio.timeout(60):
            while not await is_halted(world):  # noqa: ASYNC110  another process's health
                await asyncio.sleep(0.1)
        await world.database.executemany("insert into gate values ($1)", [(600 + number,) for number in range(3)])
        world.process.kill()
        await world.process.start()
        answers = [
            CounterAccepted if header(await world.answer(c), "ce_type") == CounterAccepted.type else CounterRejected
            for c in commands
        ]
        effects = [effect for key in mine for effect in await world.effects(key)]
        assert len(effects) == answers.count(CounterAccepted)
        assert LONGEST_RUN < answers.count(CounterRejected) < len(commands)
