"""Wake-ups inside a process: right after a commit, whoever waits for work looks at once instead of polling."""

import asyncio
from contextlib import suppress


class Wake:
    """Any number of waiters; each sees every call to ``all`` that came after it last looked."""

    def __init__(self) -> None:
        self._events: list[asyncio.Event] = []

    def listener(self) -> asyncio.Event:
        event = asyncio.Event()
        self._events.append(event)
        return event

    def all(self) -> None:
        for event in self._events:
            event.set()


async def wait(event: asyncio.Event, at_most_s: float) -> None:
    """Until woken, or until the safety net's period is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            await event.wait()
    event.clear()
