"""Quantiles read off a released histogram: they tell nothing that the histogram has not told."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bin:
    """``persons`` as released, of values from ``low`` on and below ``high``; an open end is None."""

    low: float | None
    high: float | None
    persons: int


def quantile(bins: Sequence[Bin], part: float) -> float | None:
    """Return about where `part` of the persons are below, evenly spread within each bin.

    None: there is nobody, or the place lies in a bin with an open end.

    Raises
    ------
    ValueError
        `part` is not between 0 and 1.
    """
    if not 0 <= part <= 1:
        raise ValueError(f"part is {part}; give a number from 0 to 1")
    ordered = sorted(bins, key=lambda one: float("-inf") if one.low is None else one.low)
    below = part * sum(one.persons for one in ordered)
    for one in ordered:
        if one.persons and below <= one.persons:
            return _within(one, below / one.persons)
        below -= one.persons
    return None


def _within(one: Bin, part: float) -> float | None:
    if one.low is None or one.high is None:
        return None
    return one.low + part * (one.high - one.low)
