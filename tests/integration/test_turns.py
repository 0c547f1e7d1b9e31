"""A lane that is shared out in turns, on a real database: nobody takes more than a share, nobody waits for ever."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bus.proof.signing import Author
from bus.queue import Ahead, ahead, is_running, withdraw
from bus.turns import Turns
from schemas.trust import CancelCount
from tests.conftest import Database
from tests.integration.study_world import node_pool, unit_of_work

pytestmark = pytest.mark.integration

LANE = "shared"
EACH = 2


@pytest.fixture(scope="module")
async def database(postgres: Database) -> AsyncIterator[Any]:
    async with node_pool(postgres, "turns") as pool:
        yield pool


@pytest.fixture
async def pool(database: Any) -> Any:
    await database.execute("delete from job")
    return database


async def queue(pool: Any, *jobs: tuple[str, str]) -> None:
    """Each job as whose turn it takes, and its key."""
    async with unit_of_work(pool, Author("trust-amber")) as uow:
        for turn_of, key in jobs:
            message = CancelCount(trust_id="amber", query_id=key, project_id=turn_of)
            uow.enqueue(LANE, message, turn_of=turn_of)


async def claim(turns: Turns, pool: Any) -> str | None:
    row = await turns.claim(pool, LANE)
    return None if row is None else row["key"]


async def finish(pool: Any, key: str) -> None:
    await pool.execute("delete from job where key = $1", key)


async def test_nobody_has_more_than_a_share_and_others_find_a_place(pool: Any) -> None:
    turns = Turns(EACH)
    await queue(pool, *(("greedy", f"g{number}") for number in range(20)), ("modest", "m0"))
    claimed = [await claim(turns, pool) for _ in range(4)]
    assert sorted(filter(None, claimed)) == ["g0", "g1", "m0"]
    await finish(pool, "g0")
    assert await claim(turns, pool) == "g2"


async def test_who_had_a_turn_is_behind_those_who_had_none(pool: Any) -> None:
    turns = Turns(EACH)
    await queue(pool, *((who, f"{who}{number}") for who in "abc" for number in range(3)))
    order = []
    for _ in range(9):
        key = await claim(turns, pool)
        assert key is not None
        order.append(key)
        await finish(pool, key)
    assert order == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


async def test_two_workers_that_look_at_once_do_not_both_take_the_last_place(pool: Any) -> None:
    turns = Turns(1)
    await queue(pool, ("greedy", "g0"), ("greedy", "g1"))
    for _ in range(10):
        claimed = await asyncio.gather(*(claim(turns, pool) for _ in range(4)))
        assert Counter(claimed)[None] == 3
        await pool.execute("update job set running = false")


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_comes_and_goes_the_shares_hold_and_no_place_is_idle(pool: Any, seed: int) -> None:
    chance, turns = random.Random(seed), Turns(EACH)
    waiting: dict[str, list[str]] = {who: [] for who in "abcd"}
    running: dict[str, list[str]] = {who: [] for who in "abcd"}
    for number in range(120):
        who = chance.choice("abcd")
        match chance.choice(("come", "claim", "claim", "go")):
            case "come":
                await queue(pool, (who, f"{who}-{number}"))
                waiting[who].append(f"{who}-{number}")
            case "go" if running[who]:
                await finish(pool, running[who].pop(chance.randrange(len(running[who]))))
            case "claim":
                key = await claim(turns, pool)
                free = {one for one in waiting if waiting[one] and len(running[one]) < EACH}
                assert (key is None) == (not free)
                if key is not None:
                    assert key[0] in free
                    assert waiting[key[0]].pop(0) == key
                    running[key[0]].append(key)


async def test_what_waits_can_be_withdrawn_and_what_runs_cannot(pool: Any) -> None:
    turns = Turns(EACH)
    await queue(pool, ("a", "a0"), ("a", "a1"), ("b", "b0"))
    assert await claim(turns, pool) == "a0"
    async with pool.acquire() as connection:
        assert await ahead(connection, LANE, "a") == Ahead(running=1, own=2)
        assert not await withdraw(connection, LANE, "a0")
        assert await is_running(connection, LANE, "a0")
        assert await withdraw(connection, LANE, "a1")
        assert not await is_running(connection, LANE, "a1")
        assert await ahead(connection, LANE, "b") == Ahead(running=1, own=1)


def test_a_share_of_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="each must be at least 1"):
        Turns(0)
