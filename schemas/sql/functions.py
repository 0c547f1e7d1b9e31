"""The functions a query may call, and what each yields."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from schemas.sql.allowed import MEASURABLE, Kind
from schemas.sql.arithmetic import MAX_REACH, MAX_TERMS, remainder, square, strung
from schemas.sql.columns import SPAN, Column, blend
from schemas.sql.constants import number, whole
from schemas.sql.dates import constant_refusal, date_part, in_range, made_date, read_date, written
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope
from schemas.sql.trees import references
from schemas.sql.windows import check_window
from schemas.sql.words import (
    AGGREGATES,
    CUTS,
    DATE_PARTS,
    FUNCTIONS,
    JOINED,
    MOMENTS,
    NEIGHBOURS,
    RANKINGS,
    ROUNDINGS,
    TEXTS,
)

Reader = Callable[[Any, Scope], Column]

_COARSE_REACH = 10  # digits after the point that a rounded number may keep, as a factor
_MAX_BUCKETS = 40
_MAX_SEPARATOR = 3
_ANY_NUMBER = frozenset({"sum", "avg"})
_ARGUMENTS = {
    "age": (1, 2),
    "make_date": (3, 3),
    "to_char": (2, 2),
    "width_bucket": (4, 4),
    "overlaps": (4, 4),
    "mod": (2, 2),
    "power": (2, 2),
    "to_date": (2, 2),
    "replace": (3, 3),
    "split_part": (3, 3),
    "string_agg": (2, 2),
    "concat": (1, MAX_TERMS),
    "concat_ws": (2, MAX_TERMS),
}
_REMEDIES = {
    "random": "a sample that differs each time is no cohort; LIMIT takes fewer images.",
    **dict.fromkeys(("year", "month", "datepart"), "write extract(year from x)."),
    **dict.fromkeys(("datediff", "dateadd"), "subtract dates, or add INTERVAL '30 days'."),
    **dict.fromkeys(("getdate", "sysdate"), "write CURRENT_DATE."),
    **dict.fromkeys(("ntile", "percent_rank"), "it ranks persons among others; group by CASE or width_bucket."),
    "unnest": "write IN (1, 2), or a VALUES list.",
    "generate_series": "write a VALUES list.",
    "make_interval": "write INTERVAL '14 days'.",
    "isnull": "write coalesce(x, 0).",
    "format": "join texts by || or concat().",
    **dict.fromkeys(("stddev", "stddev_samp", "variance", "median"), "statistics of values come with the cohort."),
    **dict.fromkeys(("sqrt", "pow", "ln", "log", "exp"), "it fails for some values; compare the parts instead."),
}


def read_function(call: Any, scope: Scope, read: Reader) -> Column:
    """Return what the call yields; `read` reads its arguments."""
    name, touched = _name(call), scope.touched
    if call.HasField("over"):
        check_window(call.over, scope, read)
    elif name in RANKINGS | NEIGHBOURS:
        raise _function_refusal(name, f"{name}() needs OVER (PARTITION BY person_id ...).")
    if call.HasField("agg_filter"):
        _check_filter(call, scope, read)
    columns = [read(argument, scope) for argument in call.args]
    if name in AGGREGATES | {"count"} and scope.touched == touched and any(True for _ in references(call)):
        # PostgreSQL would take it for an aggregate of the query around this one, and the subquery for one of many rows.
        raise _function_refusal(name, "it must be of columns of its own subquery.")
    if name == "count" or name in RANKINGS:
        return Column(Kind.BUCKET)
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
        return _aggregated(name, call, columns[0])
    if name in NEIGHBOURS:
        return _neighbour(name, call, columns)
    if name in TEXTS | CUTS:
        return _text(name, call, columns[0])
    if name in JOINED:
        return strung(columns)
    return _special(name, call, columns)


def _special(name: str, call: Any, columns: list[Column]) -> Column:
    reader = _SPECIAL.get(name)
    return reader(call, columns) if reader else Column(Kind.PLAIN)


def _name(call: Any) -> str:
    names = [name.string.sval for name in call.funcname]
    if names[-1] not in FUNCTIONS or names[:-1] not in ([], ["pg_catalog"]):
        remedy = _REMEDIES.get(names[-1], "use count, min, max, sum, avg, extract, age, floor or lower.")
        raise _function_refusal(names[-1], remedy)
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


def _replaced(call: Any, column: Column) -> Column:
    """Return a text with parts of it replaced: never longer than it was."""
    old, new = (argument.a_const for argument in call.args[1:])
    if not (old.HasField("sval") and new.HasField("sval")) or len(new.sval.sval) > len(old.sval.sval):
        raise constant_refusal("replace", "constant texts, the new one no longer than the old one")
    return replace(column, origin="", reach=math.inf)


def _split(call: Any, column: Column) -> Column:
    if not call.args[1].a_const.sval.sval or not whole(call.args[2], 1, 1000):
        raise constant_refusal("split_part", "a constant text and the number of a part, from 1")
    return replace(column, origin="", reach=math.inf)


def _aggregated(name: str, call: Any, column: Column) -> Column:
    if name == "string_agg":
        separator = call.args[1].a_const
        short = separator.HasField("sval") and len(separator.sval.sval) <= _MAX_SEPARATOR
        # Of joined rows there may be so many that their texts don't fit; different ones are as many as are stored.
        if not short or column.terms > 1 or not call.agg_distinct:
            raise constant_refusal(
                name, "DISTINCT short texts, not strung together yet, and a short constant separator"
            )
        return replace(strung([column]), kind=Kind.PLAIN, terms=MAX_TERMS)
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
        return Column(Kind.BUCKET, reach=1.0 if column.terms == 1 else MAX_REACH)
    return replace(column, origin="", reach=math.inf)


def _bucketed(call: Any, column: Column) -> Column:
    low, high = number(call.args[1]), number(call.args[2])
    if low is None or high is None or low >= high or not whole(call.args[3], 1, _MAX_BUCKETS):
        raise constant_refusal("width_bucket", f"constant bounds, the lower first, and at most {_MAX_BUCKETS} buckets")
    return Column(Kind.BUCKET if column.kind in MEASURABLE else column.kind)


_SPECIAL: Mapping[str, Callable[[Any, list[Column]], Column]] = MappingProxyType(
    {
        "now": lambda _call, _columns: Column(Kind.CONSTANT, reach=0.0, moment=True),
        "abs": lambda _call, columns: replace(columns[0], origin=""),
        "age": lambda _call, columns: replace(in_range("age", columns), origin=SPAN),
        "overlaps": lambda _call, columns: in_range("overlaps", columns),
        "mod": lambda call, columns: remainder(columns[0], call.args[1]),
        "power": lambda call, columns: square(columns[0], call.args[1]),
        "replace": lambda call, columns: _replaced(call, columns[0]),
        "split_part": lambda call, columns: _split(call, columns[0]),
        "make_date": made_date,
        "to_char": lambda call, columns: written(call, columns[0]),
        "to_date": lambda call, _columns: read_date(call),
        "width_bucket": lambda call, columns: _bucketed(call, columns[0]),
    },
)
