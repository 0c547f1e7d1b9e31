"""Errors of Kafka's protocol, asked for one by one: whatever a broker answers, effects come once and in order."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.parts.part import free_port
from tests.chaos.checker import faults
from tests.chaos.evidence import stage
from tests.chaos.load import Load
from tests.chaos.members import Member
from tests.chaos.messages import ALPHA, TOPICS
from tests.chaos.mock_cluster import Error, MockCluster, Request, mock_cluster
from tests.chaos.plain import PlainParticipant
from tests.chaos.world import database_of
from tests.conftest import Database

pytestmark = pytest.mark.integration

WITHIN_S = 60.0
STRANDS = 6
TIMES = 3


@dataclass(slots=True)
class World:
    cluster: MockCluster
    member: Member
    database: Any
    wanted: dict[str, int] = field(default_factory=dict)

    async def through(self, disturb: Callable[[], Any]) -> None:
        """Let numbers flow, disturb, let one more through, and judge all that ever was."""
        strands = [f"s{secrets.token_hex(4)}" for _ in range(STRANDS)]
        login = {"bootstrap_servers": self.cluster.bootstrap}
        load = Load(login, self.database, strands, round_s=0.02)
        async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(load.run())
            await load.one_through()
            await disturb()
            await load.one_through()
            load.stop()
        self.wanted |= dict.fromkeys(strands, load.rounds)
        await self._all_said()
        left = await stage(ALPHA, self.database, login)
        assert faults(self.wanted, left) == []

    async def answered(self, request: Request, *errors: Error) -> None:
        async def disturb() -> None:
            self.cluster.answer(request, errors)

        await self.through(disturb)

    async def _all_said(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            while await self.database.fetchval("select exists (select 1 from outbox)"):  # noqa: ASYNC110  of another process
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def world(postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder, url = tmp_path_factory.mktemp("mock"), postgres.fresh_database(ALPHA)
    (folder / "password").touch()
    database = await database_of(postgres, url)
    with mock_cluster() as cluster:
        for topic in TOPICS:
            cluster.create(topic)
        settings = {
            "TRUSTFLOW_KAFKA_BOOTSTRAP": cluster.bootstrap,
            "TRUSTFLOW_KAFKA_PASSWORD_FILE": str(folder / "password"),
            "TRUSTFLOW_DATABASE_URL": url,
            "TRUSTFLOW_HTTP_PORT": str(free_port()),
        }
        member = Member(ALPHA, 0, settings, folder / "alpha.log", PlainParticipant)
        member.start()
        yield World(cluster, member, database)
        assert not member.ended.is_set()
        member.kill()
        await database.close()


@pytest.mark.parametrize(
    "error",
    [
        Error.NOT_LEADER_FOR_PARTITION,
        Error.REQUEST_TIMED_OUT,
        Error.NOT_ENOUGH_REPLICAS,
        Error.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        Error.MESSAGE_TOO_LARGE,
    ],
)
async def test_what_can_not_be_written_now_is_said_later_in_order(world: World, error: Error) -> None:
    await world.answered(Request.PRODUCE, *[error] * TIMES)


@pytest.mark.parametrize(
    "error",
    [Error.ILLEGAL_GENERATION, Error.REBALANCE_IN_PROGRESS, Error.UNKNOWN_MEMBER_ID, Error.NOT_COORDINATOR],
)
async def test_an_offset_that_is_not_taken_costs_nothing(world: World, error: Error) -> None:
    await world.answered(Request.OFFSET_COMMIT, error)


@pytest.mark.parametrize("error", [Error.ILLEGAL_GENERATION, Error.UNKNOWN_MEMBER_ID, Error.REBALANCE_IN_PROGRESS])
async def test_who_is_sent_out_of_the_group_comes_back(world: World, error: Error) -> None:
    await world.answered(Request.HEARTBEAT, error)


async def test_a_coordinator_that_is_not_there_yet_is_waited_for(world: World) -> None:
    world.cluster.answer(Request.FIND_COORDINATOR, [Error.COORDINATOR_NOT_AVAILABLE] * TIMES)
    world.cluster.answer(Request.JOIN_GROUP, [Error.COORDINATOR_LOAD_IN_PROGRESS] * TIMES)
    await world.answered(Request.HEARTBEAT, Error.NOT_COORDINATOR)


async def test_records_that_can_not_be_fetched_now_are_fetched_later(world: World) -> None:
    await world.answered(Request.FETCH, *[Error.NOT_LEADER_FOR_PARTITION] * TIMES, Error.LEADER_NOT_AVAILABLE)


async def test_a_broker_that_goes_and_comes_back_is_found_again(world: World) -> None:
    async def disturb() -> None:
        world.cluster.go_down()
        await asyncio.sleep(1)
        world.cluster.come_up()

    await world.through(disturb)


async def test_slow_answers_slow_down_and_nothing_more(world: World) -> None:
    async def disturb() -> None:
        world.cluster.take_ms(200)
        await asyncio.sleep(1)
        world.cluster.take_ms(0)

    await world.through(disturb)
