"""The functions a query may call, and what each yields."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.sql.allowed import MEASURABLE, Kind
from schemas.sql.columns import SPAN, Column, blend
from schemas.sql.constants import number, whole
from schemas.sql.dates import constant_refusal, date_part, made_date, written
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope
from schemas.sql.windows import check_window
from schemas.sql.words import (
    AGGREGATES,
    CUTS,
    DATE_PARTS,
    FUNCTIONS,
    MOMENTS,
    NEIGHBOURS,
    RANKINGS,
    ROUNDINGS,
    TEXTS,
)

Reader = Callable[[Any, Scope], Column]

_COARSE_REACH = 10  # digits after the point that a rounded number may keep, as a factor
_MAX_BUCKETS = 40
_ANY_NUMBER = frozenset({"sum", "avg"})
_ARGUMENTS = {
    "age": (1, 2),
    "make_date": (3, 3),
    "to_char": (2, 2),
    "width_bucket": (4, 4),
    "overlaps": (4, 4),
}


def read_function(call: Any, scope: Scope, read: Reader) -> Column:
    """Return what the call yields; `read` reads its arguments."""
    name = _name(call)
    if call.HasField("over"):
        check_window(call.over, scope, read)
    elif name in RANKINGS | NEIGHBOURS:
        raise _function_refusal(name, f"{name}() needs OVER (PARTITION BY person_id ...).")
    if call.HasField("agg_filter"):
        _check_filter(call, scope, read)
    columns = [read(argument, scope) for argument in call.args]
    if name == "count" or name in RANKINGS:
        return Column(Kind.BUCKET, wide=True)
    if any(column.identifies for column in columns):
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            f"Identifiers can't be given to {name}(); only count() takes them.",
        )
    return _computed(name, call, columns)


def _check_filter(call: Any, scope: Scope, read: Reader) -> None:
    if read(call.agg_filter, scope).identifies:
        raise RefusedQueryError(RefusalCode.IDENTIFIER, "FILTER takes a condition, not an identifier.")


def _computed(name: str, call: Any, columns: list[Column]) -> Column:
    if name in DATE_PARTS:
        return date_part(name, call, columns[-1])
    if name in ROUNDINGS:
        return _rounded(call, columns[0])
    if name in AGGREGATES:
        return _aggregated(name, columns[0])
    if name in NEIGHBOURS:
        return _neighbour(name, call, columns)
    if name in TEXTS | CUTS:
        return _text(name, call, columns[0])
    return _special(name, call, columns)


def _special(name: str, call: Any, columns: list[Column]) -> Column:
    match name:
        case "now":
            return Column(Kind.CONSTANT, reach=0.0, moment=True)
        case "abs":
            return replace(columns[0], origin="")
        case "make_date":
            return made_date(call, columns)
        case "to_char":
            return written(call, columns[0])
        case "width_bucket":
            return _bucketed(call, columns[0])
        case "age":
            return Column(Kind.PLAIN, SPAN)
    return Column(Kind.PLAIN)


def _name(call: Any) -> str:
    names = [name.string.sval for name in call.funcname]
    if names[-1] not in FUNCTIONS or names[:-1] not in ([], ["pg_catalog"]):
        raise _function_refusal(names[-1], "use count, min, max, sum, avg, extract, age, floor or lower.")
    least, most = _ARGUMENTS.get(names[-1], (1, 3))
    if names[-1] in RANKINGS | MOMENTS or (names[-1] == "count" and call.agg_star):
        least = most = 0
    if not least <= len(call.args) <= most or (call.agg_star and names[-1] != "count"):
        raise _function_refusal(names[-1], "it has the wrong number of arguments.")
    return str(names[-1])


def _function_refusal(name: str, remedy: str) -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.FUNCTION,
        f'The function "{name}" is not allowed like this: {remedy}',
    )


def _rounded(call: Any, column: Column) -> Column:
    digits = call.args[1:]
    if len(digits) > 1 or (digits and number(digits[0]) not in range(-9, 10)):
        raise constant_refusal("round", "a constant number of digits up to 9")
    coarse = column.reach <= _COARSE_REACH and (not digits or number(digits[0]) in range(-9, 2))
    return replace(column, kind=Kind.BUCKET, origin="") if column.kind in MEASURABLE and coarse else column


def _aggregated(name: str, column: Column) -> Column:
    if name not in _ANY_NUMBER:
        return replace(column, origin=column.computed_origin)
    if column.origin == SPAN:
        raise _function_refusal(name, "lengths of time may add up to more than fits; use extract(epoch from ...).")
    kind = Kind.PLAIN if name == "avg" or column.kind is Kind.PLAIN else Kind.BUCKET
    return replace(column, kind=kind, origin="", wide=True, reach=max(2 * column.reach, 2.0))


def _neighbour(name: str, call: Any, columns: list[Column]) -> Column:
    if name in ("lag", "lead") and len(call.args) > 1 and not whole(call.args[1], 0, 100):
        raise constant_refusal(name, "a constant number of rows")
    return blend([columns[0], *columns[2:]])


def _text(name: str, call: Any, column: Column) -> Column:
    if name in CUTS and not all(whole(argument, 0, 1000) for argument in call.args[1:]):
        raise constant_refusal(name, "constant places in the text")
    if name == "length":
        return Column(Kind.BUCKET)
    return replace(column, origin="", reach=math.inf)


def _bucketed(call: Any, column: Column) -> Column:
    low, high = number(call.args[1]), number(call.args[2])
    if low is None or high is None or low >= high or not whole(call.args[3], 1, _MAX_BUCKETS):
        raise constant_refusal("width_bucket", f"constant bounds, the lower first, and at most {_MAX_BUCKETS} buckets")
    return Column(Kind.BUCKET if column.kind in MEASURABLE else column.kind)
