"""One process of each database leads: it alone runs the relay, the lanes, retries and sweeps. The others only consume.

The lead is a lock of the connection it is won on: who loses the connection has lost the lead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bus.database import Connection
from bus.wake import ANY_WORK, Wake, wait

LEADERS_LOCK = 7_310_002
WORK = "trustflow_work"
LOOK_EVERY_S = 1.0


class Leader:
    """``on_elected`` runs once for each election, before anything that only a leader does."""

    def __init__(self, wake: Wake) -> None:
        self.elected = asyncio.Event()
        self.on_elected: Callable[[], Awaitable[None]] | None = None
        self._wake = wake
        self._worked = wake.listener(ANY_WORK)

    @asynccontextmanager
    async def leading(self, connection: Connection, alive: Callable[[], None]) -> AsyncIterator[None]:
        """Wait for the lead, as long as it takes, and have it; ``alive`` is called now and then meanwhile."""
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADERS_LOCK):
            alive()
            await wait(self._worked, LOOK_EVERY_S)
            # what this process has committed is for the leader to say
            await connection.execute(f"notify {WORK}")
        await connection.add_listener(WORK, lambda *_: self._wake.everybody())
        if self.on_elected:
            await self.on_elected()
        self.elected.set()
        try:
            yield
        finally:
            self.elected.clear()
