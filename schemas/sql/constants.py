"""Constants a query may compute with: small numbers, and times near ours."""

import math
import re
from types import MappingProxyType
from typing import Any

from schemas.sql.allowed import Kind
from schemas.sql.columns import SPAN, Column
from schemas.sql.refusal import RefusalCode, RefusedQueryError

MAX_WILDCARDS = 6
_TINY = 1e-6  # products of less could be too small for the server, which is an error too
_YEAR = 100.0  # the reach of a year, so that two centuries are as far as sums go
_DAYS = MappingProxyType({"hour": 1, "day": 1, "week": 7, "month": 31, "year": 365})
_INTERVAL = re.compile(r"(?:(\d{1,5}) (day)|(\d{1,4}) (week|hour)|(\d{1,4}) (month)|(\d{1,2}) (year))s?", re.IGNORECASE)
_DECIMAL = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_MOMENT = re.compile(r"(1[6-9]|20|21|99)\d{2}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?")
# PostgreSQL's masks of INTERVAL '1' YEAR, MONTH, DAY and HOUR.
_MASKS = MappingProxyType({4: "year", 2: "month", 8: "day", 1024: "hour"})


def number(node: Any) -> float | None:
    constant = node.a_const
    match constant.WhichOneof("val") if node.HasField("a_const") else None:
        case "ival":
            return float(constant.ival.ival)
        case "fval":
            return _decimal(constant.fval.fval)
    return None


def whole(node: Any, low: int, high: int) -> bool:
    """Return whether this is a whole number written out, from `low` to `high`."""
    return bool(node.a_const.HasField("ival")) and low <= node.a_const.ival.ival <= high


def _decimal(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) else None


def read_constant(constant: Any) -> Column:
    """Return a constant as a value; a text may become a number later, so it is of any size."""
    match constant.WhichOneof("val"):
        case "ival":
            return Column(Kind.CONSTANT, reach=abs(float(constant.ival.ival)))
        case "fval":
            value = _decimal(constant.fval.fval)
            tiny = value is None or 0 < abs(value) < _TINY
            return Column(Kind.CONSTANT, reach=math.inf if tiny or value is None else abs(value))
        case "sval":
            return Column(Kind.CONSTANT, reach=math.inf)
    return Column(Kind.CONSTANT, reach=0.0)


def read_time(type_name: str, cast: Any) -> Column:
    """Return a time near ours; one far away makes sums fail, and so tell of the data."""
    text = cast.arg.a_const.sval.sval
    if type_name != "interval":
        if not _MOMENT.fullmatch(text):
            raise _no_time()
        return Column(Kind.CONSTANT, reach=0.0, moment=True)
    unit = _MASKS.get(cast.type_name.typmods[0].a_const.ival.ival, "") if cast.type_name.typmods else ""
    found = _INTERVAL.fullmatch(f"{text} {unit}".strip())
    if not found:
        raise _no_time()
    amount, unit = (part for part in found.groups() if part)
    return Column(Kind.CONSTANT, SPAN, reach=int(amount) * _DAYS[unit.lower()] / 365 * _YEAR)


def _no_time() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.CONSTANT,
        "Write times as DATE '2020-01-31' or INTERVAL '30 days' (one unit, at most 99 years).",
    )


def check_pattern(node: Any) -> None:
    """Refuse a LIKE pattern that is computed, or has so many wildcards that it costs much time."""
    text = node.a_const.sval.sval
    if not node.a_const.HasField("sval") or text.count("%") + text.count("_") // 4 > MAX_WILDCARDS:
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            f"A LIKE pattern must be a text with at most {MAX_WILDCARDS} wildcards.",
        )
