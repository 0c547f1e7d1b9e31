"""How fast the PACS is asked, and when it is left alone, because it answers slower. The clock is passed in."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from statistics import median

from bus.backoff import doubling_s
from trust_node.imaging.pacs.windows import Windows

RECENT = 5
REMEMBERED = 200
NOTICEABLE_S = 0.1
"""Faster than this no PACS is slow, whatever it was before: a factor of a millisecond is noise."""
FIRST_REST_S, LONGEST_REST_S = 5.0, 300.0


@dataclass(slots=True)
class Allowance:
    """Images per second over all studies, on average; `rate` None is without limit.

    The PACS pushes a study's images as fast as it can, so what a study has taken is paid back by waiting before
    the next one.
    """

    rate: float | None
    _paid_until: datetime | None = None

    def ready_at(self, now: datetime) -> datetime:
        return max(now, self._paid_until or now)

    def spend(self, images: int, now: datetime) -> None:
        if self.rate is not None:
            self._paid_until = self.ready_at(now) + timedelta(seconds=images / self.rate)


@dataclass(slots=True)
class Courtesy:
    """Rests while the PACS answers `factor` times slower than at its best: clinicians are asking it.

    It is slow when the median of the last five response times is so many times the lowest such median remembered.
    Each answer that is still slow makes the rest twice as long, up to five minutes; the first quick one ends it.
    """

    factor: float
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    _medians: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _slow_in_a_row: int = 0
    _rest_until: datetime | None = None

    def note(self, seconds: float, now: datetime) -> None:
        """Take in how long the PACS took for an answer."""
        self._recent.append(seconds)
        typical = median(self._recent)
        if len(self._recent) == RECENT:
            self._medians.append(typical)
        if (seconds if self.slow else typical) > self._bearable_s:
            self._rest(now)
        elif self.slow:
            self._recent.clear()
            self._slow_in_a_row, self._rest_until = 0, None

    @property
    def slow(self) -> bool:
        return self._slow_in_a_row > 0

    def ready_at(self, now: datetime) -> datetime:
        return max(now, self._rest_until or now)

    @property
    def _bearable_s(self) -> float:
        return max(NOTICEABLE_S, self.factor * min(self._medians, default=inf))

    def _rest(self, now: datetime) -> None:
        rest = doubling_s(FIRST_REST_S, LONGEST_REST_S, self._slow_in_a_row)
        self._slow_in_a_row += 1
        self._rest_until = now + timedelta(seconds=rest)


@dataclass(slots=True)
class Pace:
    """Everything that may make the next study wait."""

    windows: Windows
    allowance: Allowance
    courtesy: Courtesy

    def ready_at(self, now: datetime) -> datetime:
        """Return when the next study may begin: `now` if at once, else a later moment; it is inside a window."""
        return self.windows.next_opening(max(self.allowance.ready_at(now), self.courtesy.ready_at(now)))
