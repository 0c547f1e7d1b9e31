"""Views in PostgreSQL: a gateway killed as it pleases, a rebuild beside it, and the client's folds agree."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from bus.speaker import Speaker
from bus.views.rebuild import NotNow, Rebuild, opened
from schemas.message import Message
from schemas.operations import ActDone, ActIntended, OperatorEvent
from schemas.project import MemberAdded, ProjectCreated
from schemas.views import PROJECT, RUN, VIEWS, AnyView
from tests.conftest import Broker, Database
from tests.integration.eventually import until
from tests.integration.operators import OpsDesk, ops_desk
from tests.integration.process import OurProcess, our_process
from tests.integration.records import raw, send
from tests.integration.test_bus import ODD
from tests.unit.views.pools import story

pytestmark = pytest.mark.integration

GATEWAY = "gateway"
TOPICS = tuple({topic for view in VIEWS for topic in view.topics})
Rows = dict[str, Any]


@dataclass(slots=True)
class World:
    kafka: Broker
    database: str
    gateway: OurProcess
    producer: AIOKafkaProducer
    db: asyncpg.Connection
    desk: OpsDesk

    async def say(self, *messages: Message) -> None:
        await send(self.producer, [raw(message) for message in messages])

    async def caught_up(self) -> None:
        """Wait until the gateway has read what was said before."""
        async with Speaker(self.kafka.login("operator")) as speaker, speaker.history(TOPICS) as history:
            ends = await history.ends()
        await until(lambda: self._has_read(ends))

    async def _has_read(self, ends: dict[TopicPartition, int]) -> bool:
        rows = await self.db.fetch("select topic, partition, next_offset from position where consumer = $1", GATEWAY)
        at = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return all(at.get(place, 0) >= end for place, end in ends.items())

    async def rows(self, relation: str) -> Rows:
        return {row["id"]: json.loads(row["state"]) for row in await self.db.fetch(f"select id, state from {relation}")}

    async def folded_by_the_client(self, view: AnyView) -> Rows:
        async with Speaker(self.kafka.login("client")) as speaker:
            heard = [heard.message async for heard in speaker.events(view.topics, until="now") if heard.message]
        rows = view.folded(event for event in heard if isinstance(event, view.events))
        return {id_: row.model_dump(mode="json") for id_, row in rows.items()}

    @asynccontextmanager
    async def rebuilding(self, view: AnyView) -> AsyncIterator[Rebuild]:
        async with (
            Speaker(self.kafka.login("operator")) as speaker,
            speaker.history(view.topics) as history,
            opened(self.database) as connection,
        ):
            yield Rebuild(connection, history, view, GATEWAY)

    async def live_number(self, view: AnyView) -> int:
        return await self.db.fetchval("select number from generation where view = $1 and state = 'live'", view.name)

    async def tables(self, view: AnyView) -> set[str]:
        rows = await self.db.fetch("select tablename from pg_tables where tablename like $1", f"view\\_{view.name}\\_%")
        return {row["tablename"] for row in rows}


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Empty topics: what others tested with may not be readable."""
    await kafka.provision_federation()
    database, folder = postgres.fresh_database(GATEWAY), tmp_path_factory.mktemp(GATEWAY)
    async with (
        our_process("services.gateway", GATEWAY, kafka, database, folder) as gateway,
        AIOKafkaProducer(acks="all", enable_idempotence=True, **kafka.credentials()) as producer,
    ):
        db = await asyncpg.connect(database)
        yield World(kafka, database, gateway, producer, db, ops_desk(kafka, folder, GATEWAY_DATABASE_URL=database))
        await db.close()


async def _said_under_kills(world: World, numbers: range) -> None:
    for number in numbers:
        await world.say(*story(number))
        if number % 10 == 5:
            world.gateway.kill()
            await world.gateway.start()


async def test_the_views_are_what_the_client_folds_after_kills_in_between(world: World) -> None:
    await _said_under_kills(world, range(30))
    await world.caught_up()
    for view in VIEWS:
        live = await world.rows(f'"{view.name}"')
        assert len(live) == 30, view.name
        assert live == await world.folded_by_the_client(view), view.name


async def test_a_rebuilt_view_is_the_same_to_the_bit_and_takes_over_while_events_come(world: World) -> None:
    before = await world.live_number(PROJECT)
    telling = asyncio.create_task(_said_under_kills(world, range(100, 120)))
    async with world.rebuilding(PROJECT) as rebuild:
        rebuilt = await rebuild.switch_over()
    assert (rebuilt.switched, rebuilt.differences) == (True, ())
    assert rebuilt.contents == rebuilt.contents_before
    assert await world.live_number(PROJECT) == rebuilt.made.number == before + 1
    await telling
    await world.caught_up()
    live = await world.rows("project")
    assert live == await world.folded_by_the_client(PROJECT)
    assert live == await world.rows(rebuilt.made.table)
    assert len(live) == 50


async def test_a_view_that_differs_is_not_switched_to_unless_that_is_accepted(world: World) -> None:
    await world.caught_up()
    before, tables = await world.live_number(RUN), await world.tables(RUN)
    ids = sorted(await world.rows("run"))
    await world.db.execute(f"update view_run_{before} set state = state || '{{\"round\": 7}}' where id = $1", ids[1])
    await world.db.execute(f"delete from view_run_{before} where id = $1", ids[0])
    async with world.rebuilding(RUN) as rebuild:
        refused = await rebuild.switch_over()
    assert [(one.id, one.kind) for one in refused.differences] == [(ids[0], "only rebuilt"), (ids[1], "differs")]
    assert not refused.switched
    assert (await world.live_number(RUN), await world.tables(RUN)) == (before, tables)
    async with world.rebuilding(RUN) as rebuild:
        accepted = await rebuild.switch_over(accept_differences=True)
    assert accepted.switched
    assert await world.rows("run") == await world.folded_by_the_client(RUN)


class Died(Exception):
    """The process is gone, and its connection with it."""


@dataclass(slots=True)
class Mortal:
    """A connection that is good for so many statements; the server sees it drop, as it sees a process die."""

    connection: asyncpg.Connection
    statements: int

    def __getattr__(self, name: str) -> Any:
        if name in {"execute", "fetch", "fetchrow", "fetchval"}:
            self.statements -= 1
            if self.statements < 0:
                self.connection.terminate()
                raise Died
        return getattr(self.connection, name)


async def test_a_rebuild_that_dies_at_whatever_statement_leaves_one_whole_generation(world: World) -> None:
    before, rows, tables = await world.live_number(PROJECT), await world.rows("project"), await world.tables(PROJECT)
    deaths = 0
    async with Speaker(world.kafka.login("operator")) as speaker, speaker.history(PROJECT.topics) as history:
        while await world.live_number(PROJECT) == before:
            async with opened(world.database) as connection:
                with suppress(Died, NotNow):
                    await Rebuild(Mortal(connection, deaths), history, PROJECT, GATEWAY).switch_over()
            assert await world.rows("project") == rows
            deaths += 1
    assert deaths > 15
    switched = f"view_project_{await world.live_number(PROJECT)}"
    assert await world.tables(PROJECT) == tables | {switched}
    assert switched in await world.db.fetchval("select pg_get_viewdef('project')")


async def test_two_rebuilds_of_one_view_do_not_meet(world: World) -> None:
    async with world.rebuilding(PROJECT) as one, world.rebuilding(PROJECT) as other, one._alone():
        with pytest.raises(NotNow, match="another rebuild of project"):
            await other.switch_over()


async def test_a_view_as_it_was_at_a_moment(world: World) -> None:
    created = ProjectCreated(project_id="then", name="Then", description="", dicom_to_nifti=True, owner="ann")
    await world.say(created)
    moment = datetime.now(UTC)
    await world.say(MemberAdded(project_id="then", member="bea"))
    await world.caught_up()
    before = await world.live_number(PROJECT)
    async with world.rebuilding(PROJECT) as rebuild:
        made, contents = await rebuild.as_of(await rebuild.history.at(moment))
        row = json.loads(await rebuild.row(made, "then") or "null")
    assert row["members"] == ["ann"]
    assert (await world.rows("project"))["then"]["members"] == ["ann", "bea"]
    assert contents.rows == len(await world.rows("project"))
    assert await world.live_number(PROJECT) == before


class TestCommands:
    async def test_a_rebuild_is_shown_first_and_then_done_and_accounted_for(self, world: World) -> None:
        before = await world.live_number(PROJECT)
        (planned,) = await world.desk.lines("rebuild", "project")
        assert (planned["generation"], planned["rows"]) == (before, len(await world.rows("project")))
        assert await world.live_number(PROJECT) == before
        (done,) = await world.desk.lines("rebuild", "project", "--yes", "--why", "A drill.", "--as", "ada")
        assert (done["switched"], done["differences"]) == (True, [])
        assert await world.live_number(PROJECT) == done["generation"] > before
        assert done["live"] == {"rows": done["rows"], "checksum": done["checksum"]}
        assert done["records"] == planned["records"]
        async with Speaker(world.kafka.login("operator")) as speaker:
            acts = [heard.message async for heard in speaker.events(("operator.events",), until="now")]
        ours = [act for act in acts if isinstance(act, OperatorEvent) and act.action == "rebuild_view"]
        assert [type(act) for act in ours[-2:]] == [ActIntended, ActDone]
        assert (ours[-1].operator, ours[-1].target, ours[-1].count) == ("ada", "project", done["records"])

    async def test_the_past_is_shown_by_places_and_kept_beside_the_live_view(self, world: World) -> None:
        places = ",".join(f"project.events/{number}/0" for number in range(3))
        why = ("--yes", "--why", "A drill.", "--as", "ada")
        (past, row) = await world.desk.lines("rebuild", "project", "--until", places, "--show", "p1-3", *why)
        assert row["status"] == "unknown"
        assert row["frozen"].keys() == {"amber", "birch"}
        kept = {
            one["generation"]: one["state"]
            for one in await world.desk.lines("views", "list")
            if one["view"] == "project"
        }
        assert kept[past["generation"]] == "as_of"
        assert kept[await world.live_number(PROJECT)] == "live"

    async def test_generations_that_nobody_needs_are_dropped_and_the_live_one_never(self, world: World) -> None:
        before, rows = await world.live_number(PROJECT), await world.rows("project")
        (planned,) = await world.desk.lines("views", "drop", "project", "--days", "0")
        assert len(planned["generations"]) > 1
        assert (await world.desk.lines("views", "drop", "project"))[0]["generations"] == []
        why = ("--yes", "--why", "A drill.", "--as", "ada")
        (dropped,) = await world.desk.lines("views", "drop", "project", "--days", "0", *why)
        assert dropped["generations"] == planned["generations"]
        assert await world.tables(PROJECT) == {f"view_project_{before}"}
        assert await world.rows("project") == rows

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("rebuild", "aggregator"), "never made to read it again"),
            (("rebuild", "trust-amber"), "never made to read it again"),
            (("rebuild", "weather"), "choose of project, query, search, import, model, run"),
            (("rebuild", "run", "--until", "project.events/0/1"), "is not made of project.events/0"),
            (("rebuild", "run", "--until", "yesterday"), "neither a time nor places"),
        ],
    )
    async def test_what_cannot_be_rebuilt_is_refused_with_a_sentence(
        self, world: World, words: tuple[str, ...], sentence: str
    ) -> None:
        result = await world.desk.call(*words, exit_code=2)
        assert sentence in " ".join(result.output.replace("│", " ").split())


async def test_a_rebuild_steps_over_what_the_live_view_stepped_over(world: World) -> None:
    login = json.dumps(world.kafka.credentials())
    odd = ODD.replace("counter.commands", "project.events")
    environment = os.environ | {"AIOKAFKA_NO_EXTENSIONS": "1"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", odd, login, env=environment)
    assert await process.wait() == 0
    await world.say(*story(200), *story(201))
    await world.caught_up()
    async with world.rebuilding(PROJECT) as rebuild:
        rebuilt = await rebuild.switch_over()
    assert (rebuilt.switched, rebuilt.differences) == (True, ())
    assert {"p1-200", "p1-201"} <= (await world.rows("project")).keys()
