"""Shifts DICOM dates and date-times of any precision (PS3.5 6.2, DA and DT)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from trust_node.imaging.deid.script.errors import CannotError

_MOMENT = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\.\d{1,6})?([+-]\d{4})?")
_NO_MOMENT = "its value is no date or date-time"
_LENGTHS = (4, 6, 8, 10, 12, 14)
_WIDTHS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))
UNITS = {"days": timedelta(days=1), "seconds": timedelta(seconds=1)}


@dataclass(frozen=True, slots=True)
class Moment:
    """The middle of what a value leaves open (a year, a month, an hour …), and how the value was written."""

    middle: datetime
    digits: int
    fraction: str
    offset: str

    def shifted(self, by: timedelta) -> str:
        """Return the value moved by `by`, in the precision and with the offset from UTC that it had."""
        try:
            moved = self.middle + by
        except OverflowError:
            raise CannotError("the shift leaves the years 1 to 9999") from None
        written = f"{moved.year:04}" + moved.strftime("%m%d%H%M%S")
        return written[: self.digits] + self.fraction + self.offset


def moment(value: str) -> Moment:
    """Read a DA or DT value; raises CannotError, without the value, if it is neither."""
    match = _MOMENT.fullmatch(value.strip(" \0"))
    if match is None:
        raise CannotError(_NO_MOMENT)
    parts = [int(part) for part in match.groups()[:6] if part]
    try:
        middle = _middle(parts)
    except (ValueError, OverflowError):
        raise CannotError(_NO_MOMENT) from None
    return Moment(middle, _LENGTHS[len(parts) - 1], match[7] or "", match[8] or "")


def shift(value: str, amount: int, unit: str) -> str:
    """Return `value` moved by `amount` days or seconds."""
    if unit not in UNITS:
        raise CannotError('the unit is "days" or "seconds"')
    try:
        by = amount * UNITS[unit]
    except OverflowError:
        raise CannotError("the shift leaves the years 1 to 9999") from None
    return moment(value).shifted(by)


def _middle(parts: list[int]) -> datetime:
    year, month, day, *time = [*parts, 1, 1][: max(3, len(parts))]
    hour, minute, second = [*time, 0, 0, 0][:3]
    start = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  DICOM's local time
    return start + (_end(start, len(parts)) - start) / 2


def _end(start: datetime, known: int) -> datetime:
    match known:
        case 1:
            return start + timedelta(days=366 if start.year % 4 == 0 else 365)
        case 2:
            return (start + timedelta(days=31)).replace(day=1)
        case 3 | 4 | 5:
            return start + _WIDTHS[known - 3]
    return start
