"""Wake-ups inside a process: right after a commit, whoever has work to do looks at once instead of polling."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

ANY_WORK = "any"
"""Woken with whoever else is."""


class Wake:
    """Waiters by the name of their work; each sees every call of its name that came after it last looked."""

    def __init__(self) -> None:
        self._events: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    def listener(self, name: str) -> asyncio.Event:
        event = asyncio.Event()
        self._events[name].append(event)
        return event

    def up(self, names: Iterable[str]) -> None:
        for name in {*names, ANY_WORK} if names else ():
            for event in self._events[name]:
                event.set()

    def everybody(self) -> None:
        self.up(tuple(self._events))


async def wait(event: asyncio.Event, at_most_s: float) -> None:
    """Until woken, or until the safety net's period is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            await event.wait()
    event.clear()
