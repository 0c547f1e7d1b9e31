"""Several questions at once: shares, deadlines, cancelling, and what is left of a process that stops."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from bus.lanes import requeue_orphans
from schemas.cohort import Rule
from tests.conftest import Database
from tests.integration.cohort_world import DEAD, EVERYBODY, CohortWorld, cohort_world
from tests.integration.eventually import until
from tests.integration.omop_ground import OmopGround
from tests.integration.study_world import node_pool

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def pool(postgres: Database) -> AsyncIterator[Any]:
    async with node_pool(postgres, "lane") as pool:
        yield pool


@pytest.fixture
async def world(pool: Any, omop_ground: OmopGround) -> AsyncIterator[CohortWorld]:
    async with cohort_world(pool, omop_ground) as world:
        yield world


async def test_a_slow_query_delays_no_other_project_and_no_handler(world: CohortWorld) -> None:
    async with world.held():
        slow = [await world.ask(DEAD, "slow") for _ in range(3)]
        await world.begins(slow[0])
        begun = monotonic()
        other = await world.ask(EVERYBODY, "other")
        handled_s = monotonic() - begun
        assert (await world.answer(other)).persons == 1130
        assert await world.runs(slow[0])
        assert not await world.runs(slow[1])
    for query in slow:
        assert (await world.answer(query)).outcome in ("counted", "suppressed")
    assert handled_s < 1


async def test_a_running_query_is_cancelled_on_the_server_within_a_second(world: CohortWorld) -> None:
    async with world.held():
        query = await world.ask(DEAD)
        await world.begins(query)
        begun = monotonic()
        await world.cancel(query)
        told = await world.answer(query)
        await until(lambda: _is(0, world.running_in_warehouse()))
        assert monotonic() - begun < 1
    assert (told.outcome, told.code, told.persons) == ("failed", "cancelled", None)
    assert await world.pool.fetchval("select count(*) from job") == 0


async def test_a_waiting_query_that_is_cancelled_never_begins(world: CohortWorld) -> None:
    async with world.held():
        first = await world.ask(DEAD, "p1")
        second = await world.ask(DEAD, "p1")
        await world.begins(first)
        await world.cancel(second)
        assert (await world.answer(second)).code == "cancelled"
        assert await world.progress(second) == [(0, 1, True)]
    await world.answer(first)


async def test_nothing_is_told_of_cancelling_what_has_been_answered(world: CohortWorld) -> None:
    query = await world.ask()
    answer = await world.answer(query)
    await world.cancel(query)
    await until(lambda: _is(0, world.pool.fetchval("select count(*) from job")))
    assert await world.answer(query) == answer


async def test_after_its_deadline_a_query_is_not_begun(world: CohortWorld) -> None:
    query = await world.ask(deadline_at=datetime.now(UTC) - timedelta(seconds=1))
    told = await world.answer(query)
    assert (told.outcome, told.code) == ("failed", "too_late")
    assert await world.progress(query) == []


async def test_a_deadline_that_passes_stops_the_query(world: CohortWorld) -> None:
    async with world.held():
        query = await world.ask(DEAD, deadline_at=datetime.now(UTC) + timedelta(seconds=1))
        assert (await world.answer(query)).code == "too_late"
        await until(lambda: _is(0, world.running_in_warehouse()))


async def test_what_is_cancelled_or_too_late_leaves_no_released_row(world: CohortWorld) -> None:
    async with world.held():
        query = await world.ask(EVERYBODY, rules=(Rule(name="dead", sql=DEAD),))
        await world.begins(query)
        await world.cancel(query)
        await world.answer(query)
    after = await world.answer(await world.ask(EVERYBODY, query.project_id))
    assert after.spent is not None
    assert after.spent.project_ever == 1


async def test_a_process_that_stops_leaves_no_query_behind_and_the_next_one_answers(world: CohortWorld) -> None:
    async with world.held():
        query = await world.ask(DEAD)
        await world.begins(query)
        await world.stop()
        await until(lambda: _is(0, world.running_in_warehouse()))
        assert await world.pool.fetchval("select count(*) from outbox where key = $1", query.query_id) == 1
    await requeue_orphans(world.pool)
    world.start()
    assert (await world.answer(query)).outcome in ("counted", "suppressed")


async def test_a_project_with_too_many_waiting_queries_is_told_so(world: CohortWorld) -> None:
    async with world.held():
        queries = [await world.ask(DEAD, "flood") for _ in range(6)]
        told = await world.answer(queries[-1])
        assert (told.outcome, told.code) == ("refused", "too_many_queries")
        for query in queries[:-1]:
            await world.cancel(query)
        for query in queries[:-1]:
            await world.answer(query)


async def _is(wanted: int, told: Any) -> bool:
    return bool(await told == wanted)
