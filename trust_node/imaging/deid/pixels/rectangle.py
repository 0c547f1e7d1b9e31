"""Rectangles on a picture, in pixels from its top left corner."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, order=True)
class Rectangle:
    """A part of every frame: `left`, `top`, `width` and `height` in pixels.

    Raises
    ------
    ValueError
        If it begins outside of the picture or covers nothing.
    """

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.left, self.top) < 0 or min(self.width, self.height) < 1:
            raise ValueError("rectangle: left and top must be 0 or more, width and height 1 or more pixels")

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


def within(rectangles: Iterable[Rectangle], rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Cut rectangles to a picture of `rows` x `columns`; those that lie wholly beside it fall away."""
    cut = (_between(r.left, r.top, min(r.right, columns), min(r.bottom, rows)) for r in rectangles)
    return tuple(r for r in cut if r is not None)


def outside(kept: Sequence[Rectangle], rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Return rectangles that cover exactly what none of `kept` covers of a picture of `rows` x `columns`."""
    inside = within(kept, rows, columns)
    edges = sorted({0, rows, *(r.top for r in inside), *(r.bottom for r in inside)})
    bands = pairwise(edges)
    return tuple(gap for top, bottom in bands for gap in _gaps(inside, top, bottom, columns))


def _gaps(kept: Sequence[Rectangle], top: int, bottom: int, columns: int) -> Iterable[Rectangle]:
    """Yield what is free in a band that no rectangle begins or ends in."""
    reached = 0
    for rectangle in sorted(r for r in kept if r.top <= top and r.bottom >= bottom):
        free = _between(reached, top, rectangle.left, bottom)
        if free is not None:
            yield free
        reached = max(reached, rectangle.right)
    rest = _between(reached, top, columns, bottom)
    if rest is not None:
        yield rest


def _between(left: int, top: int, right: int, bottom: int) -> Rectangle | None:
    return Rectangle(left, top, right - left, bottom - top) if right > left and bottom > top else None
