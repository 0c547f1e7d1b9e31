"""Sums, products, quotients and casts that cannot fail by a person's data: an error would answer a question."""

import math
from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import MEASURABLE, Kind
from schemas.sql.columns import SPAN, Column, blend
from schemas.sql.constants import decimal, number, read_time, whole
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.words import NUMBER_TYPES, TEXT_TYPES, TIME_TYPES, TYPES

MAX_REACH = 20_000
MAX_TERMS = 16
DAYS_REACH = 30.0
"""A number of days is as fine as a date: it is coarse in months."""
_QUOTIENT = 1e9  # past what may be computed with, and still a number
_MAX_WHOLE = 1_000  # how many times a whole number of any size fits its type
_MAX_TEXT = 255
_MAX_SHIFT = 4  # how often a stored number of days may be counted in a date


def add(columns: list[Column]) -> Column:
    """Return a sum or difference."""
    for column in columns:
        _check_number(column)
    total = blend(columns)
    reach, terms = sum(column.reach for column in columns), sum(column.terms for column in columns)
    moments = [column.moment for column in columns]
    if any(moments):
        _check_shift([column for column in columns if not column.moment])
        total = replace(total, origin=_between(columns))
    if moments.count(True) > 1:
        reach = max(reach, DAYS_REACH)
    return _small(replace(total, reach=reach, terms=terms, moment=moments.count(True) == 1))


def _between(columns: list[Column]) -> str:
    """Return what a difference of times is: of plain dates a number of days, else a length of time."""
    dates = all(column.origin.endswith("_date") for column in columns)
    return SPAN if all(column.moment for column in columns) and not dates else ""


def _check_shift(shifts: list[Column]) -> None:
    if any(shift.kind is not Kind.CONSTANT and (shift.wide or shift.reach > _MAX_SHIFT) for shift in shifts):
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            "Only constants and numbers of days as they are stored can be added to a date.",
        )


def multiply(left: Column, right: Column) -> Column:
    """Return a product; one side must be a constant, or both of the type numeric, so that they always fit."""
    for column in (left, right):
        _check_number(column)
    if _is_amount(left) and _is_amount(right):
        product = replace(blend([left, right]), kind=Kind.PLAIN, product=True)
        return _small(replace(product, reach=MAX_REACH, terms=left.terms + right.terms))
    if Kind.CONSTANT not in (left.kind, right.kind) or left.moment or right.moment:
        raise RefusedQueryError(
            RefusalCode.OPERATOR,
            "Multiply only by a constant number, or two measured values; cast others to numeric, so that their product "
            "fits.",
        )
    times = SPAN in (left.origin, right.origin)
    far = left.wide or right.wide or max(left.reach, right.reach) > _MAX_SHIFT
    if times and left.kind is not right.kind and far:
        raise RefusedQueryError(
            RefusalCode.CONSTANT, "Multiply a column only with a short time, such as INTERVAL '1 day'."
        )
    reaches = [column.reach if times else max(column.reach, 1) for column in (left, right)]
    total = replace(blend([left, right]), reach=math.prod(reaches), terms=left.terms + right.terms)
    if total.wide and not total.exact and total.reach > _MAX_WHOLE:
        raise RefusedQueryError(
            RefusalCode.CONSTANT, f"A whole number times over {_MAX_WHOLE} may not fit; write CAST(x AS numeric)."
        )
    return _small(total)


def _is_amount(column: Column) -> bool:
    return column.exact and not column.moment and column.origin != SPAN


def square(column: Column, exponent: Any) -> Column:
    """Return a measured value times itself."""
    if number(exponent) != 2 or not _is_amount(column):  # noqa: PLR2004  a square
        raise RefusedQueryError(RefusalCode.CONSTANT, "power() takes only a measured value and the exponent 2.")
    return multiply(column, column)


def divide(left: Column, right: Column, divisor: Any) -> Column:
    """Return a quotient by a constant, or by a value that NULLIF keeps from being zero."""
    _check_kind(left, math.isfinite(left.reach))
    value = number(divisor)
    if value is not None and abs(value) >= 1:
        if left.terms >= MAX_TERMS:
            raise _too_much()
        reach, terms = left.reach / abs(value), left.terms + 1
        return replace(left, origin=left.computed_origin, reach=reach, terms=terms, moment=False)
    if _never_zero(divisor) and SPAN not in (left.origin, right.origin) and not left.moment:
        _check_number(right)
        # The divisor may be next to zero, so the quotient is of any size and can only be compared.
        return replace(blend([left, right, Column(Kind.PLAIN)]), reach=_QUOTIENT)
    raise RefusedQueryError(
        RefusalCode.CONSTANT, "Divide only by a constant number of 1 or more, or by NULLIF(value, 0)."
    )


def _never_zero(node: Any) -> bool:
    expression = node.a_expr
    nullif = grammar.A_Expr_Kind.Name(expression.kind) == "AEXPR_NULLIF"
    return nullif and number(expression.rexpr) == 0


def remainder(left: Column, divisor: Any) -> Column:
    """Return what is left over after division by a constant whole number."""
    _check_number(left)
    value = number(divisor)
    if value is None or value < 1:
        raise RefusedQueryError(RefusalCode.CONSTANT, "Take the remainder only by a constant number of 1 or more.")
    return replace(left, origin="")


def join_texts(columns: list[Column]) -> Column:
    """Return texts strung together."""
    if not any(column.kind is Kind.LABEL or math.isinf(column.reach) for column in columns):
        raise RefusedQueryError(RefusalCode.TYPE, "|| joins texts; write number::text.")
    return strung(columns)


def strung(columns: list[Column]) -> Column:
    """Return a text made of these, one after another."""
    terms = sum(column.terms for column in columns)
    total = replace(blend(columns), origin="", reach=math.inf, terms=terms, moment=False, wide=False)
    if total.terms > MAX_TERMS:
        raise _too_much()
    return total


def _check_number(column: Column) -> None:
    _check_kind(column, column.reach <= MAX_REACH)


def _check_kind(column: Column, within: bool) -> None:
    if column.kind not in MEASURABLE or not within:
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            f"Only numbers and dates can be computed with, and constants up to {MAX_REACH}; write times as DATE or "
            "INTERVAL.",
        )


def _small(column: Column) -> Column:
    if column.reach > MAX_REACH or column.terms > MAX_TERMS:
        raise _too_much()
    return column


def _too_much() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.CONSTANT,
        f"This adds up more than {MAX_TERMS} values or numbers over {MAX_REACH}; compare the parts instead.",
    )


def cast_to(cast: Any, column: Column) -> Column:
    """Return a value in another type, where every stored value fits it."""
    name = _type_name(cast)
    if name in TEXT_TYPES:
        return replace(column, origin="", reach=math.inf, moment=False, written=False)
    if cast.arg.HasField("a_const"):
        return _typed_constant(name, cast, column)
    if column.kind in MEASURABLE and _fits(name, column):
        origin = "_date" if name == "date" else column.computed_origin
        moment = column.moment or name in TIME_TYPES - {SPAN}
        return replace(column, origin=origin, moment=moment, written=False, exact=name == "numeric")
    raise RefusedQueryError(
        RefusalCode.TYPE,
        "Only numbers and dates can be cast, not products nor texts, and measured values only to bigint or numeric.",
    )


def _type_name(cast: Any) -> str:
    names = [name.string.sval for name in cast.type_name.names]
    typmods = cast.type_name.typmods
    fits = names[-1] == "interval" or (names[-1] in TEXT_TYPES and whole(typmods[0], 1, _MAX_TEXT)) if typmods else True
    length = not fits
    if names[-1] not in TYPES or names[:-1] not in ([], ["pg_catalog"]) or length:
        raise RefusedQueryError(
            RefusalCode.TYPE,
            f'The type "{names[-1]}" is not allowed like this; {_other_type(bool(length))}',
        )
    return str(names[-1])


def _other_type(length: bool) -> str:
    if length:
        return "leave its length out, and write round(x, 1)."
    return "use date, timestamp, interval, int, numeric or text."


def _typed_constant(name: str, cast: Any, column: Column) -> Column:
    if name in TIME_TYPES and cast.arg.a_const.HasField("sval"):
        return read_time(name, cast)
    if name in NUMBER_TYPES and cast.arg.a_const.HasField("sval"):
        value = decimal(cast.arg.a_const.sval.sval)
        return replace(column, reach=math.inf if value is None else abs(value))
    return column


def _fits(name: str, column: Column) -> bool:
    if column.moment:
        return name in TIME_TYPES - {SPAN} and column.reach <= MAX_REACH
    if column.reach > MAX_REACH or column.product:
        return name in ("numeric", "float8") and math.isfinite(column.reach)
    return name in NUMBER_TYPES | TIME_TYPES | {"bool"} and not (name == "int4" and column.wide)
