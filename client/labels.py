"""The keys of released cells as people read them, and their order."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

Keys = tuple[str, ...]

FROM, BELOW = "from", "below"
NOT_KNOWN = "not known"


def captions(titles: Keys, unit: str | None) -> Keys:
    """What stands above the columns; a lower and an upper edge share one, and numbers have their unit."""
    place = _edges(titles)
    with_unit = f" ({unit})" if unit else ""
    if place is None:
        return tuple(f"{title}{with_unit}" for title in titles)
    return (*titles[:place], f"range{with_unit}", *titles[place + 2 :])


def spoken(titles: Keys, keys: Keys) -> Keys:
    """The keys of one cell, one for each caption."""
    place = _edges(titles)
    if place is None:
        return keys
    return (*keys[:place], _range(keys[place], keys[place + 1]), *keys[place + 2 :])


def edges(titles: Keys, keys: Keys) -> tuple[float | None, float | None] | None:
    """The lower and the upper edge of a bin, None where it is open; nothing at all where a cell is no bin."""
    place = _edges(titles)
    if place is None or keys[place] == NOT_KNOWN:
        return None
    return number(keys[place]), number(keys[place + 1])


def in_order(keys: Iterable[Keys]) -> list[Keys]:
    """Columns of numbers by value, an open lower end first and what is not known last; others as first seen."""
    each = list(dict.fromkeys(keys))
    width = max(map(len, each), default=0)
    ranks = [_ranks([part for key in each for part in key[at : at + 1]]) for at in range(width)]
    return sorted(each, key=lambda key: tuple(rank[part] for rank, part in zip(ranks, key, strict=False)))


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _ranks(parts: Sequence[str]) -> dict[str, float]:
    named = {part for part in parts if number(part) is None}
    if named <= {"", NOT_KNOWN}:
        ends = {"": float("-inf"), NOT_KNOWN: float("inf")}
        return {part: ends[part] if part in ends else float(part) for part in parts}
    return {part: float(place) for place, part in enumerate(dict.fromkeys(parts))}


def _edges(titles: Keys) -> int | None:
    """Where the lower edge stands, before the upper one."""
    return next((at for at, pair in enumerate(pairwise(titles)) if pair == (FROM, BELOW)), None)


def _range(low: str, high: str) -> str:
    if low == NOT_KNOWN:
        return NOT_KNOWN
    if not low:
        return f"under {high}"
    return f"{low} to under {high}" if high else f"{low} and over"
