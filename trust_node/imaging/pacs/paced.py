"""A PACS that is asked at the trust's pace."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TypeVar

from bus.backoff import doubling_s
from trust_node.imaging.pacs.hits import Outcome, StudyHit
from trust_node.imaging.pacs.pace import Pace
from trust_node.imaging.pacs.troubles import PacsError
from trust_node.imaging.pacs.ways import Pacs

ATTEMPTS = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PacedPacs:
    """A `Pacs` that learns from each answer how the PACS does; `turn` says when the next study may begin.

    A question that fails for a moment is asked again, at most three times; a study's own attempts are the lane's.
    """

    pacs: Pacs
    pace: Pace
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def turn(self, now: datetime) -> datetime:
        """Return when the next study may begin: `now` if at once, else the moment to which it is put off."""
        return self.pace.ready_at(now)

    async def echo(self) -> None:
        await self._asked(self.pacs.echo)

    async def find_studies(self, accession: str) -> list[StudyHit]:
        hits, seconds = await self._asked(lambda: self.pacs.find_studies(accession))
        self.pace.courtesy.note(seconds, self.clock())
        return hits

    async def retrieve(self, hit: StudyHit) -> Outcome:
        outcome = await self.pacs.retrieve(hit)
        self.pace.allowance.spend(outcome.completed + outcome.warning + outcome.failed, self.clock())
        return outcome

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> tuple[T, float]:
        """Return the answer and the seconds it took."""
        for failures in range(ATTEMPTS - 1):
            try:
                return await _timed(ask)
            except PacsError as error:
                if not error.temporary:
                    raise
            await asyncio.sleep(doubling_s(FIRST_PAUSE_S, LONGEST_PAUSE_S, failures))
        return await _timed(ask)


async def _timed(ask: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    began = perf_counter()
    answer = await ask()
    return answer, perf_counter() - began
