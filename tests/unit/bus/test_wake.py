"""Whoever waits for work is woken for that work only, and never misses a call."""

import asyncio

from bus.wake import Wake, wait

LONG_S = 30.0


async def test_only_those_who_wait_for_this_work_are_woken() -> None:
    wake = Wake()
    cohort, imaging = wake.listener("cohort"), wake.listener("imaging")
    wake.up({"cohort"})
    assert (cohort.is_set(), imaging.is_set()) == (True, False)


async def test_a_call_that_came_while_nobody_waited_is_not_missed() -> None:
    wake = Wake()
    woken = wake.listener("cohort")
    wake.up(["cohort"])
    async with asyncio.timeout(1):
        await wait(woken, LONG_S)
    assert not woken.is_set()


async def test_work_that_nobody_does_here_wakes_nobody() -> None:
    wake = Wake()
    woken = wake.listener("cohort")
    wake.up(["imaging"])
    await wait(woken, 0.0)
    assert not woken.is_set()
