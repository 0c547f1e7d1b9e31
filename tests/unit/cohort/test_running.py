import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from bus.errors import Rejection
from trust_node.cohort.lane import in_time, most_for_one
from trust_node.cohort.release import Pace
from trust_node.cohort.release.timing import COST_PER_S
from trust_node.cohort.running import CancelledQuery, Running


class Work:
    """Work that goes on until it is stopped, and says so."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.stopped = False

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped = True


async def test_a_cancelled_query_has_ended_when_cancel_returns() -> None:
    running, work = Running(), Work()
    query = asyncio.create_task(running.run("q1", work()))
    await work.begun.wait()
    await running.cancel("q1")
    assert work.stopped
    with pytest.raises(CancelledQuery) as told:
        await query
    assert told.value.code == "cancelled"


async def test_a_query_that_is_cancelled_before_it_begins_never_works() -> None:
    running, work = Running(), Work()
    await running.cancel("q1")
    with pytest.raises(CancelledQuery):
        await running.run("q1", work())
    assert not work.begun.is_set()


async def test_one_query_is_cancelled_and_another_goes_on() -> None:
    running, one, other = Running(), Work(), Work()
    tasks = [asyncio.create_task(running.run(name, work())) for name, work in (("q1", one), ("q2", other))]
    await asyncio.gather(one.begun.wait(), other.begun.wait())
    await running.cancel("q1")
    assert (one.stopped, other.stopped) == (True, False)
    await running.cancel("q2")
    assert [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)] == [CancelledQuery] * 2


async def test_a_process_that_stops_is_no_cancelled_query() -> None:
    running, work = Running(), Work()
    worker = asyncio.create_task(running.run("q1", work()))
    await work.begun.wait()
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert work.stopped


async def test_what_was_forgotten_runs_again() -> None:
    running, work = Running(), Work()
    await running.cancel("q1")
    running.forget("q1")
    query = asyncio.create_task(running.run("q1", work()))
    await work.begun.wait()
    await running.cancel("q1")
    with suppress(CancelledQuery):
        await query


async def test_after_its_deadline_nothing_begins() -> None:
    begun = False
    with pytest.raises(Rejection) as told:
        async with in_time(datetime.now(UTC) - timedelta(seconds=1)):
            begun = True
    assert (told.value.code, begun) == ("too_late", False)


async def test_a_deadline_that_passes_meanwhile_stops_the_work() -> None:
    work = Work()
    with pytest.raises(Rejection) as told:
        async with in_time(datetime.now(UTC) + timedelta(seconds=0.02)):
            await work()
    assert (told.value.code, work.stopped) == ("too_late", True)


async def test_a_time_out_of_the_work_itself_is_not_taken_for_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with in_time(datetime.now(UTC) + timedelta(hours=1)):
            raise TimeoutError


@pytest.mark.parametrize(("parallel", "each"), [(2, 1), (3, 1), (4, 2), (16, 8)])
def test_one_project_never_has_all_the_places(parallel: int, each: int) -> None:
    assert most_for_one(parallel) == each


@pytest.mark.parametrize(
    ("elapsed_s", "planned_s", "due_s"),
    [
        *((0.0, 0.0, 0.0), (0.001, 0.0, 1.0), (1.0, 0.0, 1.0), (1.001, 0.0, 2.0), (2.1, 0.0, 4.0), (7.3, 0.0, 8.0)),
        *((15.9, 0.0, 16.0), (16.1, 0.0, 32.0), (33.0, 0.0, 48.0), (0.1, 3.0, 4.0), (3.9, 3.0, 4.0), (0.0, 40.0, 48.0)),
    ],
)
def test_an_answer_leaves_at_a_step_that_its_plan_has_chosen(elapsed_s: float, planned_s: float, due_s: float) -> None:
    began = datetime.now(UTC)
    due_at = Pace(began, planned_s).due_at(began + timedelta(seconds=elapsed_s))
    assert due_at == began + timedelta(seconds=due_s)


@pytest.mark.parametrize(
    ("elapsed_s", "planned_s", "slow"), [(1, 0, False), (1.1, 0, True), (0.1, 1, False), (1, 1.1, True)]
)
def test_what_leaves_after_the_first_step_is_slow(elapsed_s: float, planned_s: float, slow: bool) -> None:
    began = datetime.now(UTC)
    assert Pace(began, planned_s).is_slow(began + timedelta(seconds=elapsed_s)) is slow


def test_a_plan_is_never_longer_than_the_time_after_which_a_query_is_stopped() -> None:
    pace = Pace(datetime.now(UTC))
    pace.plan(2 * COST_PER_S, 60.0)
    assert 2.0 <= pace.planned_s < 4.0
    pace.plan(1e12, 60.0)
    assert 62.0 <= pace.planned_s < 64.0


def test_one_row_more_hardly_ever_decides_which_step_an_answer_leaves_at() -> None:
    began = datetime.now(UTC)

    def share(cost: float) -> float:
        paces = [Pace(began) for _ in range(4000)]
        for pace in paces:
            pace.plan(cost, 60.0)
        return sum(pace.due_at(began) > began + timedelta(seconds=4) for pace in paces) / len(paces)

    assert abs(share(3.0 * COST_PER_S) - share(3.003 * COST_PER_S)) < 0.06
    assert 0.4 < share(3.0 * COST_PER_S) < 0.75
