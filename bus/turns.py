"""A lane that is shared out: nobody has more than a few of its workers, and who had the last turn is behind."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 1000

CLAIM = """
update job set running = true, attempts = attempts + 1 where job_id = (
    select job_id from job as mine where lane = $1 and not running and run_at <= now() and not exists (
        select 1 from job as earlier
        where earlier.lane = mine.lane and earlier.key = mine.key and earlier.job_id < mine.job_id)
    and $2 > (
        select count(*) from job as busy
        where busy.lane = mine.lane and busy.running and busy.turn_of is not distinct from mine.turn_of)
    order by coalesce(array_position($3::text[], mine.turn_of), 0), job_id limit 1 for update skip locked)
returning *"""


@dataclass(slots=True)
class Turns:
    """``each``: most jobs of one ``turn_of`` at a time. ``had``: who had a turn, the latest at the end."""

    each: int
    had: list[str] = field(default_factory=list)
    # two workers that claim at once would each find the other's place still free
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        if self.each < 1:
            raise ValueError("each must be at least 1: nobody would ever have a turn")

    async def claim(self, pool: Any, lane: str) -> Any:
        """Return the row of the job that is next, now running; or None."""
        async with self._one_at_a_time:
            row = await pool.fetchrow(CLAIM, lane, self.each, self.had)
        if row is not None and row["turn_of"] is not None:
            self._note(row["turn_of"])
        return row

    def _note(self, who: str) -> None:
        if who in self.had:
            self.had.remove(who)
        self.had.append(who)
        del self.had[:-REMEMBERED]
