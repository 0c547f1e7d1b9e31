"""The release on a real PostgreSQL: kept with the answer or not at all, one question at a time, seen by no other."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyroaring import BitMap64

from bus.database import migrate, open_pool
from infra.federation import ROOT
from trust_node.cohort.release import BudgetSpentError, Population, Released, ReleasePolicy, Releasing, TooFineError

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
KEY = b"k" * 32
QUIET = ReleasePolicy(noise=0)
LOUD = ReleasePolicy()
EVERYONE = BitMap64(range(20_000))


async def _everyone() -> BitMap64:
    return EVERYONE


@pytest.fixture(scope="module")
async def pool(postgres: Any) -> AsyncIterator[Any]:
    pool = await open_pool(postgres.fresh_database("released"))
    await migrate(pool, ROOT / "trust_node" / "migrations")
    yield pool
    await pool.close()


@pytest.fixture
def project() -> str:
    return secrets.token_hex(4)


class Desk:
    """Asks each question in a transaction of its own."""

    def __init__(self, pool: Any, project: str, policy: ReleasePolicy = QUIET, user: str = "", now: datetime = NOW):
        self.pool, self.policy, self.now = pool, policy, now
        self.names = {"project_id": project, "user_id": user or f"user-{project}"}
        self.population = Population(_everyone, KEY)

    def releasing(self, connection: Any) -> Releasing:
        return Releasing(connection, self.policy, KEY, self.population, **self.names, now=self.now)

    async def number(self, persons: Any) -> Released | None:
        async with self.pool.acquire() as connection, connection.transaction():
            return await self.releasing(connection).number(BitMap64(persons))

    async def table(self, cells: dict[Any, Any]) -> dict[Any, int]:
        async with self.pool.acquire() as connection, connection.transaction():
            sets = {(key,): BitMap64(persons) for key, persons in cells.items()}
            return {cell.key[0]: cell.persons for cell in await self.releasing(connection).table(sets)}

    async def spent(self) -> tuple[int, int, int]:
        async with self.pool.acquire() as connection, connection.transaction():
            spent = await self.releasing(connection).spent()
        return spent.user_today, spent.project_today, spent.project_ever


@pytest.mark.parametrize("policy", [QUIET, LOUD])
async def test_fifty_rewordings_of_one_set_give_one_value_and_cost_one_answer(
    pool: Any, project: str, policy: ReleasePolicy
) -> None:
    desk = Desk(pool, project, policy)
    told = {(await desk.number(range(1000))).persons for _ in range(50)}  # type: ignore[union-attr]
    assert len(told) == 1
    assert await desk.spent() == (1, 1, 1)


@pytest.mark.parametrize("policy", [QUIET, LOUD])
@pytest.mark.parametrize("difference", [1, 5, 9])
async def test_a_set_that_differs_in_fewer_persons_than_the_threshold_gets_the_earlier_value(
    pool: Any, project: str, policy: ReleasePolicy, difference: int
) -> None:
    desk = Desk(pool, project, policy)
    before = await desk.number(range(1000))
    assert before is not None
    for other in (range(1000 - difference), range(1000 + difference), range(difference, 1000)):
        assert (await desk.number(other)).persons == before.persons  # type: ignore[union-attr]
    assert await desk.spent() == (1, 1, 1)


async def test_a_small_set_and_none_and_a_small_one_with_a_person_more_are_all_suppressed(
    pool: Any, project: str
) -> None:
    desk = Desk(pool, project)
    assert [await desk.number(range(size)) for size in (0, 1, 9, 10, 12)] == [None] * 5
    assert await desk.number(range(100, 150)) == Released(50, 2)


async def test_the_complement_of_a_set_is_answered_from_that_set(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    assert await desk.number(range(1000)) == Released(1000, 2)
    assert await desk.number(EVERYONE - BitMap64(range(1003))) == Released(19_000, 2)


async def test_another_user_of_the_project_and_another_project_of_the_user_meet_the_same_guard(
    pool: Any, project: str
) -> None:
    first = await Desk(pool, project, LOUD, "ada").number(range(1000))
    assert first is not None
    for desk in (Desk(pool, project, LOUD, "bob"), Desk(pool, f"{project}-2", LOUD, "ada")):
        again = await desk.number(range(1004))
        assert again is not None
        assert again.persons == first.persons


async def test_noise_grows_with_each_question_and_the_margin_says_so(pool: Any, project: str) -> None:
    desk = Desk(pool, project, LOUD)
    told = [await desk.number(range(2000 * n, 2000 * n + 1500)) for n in range(9)]
    margins = [released.margin for released in told if released]
    assert margins == [10, 11, 11, 12, 12, 13, 14, 14, 15]
    assert all(abs(released.persons - 1500) <= 3 * 15 + 5 for released in told if released)
    assert len({released.persons for released in told if released}) > 1


async def test_what_is_rolled_back_was_never_told_and_is_not_spent(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await desk.releasing(connection).number(BitMap64(range(1000))) == Released(1000, 2)
        assert (await desk.releasing(connection).spent()).project_ever == 1
        await transaction.rollback()
    assert await desk.spent() == (0, 0, 0)
    assert await desk.number(range(1000)) == Released(1000, 2)


async def test_an_answer_is_kept_in_the_transaction_that_tells_it(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    async with pool.acquire() as connection, connection.transaction():
        await desk.releasing(connection).number(BitMap64(range(1000)))
        assert await connection.fetchval("select count(*) from asked_set where project_id = $1", project) == 1
        async with pool.acquire() as other:
            assert await other.fetchval("select count(*) from asked_set where project_id = $1", project) == 0


async def test_two_workers_of_one_project_ask_one_after_the_other(pool: Any, project: str) -> None:
    policy = replace(LOUD, project_daily=1)
    desks = [Desk(pool, project, policy, f"user-{n}-{project}") for n in range(6)]
    sets = [range(2000 * n, 2000 * n + 1000) for n in range(6)]
    told = await asyncio.gather(
        *(desk.number(members) for desk, members in zip(desks, sets, strict=True)), return_exceptions=True
    )
    assert sum(isinstance(one, Released) for one in told) == 1
    assert sum(isinstance(one, BudgetSpentError) for one in told) == 5


async def test_near_sets_asked_at_once_get_one_value(pool: Any, project: str) -> None:
    desk = Desk(pool, project, LOUD)
    told = await asyncio.gather(*(desk.number(range(1000 + more)) for more in range(6)))
    assert len({released.persons for released in told if released}) == 1
    assert await desk.spent() == (1, 1, 1)


@pytest.mark.parametrize(
    ("limit", "word"), [("user_daily", "You"), ("project_daily", "today"), ("project_limit", "all 2")]
)
async def test_a_spent_budget_is_named_and_then_nothing_is_answered_not_even_what_was(
    pool: Any, project: str, limit: str, word: str
) -> None:
    desk = Desk(pool, project, replace(QUIET, **{limit: 2}))
    for start in (0, 5000):
        await desk.number(range(start, start + 1000))
    for again in (range(1000), range(9000, 9900)):
        with pytest.raises(BudgetSpentError, match=word):
            await desk.number(again)
    with pytest.raises(BudgetSpentError):
        await desk.table({1: range(100)})


async def test_a_daily_budget_is_new_at_midnight(pool: Any, project: str) -> None:
    policy = replace(QUIET, user_daily=1)
    await Desk(pool, project, policy).number(range(1000))
    late = Desk(pool, project, policy, now=NOW.replace(hour=23, minute=59))
    with pytest.raises(BudgetSpentError, match="midnight UTC"):
        await late.number(range(5000, 6000))
    tomorrow = Desk(pool, project, policy, now=NOW + timedelta(hours=15))
    assert await tomorrow.number(range(5000, 6000)) == Released(1000, 2)
    assert await tomorrow.spent() == (1, 1, 2)


async def test_a_table_costs_one_answer_and_a_small_cell_is_absent_as_an_empty_one(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    cells = {"f": range(100), "m": range(200, 340), "x": range(400, 407), None: range(0)}
    assert await desk.table(cells) == {"f": 100, "m": 140}
    assert await desk.spent() == (1, 1, 1)
    assert await desk.table(cells) == {"f": 100, "m": 140}
    assert await desk.spent() == (1, 1, 1)


async def test_a_total_asked_after_its_table_gives_the_hidden_cell_away_to_nobody(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    await desk.table({"f": range(100), "m": range(200, 340), "x": range(400, 409)})
    total = await desk.number([*range(100), *range(200, 340), *range(400, 409)])
    assert total == Released(240, 2)
    assert await desk.spent() == (2, 2, 2)
    assert await desk.number([*range(100), *range(200, 340), *range(400, 409)]) == total


async def test_a_table_asked_after_its_total_hides_a_second_cell(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    assert await desk.number([*range(100), *range(200, 340), *range(400, 408)]) == Released(250, 2)
    cells = await desk.table({"f": range(100), "m": range(200, 340), "x": range(400, 408)})
    assert cells == {"m": 140}
    assert await desk.number(range(100)) is None


async def test_who_is_in_many_cells_counts_in_four_of_them(pool: Any, project: str) -> None:
    cells = await Desk(pool, project, LOUD).table({level: range(2000) for level in range(8)})
    assert len(cells) == 8
    assert sum(cells.values()) == pytest.approx(4 * 2000, abs=8 * 30)


async def test_who_is_in_each_of_six_counts_counts_in_all_of_them(pool: Any, project: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        sets = {(f"count {number}",): BitMap64(range(2000)) for number in range(6)}
        cells = await Desk(pool, project, LOUD).releasing(connection).table(sets, counts=6)
    assert [cell.persons for cell in cells] == pytest.approx([2000] * 6, abs=3 * 25 + 5)


async def test_a_key_of_too_many_levels_is_refused_and_counts(pool: Any, project: str) -> None:
    desk = Desk(pool, project, replace(QUIET, max_levels=3))
    async with pool.acquire() as connection, connection.transaction():
        cells = {(level,): BitMap64(range(100 * level, 100 * level + 50)) for level in range(4)}
        with pytest.raises(TooFineError, match="coarsely"):
            await desk.releasing(connection).table(cells)
    assert await desk.spent() == (1, 1, 1)


async def test_of_a_large_table_the_largest_cells_are_told_and_nothing_says_that_there_are_more(
    pool: Any, project: str
) -> None:
    desk = Desk(pool, project, replace(QUIET, max_cells=3))
    sizes = {level: range(1000 * level, 1000 * level + size) for level, size in enumerate((40, 70, 30, 60, 50))}
    assert await desk.table(sizes) == {1: 70, 3: 60, 4: 50}


async def test_a_limit_is_of_the_largest_cells_before_levels_are_counted(pool: Any, project: str) -> None:
    desk = Desk(pool, project, replace(QUIET, max_levels=2))
    starts = {0: 40, 1000: 70, 2000: 30, 3000: 60}
    sizes = {(start,): BitMap64(range(start, start + size)) for start, size in starts.items()}
    async with pool.acquire() as connection, connection.transaction():
        cells = await desk.releasing(connection).table(sizes, 2)
    assert {cell.key: cell.persons for cell in cells} == {(1000,): 70, (3000,): 60}


@pytest.mark.parametrize("hidden", [1, 8, 9])
async def test_a_total_beside_its_parts_does_not_tell_the_hidden_one(pool: Any, project: str, hidden: int) -> None:
    parts = {"y": range(458), "z": range(500, 1164), "x": range(2000, 2000 + hidden)}
    everybody = [*parts["y"], *parts["z"], *parts["x"]]
    told = await Desk(pool, project, replace(QUIET, rounding=1)).table(parts | {"all": everybody})
    assert told == {"z": 664, "all": 1122 + hidden}


async def test_a_part_that_leaves_a_few_of_its_whole_is_hidden(pool: Any, project: str) -> None:
    desk = Desk(pool, project, replace(QUIET, rounding=1))
    assert await desk.table({"all": range(1000), "those": range(992)}) == {"all": 1000}
    assert await desk.table({"all": range(5000, 6000), "those": range(5000, 5900)}) == {"all": 1000, "those": 900}


async def test_studies_are_told_with_their_persons_and_never_show_one_person_with_many(pool: Any, project: str) -> None:
    desk = Desk(pool, project)
    persons = BitMap64(range(100))
    async with pool.acquire() as connection, connection.transaction():
        releasing = desk.releasing(connection)
        with pytest.raises(ValueError, match="number"):
            await releasing.studies(persons, {})
        await releasing.number(persons)
        studies = dict.fromkeys(range(100), 2) | {7: 5000}
        assert await releasing.studies(persons, studies) == 205
        near = BitMap64(range(104))
        await releasing.number(near)
        assert await releasing.studies(near, dict.fromkeys(range(104), 2)) == 205
        small = BitMap64(range(1000, 1009))
        await releasing.number(small)
        assert await releasing.studies(small, dict.fromkeys(range(1000, 1009), 2)) is None
