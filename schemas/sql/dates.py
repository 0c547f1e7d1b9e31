"""Functions of dates and times: how fine what they yield is, and that none fails on some rows only."""

import math
from dataclasses import replace
from typing import Any

from schemas.sql.allowed import Kind
from schemas.sql.arithmetic import DAYS_REACH
from schemas.sql.columns import SPAN, Column
from schemas.sql.constants import is_date, moment_of, whole
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.words import COARSE_FIELDS, COARSE_FORMATS, COARSE_STEPS, FINE_FIELDS, FINE_STEPS, OF_MOMENTS, OF_TIMES

_SECONDS_OF_A_DAY = 86_400


def constant_refusal(name: str, remedy: str) -> RefusedQueryError:
    """Return why these arguments are refused: they must be constants that cannot fail."""
    return RefusedQueryError(RefusalCode.CONSTANT, f"{name}() takes only {remedy}.")


def in_range(name: str, times: list[Column]) -> Column:
    """Return how far times reach that something is made of; one far away would fail where a row has it.

    Raises
    ------
    RefusedQueryError
        One of the times may be a text that is not a plain date.
    """
    if any(math.isinf(time.reach) for time in times):
        raise constant_refusal(name, "times, and constants such as DATE '2020-01-31'")
    reach, terms = max(1.0, *(time.reach for time in times)), sum(time.terms for time in times)
    return Column(Kind.PLAIN, reach=reach, terms=terms)


def date_part(name: str, call: Any, time: Column) -> Column:
    """Return what extract, date_part and date_trunc yield."""
    coarse, fine = (COARSE_STEPS, FINE_STEPS) if name == "date_trunc" else (COARSE_FIELDS, FINE_FIELDS)
    field = call.args[0].a_const.sval.sval.lower()
    if field not in coarse | fine or len(call.args) != 2:  # noqa: PLR2004  a field and a time
        # Any other field is either too fine to release or an error at run time.
        raise constant_refusal(name, f"the fields {', '.join(sorted(coarse | fine))}")
    if (field in OF_MOMENTS and not time.moment) or (field in OF_TIMES and not time.origin.endswith("_datetime")):
        # The server finds this out only when it comes to a row, so the error would tell that there is one.
        raise constant_refusal(name, f"times that have a {field}: a _datetime column for hours, no length of time")
    near = in_range(name, [time])
    if name == "date_trunc":
        kind = Kind.BUCKET if field in coarse else Kind.PLAIN
        return replace(near, kind=kind, origin=time.computed_origin, moment=time.moment and time.origin != SPAN)
    if field in coarse:
        return Column(Kind.BUCKET)
    reach = DAYS_REACH * (_SECONDS_OF_A_DAY if field == "epoch" else 1)
    return Column(Kind.PLAIN, reach=reach, wide=field == "epoch")


def made_date(call: Any, columns: list[Column]) -> Column:
    """Return a date made of a year, a month and a day."""
    year, month, day = call.args
    known = columns[0].origin == "year_of_birth" or whole(year, 1600, 2199)
    if not known or not whole(month, 1, 12) or not whole(day, 1, 28):
        # A date that does not exist is an error, so only what cannot fail is taken.
        raise constant_refusal("make_date", "year_of_birth or a year, and a constant month and day up to 28")
    return Column(Kind.BUCKET, moment=True)


def read_date(call: Any) -> Column:
    """Return a date that is written out; one that does not exist would fail only where a row asks for it."""
    text, form = (argument.a_const.sval.sval for argument in call.args)
    plain = form.upper() == "YYYY-MM-DD" and is_date(text)
    if not plain and not (form.upper() == "YYYYMMDD" and is_date(f"{text[:4]}-{text[4:6]}-{text[6:]}")):
        raise constant_refusal("to_date", "a day and its format, such as '2020-01-31' and 'YYYY-MM-DD'")
    return moment_of(text)


def written(call: Any, column: Column) -> Column:
    """Return a date as a coarse text."""
    in_range("to_char", [column])
    if call.args[1].a_const.sval.sval not in COARSE_FORMATS or not column.moment:
        raise constant_refusal("to_char", "a date and one of the formats YYYY, YYYY-MM, MM, Mon, Q")
    return Column(Kind.BUCKET, reach=math.inf)
