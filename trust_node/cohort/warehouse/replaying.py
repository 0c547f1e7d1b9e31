"""How old a replica's data may be: the time of the last replayed commit says little while its primary is idle."""

import asyncio
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any, Self

PATIENCE_S = 1.0
LOOK_S = 0.05

# Without the right to read statistics the reader is told of the receiver whether it is there, and nothing else.
POSITION = """
SELECT (pg_stat_get_wal_receiver()).pid IS NOT NULL, pg_last_wal_receive_lsn()::text, pg_last_wal_replay_lsn()::text,
  extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a replica stands in its primary's log, in bytes; `received` is 0 where nothing was streamed yet.

    `since_commit_s`: since the primary's commit that was replayed last, by the clocks of both; infinite if none was.
    """

    is_streaming: bool
    received: int
    replayed: int
    since_commit_s: float

    @classmethod
    def of(cls, is_streaming: bool, received: str | None, replayed: str | None, since_commit_s: float | None) -> Self:
        since_s = inf if since_commit_s is None else max(0.0, since_commit_s)
        return cls(is_streaming, _bytes(received), _bytes(replayed), since_s)

    def shows(self, earlier: "Position") -> bool:
        """Whether all is replayed that the primary had sent by then; just after a start little has been received."""
        return earlier.is_streaming and earlier.received >= earlier.replayed and self.replayed >= earlier.received


@dataclass(slots=True)
class Replay:
    """What is known of a replica from look to look."""

    _whole_at: float = field(default=-inf, init=False)

    async def age_s(self, connection: Any, limit_s: float) -> float:
        """Return how old the data may be; where that is over the limit, give the replica a moment to catch up."""
        began = monotonic()
        first = later = await position(connection)
        while (age_s := self._age_s(first, later, began)) > limit_s and monotonic() < began + PATIENCE_S:
            await asyncio.sleep(LOOK_S)
            later = await position(connection)
        return age_s

    def _age_s(self, first: Position, later: Position, began: float) -> float:
        if later.shows(first):
            self._whole_at = began
        return min(monotonic() - self._whole_at, later.since_commit_s)


async def position(connection: Any) -> Position:
    return Position.of(*await connection.fetchrow(POSITION))


def _bytes(place: str | None) -> int:
    """Read PostgreSQL's `16/B374D848`."""
    if place is None:
        return 0
    high, low = place.split("/")
    return int(high, 16) << 32 | int(low, 16)
