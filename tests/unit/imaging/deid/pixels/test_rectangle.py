import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.deid.pixels.rectangle import Rectangle, outside, within

ROWS, COLUMNS = 12, 17
RECTANGLES = st.lists(
    st.builds(Rectangle, st.integers(0, 20), st.integers(0, 15), st.integers(1, 25), st.integers(1, 20)), max_size=6
)


def painted(rectangles: tuple[Rectangle, ...] | list[Rectangle]) -> np.ndarray:
    picture = np.zeros((ROWS, COLUMNS), int)
    for r in rectangles:
        picture[r.top : r.bottom, r.left : r.right] += 1
    return picture


@given(RECTANGLES)
def test_what_is_outside_is_exactly_what_no_rectangle_covers(kept: list[Rectangle]) -> None:
    assert (painted(outside(kept, ROWS, COLUMNS)) == (painted(kept) == 0)).all()


@given(RECTANGLES)
def test_cut_rectangles_cover_the_same_and_stay_inside(rectangles: list[Rectangle]) -> None:
    cut = within(rectangles, ROWS, COLUMNS)
    assert (painted(cut) == painted(rectangles)).all()
    assert all(r.right <= COLUMNS and r.bottom <= ROWS for r in cut)


@pytest.mark.parametrize("sides", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_a_rectangle_that_covers_nothing_is_refused(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="width and height 1 or more"):
        Rectangle(*sides)
