"""A group of three that loses one and wins one, and a member that is asked to stop: nothing lost or read again."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bus.participant import STOP_WITHIN_S
from bus.relay import BATCH
from tests.chaos.checker import faults
from tests.chaos.evidence import stage
from tests.chaos.load import Load
from tests.chaos.members import Member, settings_of
from tests.chaos.messages import ALPHA, BETA, CHAIN, GAMMA, PARTITIONS, ROLES, RULES, TOPICS
from tests.chaos.world import Chain, chain_on
from tests.conftest import Broker, Database

pytestmark = pytest.mark.integration

WITHIN_S = 60.0
MARGIN_S = 2.0
LIVES = "select count(distinct pid) from effect where strand = any($1) and pid = any($2)"


@dataclass(slots=True)
class World:
    chain: Chain
    broker: Broker
    wanted: dict[str, int] = field(default_factory=dict)

    @asynccontextmanager
    async def load(self) -> AsyncIterator[Load]:
        """Numbers flow along strands of their own until the block ends, and then until all have arrived."""
        strands = [f"s{secrets.token_hex(4)}" for _ in range(4 * PARTITIONS)]
        load = Load(self.broker.credentials(), self.chain.databases[GAMMA], strands, round_s=0.05)
        async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(load.run())
            await load.one_through()
            yield load
            load.stop()
        self.wanted |= dict.fromkeys(strands, load.rounds)

    async def all_have_effects(self, load: Load, members: list[Member]) -> None:
        pids = [member.pid for member in members]
        database = self.chain.databases[members[0].role]
        while await database.fetchval(LIVES, load.strands, pids) < len(pids):  # noqa: ASYNC110  of other processes
            await asyncio.sleep(0.05)

    async def assert_nothing_is_wrong(self) -> None:
        for role in CHAIN:
            left = await stage(role, self.chain.databases[role], self.broker.credentials())
            assert faults(self.wanted, left) == []


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with (
        kafka.lent(TOPICS, RULES, ROLES),
        chain_on(kafka, postgres, tmp_path_factory.mktemp("chain")) as chain,
    ):
        for member in chain.members:
            member.start()
        yield World(chain, kafka)


async def test_one_of_three_is_killed_and_another_joins(world: World) -> None:
    first, *others = [member for member in world.chain.members if member.role == ALPHA]
    settings = settings_of(ALPHA, len(others) + 1, world.broker, first.env["TRUSTFLOW_DATABASE_URL"])
    new = Member(ALPHA, len(others) + 1, settings, first.log.with_name("alpha-new.log"))
    world.chain.members.append(new)
    async with world.load() as load:
        await world.all_have_effects(load, [first, *others])
        first.kill()
        new.start()
        await world.all_have_effects(load, [*others, new])
        await load.one_through()
    await world.assert_nothing_is_wrong()


async def test_sigterm_under_load_ends_in_time_and_nothing_is_read_again(world: World) -> None:
    (beta,) = [member for member in world.chain.members if member.role == BETA]
    (gamma,) = [member for member in world.chain.members if member.role == GAMMA]
    said_again = await outcomes(gamma, "duplicate")
    async with world.load() as load:
        assert await beta.end(STOP_WITHIN_S + MARGIN_S) in (0, -15)
        applied = await world.chain.databases[BETA].fetchval("select count(*) from effect")
        beta.start()
        await load.one_through()
    await world.assert_nothing_is_wrong()
    effects = await world.chain.databases[BETA].fetchval("select count(*) from effect")
    assert await outcomes(beta, "applied") == effects - applied
    assert await outcomes(beta, "duplicate") == 0
    assert await outcomes(gamma, "duplicate") - said_again <= BATCH


async def outcomes(member: Member, outcome: str) -> float:
    """How many records this life has met so, by its own metrics."""
    async with aiohttp.ClientSession() as session, session.get(f"{member.url}/metrics") as answer:
        families: Any = text_string_to_metric_families(await answer.text())
    samples = (sample for family in families for sample in family.samples)
    return sum(
        sample.value
        for sample in samples
        if sample.name == "trustflow_events_consumed_total" and sample.labels["outcome"] == outcome
    )
