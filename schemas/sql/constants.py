"""Constants a query may compute with: small numbers, and times near ours."""

import math
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from schemas.sql.allowed import Kind
from schemas.sql.columns import SPAN, Column
from schemas.sql.refusal import RefusalCode, RefusedQueryError

MAX_WILDCARDS = 6
_PIECE = 200  # characters of a text that count as one of the pieces it is strung together of
_LARGEST = Decimal("1e100")
_TINY = 1e-6  # products of less could be too small for the server, which is an error too
_YEAR = 100.0  # the reach of a year, so that two centuries are as far as sums go
_DAYS = MappingProxyType({"minute": 1, "hour": 1, "day": 1, "week": 7, "month": 31, "year": 365})
_INTERVAL = re.compile(
    r"(?:(\d{1,5}) (day|minute)|(\d{1,4}) (week|hour)|(\d{1,4}) (month)|(\d{1,2}) (year))s?", re.IGNORECASE
)
_UNITS = re.compile(r"(?<=[a-z]) (?=\d)", re.IGNORECASE)
_MAX_UNITS = 3
_DECIMAL = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
# What a text may become where it is compared with a number or a time: an error in some rows only.
_SPECIAL = re.compile(r"\s*[+-]?(nan|inf|infinity|0[xob]\w{20,})\s*", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?(\d[\d_]*\.?[\d_]*|\.[\d_]+)([eE][+-]?[\d_]+)?\s*", re.ASCII)
_DAY = re.compile(r"(1[6-9]|20|21|99)\d{2}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"(1[6-9]|20|21|99)\d{2}(-\d{2}-\d{2}|\d{4})([ T]\d{2}:\d{2}(:\d{2})?)?")
# PostgreSQL's masks of INTERVAL '1' YEAR, MONTH, DAY and HOUR.
_MASKS = MappingProxyType({4: "year", 2: "month", 8: "day", 1024: "hour"})


def number(node: Any) -> float | None:
    constant = node.a_const
    match constant.WhichOneof("val") if node.HasField("a_const") else None:
        case "ival":
            return float(constant.ival.ival)
        case "fval":
            return decimal(constant.fval.fval)
    return None


def whole(node: Any, low: int, high: int) -> bool:
    """Return whether this is a whole number written out, from `low` to `high`."""
    return bool(node.a_const.HasField("ival")) and low <= node.a_const.ival.ival <= high


def decimal(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) else None


def _check_size(text: str) -> None:
    """Refuse a number that may not fit where it is compared: only some rows would come to that."""
    size = abs(Decimal(text))
    if size > _LARGEST or 0 < size < 1 / _LARGEST:
        raise _not_plain()


def _not_plain() -> RefusedQueryError:
    return RefusedQueryError(RefusalCode.CONSTANT, "Numbers are written with plain digits, and at most 100 of them.")


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar near ours, as 2020-01-31."""
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def read_constant(constant: Any) -> Column:
    """Return a constant as a value; a text may become a number later, so it is of any size."""
    match constant.WhichOneof("val"):
        case "ival":
            return Column(Kind.CONSTANT, reach=abs(float(constant.ival.ival)))
        case "fval":
            value = decimal(constant.fval.fval)
            tiny = value is None or 0 < abs(value) < _TINY
            _check_size(constant.fval.fval)
            return Column(Kind.CONSTANT, reach=math.inf if tiny or value is None else abs(value))
        case "sval":
            if _SPECIAL.fullmatch(constant.sval.sval):
                raise _not_plain()
            if _NUMBER.fullmatch(constant.sval.sval):
                _check_size(constant.sval.sval.replace("_", ""))
            if _DAY.fullmatch(constant.sval.sval) and not is_date(constant.sval.sval):
                raise RefusedQueryError(RefusalCode.CONSTANT, "There is no such day; dates are written '2020-01-31'.")
            if is_date(constant.sval.sval):
                return replace(moment_of(constant.sval.sval), written=True)
            return Column(Kind.CONSTANT, reach=math.inf, terms=1 + len(constant.sval.sval) // _PIECE)
    return Column(Kind.CONSTANT, reach=0.0)


def read_time(type_name: str, cast: Any) -> Column:
    """Return a time near ours; one far away makes sums fail, and so tell of the data."""
    text = cast.arg.a_const.sval.sval
    if type_name != "interval":
        if not _MOMENT.fullmatch(text):
            raise _no_time()
        return moment_of(text)
    unit = _MASKS.get(cast.type_name.typmods[0].a_const.ival.ival, "") if cast.type_name.typmods else ""
    parts = _UNITS.split(f"{text} {unit}".strip())
    if len(parts) > _MAX_UNITS:
        raise _no_time()
    return Column(Kind.CONSTANT, SPAN, reach=sum(_days(part) for part in parts) / 365 * _YEAR)


def _days(text: str) -> int:
    found = _INTERVAL.fullmatch(text)
    if not found:
        raise _no_time()
    amount, unit = (part for part in found.groups() if part)
    return int(amount) * _DAYS[unit.lower()]


def moment_of(text: str) -> Column:
    """Return a time; the last days of all, for what has no end, are too far to compute with."""
    return Column(Kind.CONSTANT, reach=8000 * _YEAR if text.startswith("99") else 0.0, moment=True)


def _no_time() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.CONSTANT,
        "Write times as DATE '2020-01-31' or INTERVAL '30 days' (at most 99 years).",
    )


def check_pattern(node: Any) -> None:
    """Refuse a LIKE pattern that is computed, or has so many wildcards that it costs much time."""
    text = node.a_const.sval.sval
    if not node.a_const.HasField("sval") or text.count("%") + text.count("_") // 4 > MAX_WILDCARDS:
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            f"A LIKE pattern must be a text with at most {MAX_WILDCARDS} wildcards.",
        )
