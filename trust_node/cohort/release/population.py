"""All persons of the warehouse: what the complement of a set is taken in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pyroaring import BitMap64

from trust_node.cohort.release.asked import Asked

KEPT = timedelta(minutes=10)


@dataclass(slots=True)
class Population:
    """`read` asks the warehouse, at most every 10 minutes: it is dear, and a person more or less changes nothing."""

    read: Callable[[], Awaitable[BitMap64]]
    key: bytes = field(repr=False)
    _kept: tuple[datetime, Asked] | None = None

    async def at(self, now: datetime) -> Asked:
        if self._kept is None or now - self._kept[0] > KEPT:
            self._kept = now, Asked.of(await self.read(), self.key)
        return self._kept[1]
