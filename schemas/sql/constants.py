"""Constants a query may compute with: small numbers, and times near ours."""

import re
from types import MappingProxyType
from typing import Any

from schemas.sql.refusal import RefusalCode, RefusedQueryError

MAX_ADDED = 10_000
_INTERVAL = re.compile(r"(\d{1,4} (day|week)|\d{1,3} month|\d{1,2} year)s?")
_DECIMAL = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?")
_TIMES = MappingProxyType({"interval": _INTERVAL, "date": _MOMENT, "timestamp": _MOMENT})
TIME_TYPES = frozenset(_TIMES)


def number(node: Any) -> float | None:
    constant = node.a_const
    match constant.WhichOneof("val") if node.HasField("a_const") else None:
        case "ival":
            return float(constant.ival.ival)
        case "fval":
            return _decimal(constant.fval.fval)
    return None


def _decimal(text: str) -> float | None:
    # PostgreSQL also writes numbers as 0x..., which are simply not small constants to us.
    return float(text) if _DECIMAL.fullmatch(text) else None


def is_small(node: Any) -> bool:
    value = number(node)
    return value is not None and abs(value) <= MAX_ADDED


def check_time(type_name: str, constant: Any) -> None:
    """Refuse a text that is not a time near ours: one far away makes sums fail, and so tell of the data."""
    if not _TIMES[type_name].fullmatch(constant.sval.sval):
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            "Write times as DATE '2020-01-31' or INTERVAL '30 days' (at most 99 years).",
        )
