"""The guarantees of the bus, on a real broker and a real database, with a participant that is killed as it pleases."""

import asyncio
import json
import os
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.conftest import Broker, Database
from tests.integration.counter.messages import (
    COMMANDS,
    NAME,
    TOPICS,
    Add,
    Added,
    CounterAccepted,
    CounterRejected,
    NotDone,
    Reminded,
)
from tests.integration.counter.world import World, add, counter, first, of, running_counter
from tests.integration.records import Raw, header, raw, send

pytestmark = pytest.mark.integration

WITHIN_S = 30.0
SECRET = "Mustermann^Erika"
DEAD_LETTERS = TOPICS[2]


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_counter(kafka, postgres, tmp_path_factory.mktemp(NAME)) as counter_world:
        yield counter_world


class TestCommands:
    async def test_a_command_that_is_carried_out_is_accepted(self, world: World) -> None:
        (command,) = await world.say(add(counter()))
        answer = await world.answer(command)
        told = CounterAccepted.parse(answer.value)
        assert (told.command_id, told.command_type, told.subject) == (command.id, Add.type, command.key.decode())
        assert header(answer, "ce_correlationid") == command.id
        assert header(answer, "ce_traceparent")[3:35] == header(command, "ce_traceparent")[3:35]

    async def test_a_refused_command_leaves_its_answer_and_nothing_else(self, world: World) -> None:
        mine = counter()
        (command,) = await world.say(add(mine, manner="reject"))
        assert CounterRejected.parse((await world.answer(command)).value).code == "not_now"
        assert await world.effects(mine) == []
        assert of(world.events.records, Added, mine) == []

    async def test_what_is_not_known_yet_is_waited_for_and_then_refused(self, world: World) -> None:
        (command,) = await world.say(add(counter(), manner="late"))
        assert CounterRejected.parse((await world.answer(command)).value).code == "unknown_counter"

    async def test_the_same_event_sent_twice_has_one_effect_and_one_answer(self, world: World) -> None:
        mine = counter()
        command, last = raw(add(mine, 1)), raw(add(mine, 2))
        await send(world.producer, [command, command, command, last])
        await world.answer(last)
        assert await world.effects(mine) == [1, 2]
        assert [header(record, "ce_causationid") for record in of(world.events.records, Added, mine)] == [
            command.id,
            last.id,
        ]

    async def test_a_transient_failure_is_tried_again_until_it_works(self, world: World) -> None:
        mine = counter()
        await world.say(add(mine, 1), add(mine, 2, "transient"), add(mine, 3))
        await world.heard(Added, mine, 3)
        assert await world.effects(mine) == [1, 2, 3]

    async def test_a_bug_is_put_aside_and_the_partition_goes_on(self, world: World) -> None:
        mine = counter()
        _, bug, last = await world.say(add(mine, 1), add(mine, 2, "bug"), add(mine, 3))
        await world.answer(last)
        assert await world.effects(mine) == [1, 3]
        assert CounterRejected.parse((await world.answer(bug)).value).code == "retries_exhausted"
        letter = await world.put_aside(bug)
        assert (header(letter, "tf-code"), header(letter, "tf-attempts")) == ("retries_exhausted", "5")


def poison() -> dict[str, Raw]:
    """Records that no handler must ever see, by the code that they are put aside with."""
    good = raw(add(counter(), 7))
    big = json.dumps({"actor": "ada", "counter_id": "c", "number": 1, "note": SECRET * 60_000}).encode()
    return {
        "malformed: garbage": replace(good, value=secrets.token_bytes(99), headers=[]),
        "malformed: no text": replace(good, value=b"1", headers=good.but(id=b"\xff\xfe")),
        "malformed: null": replace(good, value=b"2", headers=good.but(type=None)),
        "malformed: control": replace(good, value=b"3", headers=good.but(id=b"a\x00b")),
        "malformed: long": replace(good, value=b"4", headers=good.but(type=b"t" * 5000)),
        "malformed: time": replace(good, value=b"5", headers=good.but(time=SECRET.encode())),
        "unknown_type": replace(good, value=b"6", headers=good.but(type=b"trustflow.counter.sing.v1", id=b"x1")),
        "newer_version": replace(good, value=b"7", headers=good.but(type=b"trustflow.counter.add.v2", id=b"x2")),
        "wrong_key": replace(good, key=b"another", value=good.value),
        "wrong_key: subject": replace(good, value=b" " + (good.value or b""), headers=good.but(subject=b"s", id=b"x3")),
        "wrong_key: nul": replace(good, key=b"a\x00b", value=b"\n" + (good.value or b"")),
        "wrong_topic": replace(raw(Added(counter_id="c1", number=1)), topic=COMMANDS.name),
        "invalid_payload": replace(good, value=b'{"counter_id": "%b"}' % SECRET.encode(), headers=good.but(id=b"x4")),
        "invalid_payload: cut": replace(good, value=b'{"counter', headers=good.but(id=b"x5")),
        "invalid_payload: nul": replace(
            good, value=b'{"actor": "a\\u0000", "counter_id": "c", "number": 1}', headers=good.but(id=b"x6")
        ),
        "too_large": replace(good, value=big, headers=good.but(id=b"x7")),
        "too_large: largest": replace(good, value=b"8" * 1_047_800, headers=good.but(id=b"x8")),
    }


class TestPoison:
    async def test_each_is_put_aside_whole_and_what_stands_around_it_is_applied(self, world: World) -> None:
        mine, bad = counter(), poison()
        numbers = range(len(bad) + 1)
        good = [raw(add(mine, number)) for number in numbers]
        mixed = [record for pair in zip(good, bad.values(), strict=False) for record in pair]
        await send(world.producer, [*mixed, good[-1]], partition=0)
        await world.answer(good[-1])
        assert await world.effects(mine) == list(numbers)
        for name, sent in bad.items():
            letter = await world.put_aside(sent)
            assert header(letter, "tf-code") == name.partition(":")[0], name
            assert letter.key == sent.key
            assert list(letter.headers)[: len(sent.headers)] == sent.headers
            assert header(letter, "tf-origin").startswith("counter.commands/0/")
            assert header(letter, "tf-group") == NAME
        parked = {
            header(letter, "tf-code") for letter in world.dead.records if header(letter, "tf-outcome") == "parked"
        }
        assert parked == {"unknown_type", "newer_version"}

    async def test_nothing_of_a_payload_is_repeated_anywhere(self, world: World) -> None:
        bad = raw(add(counter()))
        bad = replace(bad, value=b'{"counter_id": {"%b": 1}, "number": "%b"}' % (SECRET.encode(), SECRET.encode()))
        await send(world.producer, [bad])
        answer, letter = await world.answer(bad), await world.put_aside(bad)
        assert "counter_id" in CounterRejected.parse(answer.value).reason
        added = [value for name, value in letter.headers if name.startswith("tf-")]
        assert not [text for text in (answer.value, *added) if SECRET.encode() in text]
        assert SECRET not in world.process.log.read_text()


class TestLanes:
    async def test_jobs_of_one_key_run_one_at_a_time_and_in_order(self, world: World) -> None:
        mine = counter()
        await world.say(*(add(mine, number, "job") for number in (1, 2, 3)))
        await self._open_gates(world, 3, 2, 1)
        rows = await self._log(world, mine, 6)
        assert rows == [(n, what) for n in (1, 2, 3) for what in ("begun", "ended")]

    async def test_one_job_that_waits_holds_up_no_other_key(self, world: World) -> None:
        waits, goes = counter(), counter()
        await world.say(add(waits, 11, "job"), add(goes, 12, "job"))
        await self._open_gates(world, 12)
        assert await self._log(world, goes, 2) == [(12, "begun"), (12, "ended")]
        await self._open_gates(world, 11)
        assert await self._log(world, waits, 2) == [(11, "begun"), (11, "ended")]

    async def test_a_job_that_dies_with_its_process_runs_again(self, world: World) -> None:
        mine = counter()
        (command,) = await world.say(add(mine, 21, "job"))
        await self._log(world, mine, 1)
        world.process.kill()
        await self._open_gates(world, 21)
        await world.process.start()
        assert await self._log(world, mine, 3) == [(21, "begun"), (21, "begun"), (21, "ended")]
        by_handler, by_job = await world.heard(Added, mine, 2)
        assert header(by_handler, "ce_causationid") == header(by_job, "ce_causationid") == command.id

    async def test_a_rejected_job_is_told_by_its_code_and_not_tried_again(self, world: World) -> None:
        mine = counter()
        await world.say(add(mine, 31, "job_rejected"))
        (told,) = await world.heard(NotDone, mine)
        assert NotDone.parse(told.value).code == "too_slow"
        assert await self._log(world, mine, 1) == [(31, "begun")]

    async def test_a_job_that_fails_for_a_moment_is_tried_again(self, world: World) -> None:
        mine = counter()
        await self._open_gates(world, 41)
        await world.say(add(mine, 41, "job_transient"))
        assert await self._log(world, mine, 3) == [(41, "begun"), (41, "begun"), (41, "ended")]

    async def _open_gates(self, world: World, *numbers: int) -> None:
        await world.database.executemany("insert into gate values ($1)", [(number,) for number in numbers])

    async def _log(self, world: World, mine: str, rows: int) -> list[tuple[int, str]]:
        await world.until("select count(*) >= $2 from job_log where counter_id = $1", mine, rows)
        found = await world.database.fetch("select number, what from job_log where counter_id = $1 order by seq", mine)
        return [(row["number"], row["what"]) for row in found]


class TestDeadlines:
    async def test_a_deadline_outlives_the_process_that_set_it(self, world: World) -> None:
        mine = counter()
        await world.say(add(mine, 1, "remind"))
        await world.until("select 1 from outbox where key = $1 and due_at is not null", mine)
        due_at = await world.database.fetchval("select due_at from outbox where due_at is not null and key = $1", mine)
        world.process.kill()
        await world.process.start()
        (reminded,) = await world.heard(Reminded, mine)
        assert reminded.timestamp >= due_at.timestamp() * 1000 - 1


class TestDisturbances:
    async def test_kill_9_at_any_moment_loses_doubles_and_reorders_nothing(self, world: World) -> None:
        mine = [counter() for _ in range(3)]
        sending = asyncio.create_task(self._stream(world, mine))
        for threshold in sorted(random.sample(range(20, 800), 5)):
            await world.until("select count(*) >= $2 from effect where counter_id = any($1)", mine, threshold)
            world.process.kill()
            await world.process.start()
        await sending
        await self._all_there(world, mine)

    async def test_a_cut_database_loses_and_doubles_nothing(self, world: World) -> None:
        mine = [counter() for _ in range(3)]
        sending = asyncio.create_task(self._stream(world, mine))
        for threshold in (100, 400, 700):
            await world.until("select count(*) >= $2 from effect where counter_id = any($1)", mine, threshold)
            await world.database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_database()"
            )
        await sending
        await self._all_there(world, mine)
        assert world.process.popen is not None
        assert world.process.popen.poll() is None

    async def _stream(self, world: World, counters: list[str], numbers: int = 300, ahead: int = 150) -> None:
        """Three times 300 commands, never far ahead of what has been applied, so that they flow all the while."""
        for start in range(0, numbers, 10):
            await world.say(*(add(mine, number) for number in range(start, start + 10) for mine in counters))
            least = (start + 10) * len(counters) - ahead
            await world.until("select count(*) >= $2 from effect where counter_id = any($1)", counters, least)

    async def _all_there(self, world: World, counters: list[str], numbers: int = 300) -> None:
        wanted = list(range(numbers))
        for mine in counters:
            await world.until("select count(*) >= $2 from effect where counter_id = $1", mine, numbers)
            assert await world.effects(mine) == wanted
            assert await self._said(world, mine, numbers) == wanted

    async def _said(self, world: World, mine: str, numbers: int) -> list[int]:
        """What a reader with an inbox of its own takes from the topic."""
        return [Added.parse(record.value).number for record in await world.heard(Added, mine, numbers)]


class TestStopping:
    async def test_sigterm_ends_it_within_five_seconds_and_nothing_is_lost(self, world: World) -> None:
        mine = counter()
        await world.say(*(add(mine, number) for number in range(100)))
        status = await asyncio.to_thread(world.process.end, signal.SIGTERM, 5.0)
        assert status in (0, -signal.SIGTERM)
        await world.process.start()
        await world.until("select count(*) >= 100 from effect where counter_id = $1", mine)
        assert await world.effects(mine) == list(range(100))


ODD = """
import asyncio, json, sys
from aiokafka import AIOKafkaProducer

class Odd(str):
    def encode(self, *_):
        return b"\\xff\\xfe"

async def main():
    async with AIOKafkaProducer(**json.loads(sys.argv[1])) as producer:
        await producer.send_and_wait("counter.commands", b"odd", key=b"odd", headers=[(Odd("x"), b"1")], partition=0)

asyncio.run(main())
"""
"""A header name that is no UTF-8; only aiokafka's own Python codec lets itself be talked into writing it."""


async def test_a_record_that_the_client_cannot_read_stops_nothing(world: World, kafka: Broker) -> None:
    mine = counter()
    await send(world.producer, [raw(add(mine, 1))], partition=0)
    without_extensions = os.environ | {"AIOKAFKA_NO_EXTENSIONS": "1"}
    login = json.dumps(kafka.credentials())
    odd = await asyncio.create_subprocess_exec(sys.executable, "-c", ODD, login, env=without_extensions)
    assert await odd.wait() == 0
    await send(world.producer, [raw(add(mine, 2))], partition=0)
    await world.until("select count(*) = 2 from effect where counter_id = $1", mine)
    left = await world.dead.until(lambda records: first(records, lambda r: header(r, "tf-code") == "unreadable_record"))
    assert header(left, "tf-origin").startswith("counter.commands/0/")
