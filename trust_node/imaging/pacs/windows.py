"""When the PACS may be asked: hours of weekdays on the trust's own clock, over midnight and changes of the clock."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60
FORM = re.compile(r"(?P<first>[a-z]{3})(-(?P<last>[a-z]{3}))? (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)")
LOOK_AHEAD_DAYS = 15
"""A window of one day of the week that the clock's change swallows opens a week later."""


@dataclass(frozen=True, slots=True)
class Window:
    """Opens on each of `days` (Monday is 0) at the minute `start`, for `length` minutes, on wall clocks."""

    days: frozenset[int]
    start: int
    length: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `mon-fri 19:00-06:00`, or `sat 00:00-24:00`; an end before its start is on the next day.

        Raises
        ------
        ValueError
            Naming what is wrong with the text.
        """
        told = FORM.fullmatch(text)
        if told is None:
            raise ValueError(f"window {text!r}: write it as 'mon-fri 19:00-06:00' or 'sat 00:00-24:00'")
        start, end = _minute(told["start"]), _minute(told["end"])
        if start in (MINUTES_A_DAY, end):
            raise ValueError(f"window {text!r}: give a start before 24:00 and another end")
        return cls(
            _days(told["first"], told["last"] or told["first"]), start, (end - start) % MINUTES_A_DAY or MINUTES_A_DAY
        )

    def holds(self, local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        today, yesterday = local.weekday(), (local.weekday() - 1) % 7
        from_today = today in self.days and self.start <= minute < self.start + self.length
        return from_today or (yesterday in self.days and minute + MINUTES_A_DAY < self.start + self.length)


@dataclass(frozen=True, slots=True)
class Windows:
    """No window at all is always open."""

    windows: tuple[Window, ...]
    zone: ZoneInfo

    @classmethod
    def parse(cls, texts: Iterable[str], zone: ZoneInfo) -> Self:
        return cls(tuple(Window.parse(text) for text in texts), zone)

    def is_open(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        return not self.windows or any(window.holds(local) for window in self.windows)

    def next_opening(self, moment: datetime) -> datetime:
        """Return `moment` itself if that is inside a window, else when the next one opens, in UTC.

        A start that the clock skips in spring opens by as much later as the clock skips.
        """
        moment = moment.astimezone(UTC)
        if self.is_open(moment):
            return moment
        return min(start for start in self._starts(moment) if start > moment and self.is_open(start))

    def _starts(self, moment: datetime) -> Iterator[datetime]:
        today = moment.astimezone(self.zone).date()
        for day in (today + timedelta(days=number) for number in range(-1, LOOK_AHEAD_DAYS)):
            for window in self.windows:
                if day.weekday() in window.days:
                    yield from self._occurrences(day, window.start)

    def _occurrences(self, day: date, minute: int) -> Iterator[datetime]:
        """A wall clock shows a time once; twice in the hour that autumn repeats."""
        clock = time(minute // 60, minute % 60)
        for fold in (0, 1):
            yield datetime.combine(day, clock, self.zone).replace(fold=fold).astimezone(UTC)


def machine_zone() -> ZoneInfo:
    """Return the time zone that this machine is set to."""
    with open("/etc/localtime", "rb") as file:  # noqa: PTH123  ZoneInfo wants a file
        return ZoneInfo.from_file(file, key="localtime")


def _minute(clock: str) -> int:
    hours, minutes = (int(part) for part in clock.split(":"))
    minute = hours * 60 + minutes
    if minutes >= 60 or minute > MINUTES_A_DAY:  # noqa: PLR2004  of an hour
        raise ValueError(f"window: {clock} is no time of day")
    return minute


def _days(first: str, last: str) -> frozenset[int]:
    for day in (first, last):
        if day not in DAYS:
            raise ValueError(f"window: {day} is no day of the week, they are {', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last)
    return frozenset((begin + number) % 7 for number in range((end - begin) % 7 + 1))
