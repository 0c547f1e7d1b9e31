"""What waits and runs in a lane, for those who withdraw work or tell how long it may take."""

from dataclasses import dataclass

from bus.database import Connection

WITHDRAW = "delete from job where lane = $1 and key = $2 and not running returning job_id"
RUNNING = "select true from job where lane = $1 and key = $2 and running"
AHEAD = """
select count(*) filter (where running) as running, count(*) filter (where turn_of = $2) as own
from job where lane = $1"""


@dataclass(frozen=True, slots=True)
class Ahead:
    """``running``: jobs of the lane that run now. ``own``: waiting or running, of the same ``turn_of``."""

    running: int
    own: int


async def withdraw(connection: Connection, lane: str, key: str) -> bool:
    """Take out what waits in a lane under this key; a running job stays. Return whether there was any."""
    return bool(await connection.fetch(WITHDRAW, lane, key))


async def is_running(connection: Connection, lane: str, key: str) -> bool:
    return bool(await connection.fetchval(RUNNING, lane, key))


async def ahead(connection: Connection, lane: str, turn_of: str) -> Ahead:
    row = await connection.fetchrow(AHEAD, lane, turn_of)
    return Ahead(row["running"], row["own"])
