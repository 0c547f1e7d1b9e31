"""Several questions at once: shares, deadlines, cancelling, and what is left of a process that stops."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from bus.lanes import requeue_orphans
from bus.uow import new_id
from schemas.cohort import Rule
from schemas.trust import CountCohort
from tests.integration.cohort_world import DEAD, EVERYBODY, EXACT, IMAGED, CohortWorld, cohort_world
from tests.integration.eventually import until
from tests.integration.omop_ground import OmopGround
from trust_node.cohort.store import Warehouse
from trust_node.cohort.warehouse.faults import TooManyCellsError, WarehouseError, WarehouseFault

pytestmark = pytest.mark.integration


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


async def test_what_is_cancelled_meanwhile_leaves_no_released_row_and_costs_an_answer(world: CohortWorld) -> None:
    await world.answer(await world.ask())  # reads who there is
    async with world.held():
        query = await world.ask(EVERYBODY, rules=(Rule(name="dead", sql=DEAD),))
        await world.begins(query)
        await world.cancel(query)
        await world.answer(query)
    assert await _asked_sets(world, query) == 0
    after = await world.answer(await world.ask(EVERYBODY, query.project_id))
    assert after.spent is not None
    assert after.spent.project_ever == 2


async def test_of_queries_that_get_no_answer_in_time_a_day_has_few_and_then_the_warehouse_is_not_asked(
    pool: Any, omop_ground: OmopGround
) -> None:
    async with cohort_world(pool, omop_ground, replace(EXACT, failures_daily=2)) as world, world.held():
        project_id = new_id()
        for _ in range(2):
            late = await world.ask(DEAD, project_id, deadline_at=datetime.now(UTC) + timedelta(seconds=1))
            assert (await world.answer(late)).code == "too_late"
        told = await world.answer(await world.ask(DEAD, project_id))
        assert (told.outcome, told.code) == ("refused", "budget_spent")
        assert told.reason.startswith("2 queries of yours and of the project failed or took too long today")
        assert told.spent is not None
        assert told.spent.user_today == 2
        assert (await world.answer(await world.ask(EVERYBODY))).outcome == "counted"


@pytest.mark.parametrize("fault", [WarehouseFault.QUERY_FAILED, WarehouseFault.TIMEOUT, TooManyCellsError(400)])
async def test_how_a_query_fails_may_tell_of_the_data_and_costs_an_answer(
    world: CohortWorld, monkeypatch: pytest.MonkeyPatch, fault: WarehouseFault | TooManyCellsError
) -> None:
    async def fails(*_: object) -> None:
        raise WarehouseError(fault) if isinstance(fault, WarehouseFault) else fault

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "persons", fails)
        failed = await world.ask(IMAGED)
        told = await world.answer(failed)
    assert told.outcome in ("failed", "refused")
    after = await world.answer(await world.ask(EVERYBODY, failed.project_id))
    assert after.spent is not None
    assert (after.spent.user_today, after.spent.project_ever) == (2, 2)


async def test_a_statistic_that_fails_costs_an_answer_besides_that_of_its_cohort(
    world: CohortWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise WarehouseError(WarehouseFault.TIMEOUT)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "cells", fails)
        query = await world.ask(EVERYBODY, statistics=("sex",))
        told = await world.answer(query)
    assert (told.outcome, told.statistics[0].cells) == ("counted", ())
    after = await world.answer(await world.ask(EVERYBODY, query.project_id))
    assert after.spent is not None
    assert after.spent.project_ever == 2


async def test_a_warehouse_that_is_away_costs_nothing(world: CohortWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise WarehouseError(WarehouseFault.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "persons", away)
        query = await world.ask(IMAGED)
        assert (await world.answer(query)).code == "warehouse_unreachable"
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


async def _asked_sets(world: CohortWorld, query: CountCohort) -> int:
    count = "select count(*) from asked_set where project_id = $1"
    return int(await world.pool.fetchval(count, query.project_id))


async def _is(wanted: int, told: Any) -> bool:
    return bool(await told == wanted)
