"""Waiting for what another process brings about."""

import asyncio
from collections.abc import Awaitable, Callable

WITHIN_S = 60.0
LOOK_S = 0.05


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(WITHIN_S):
        while not await holds():  # noqa: ASYNC110  nothing here could tell us
            await asyncio.sleep(LOOK_S)
