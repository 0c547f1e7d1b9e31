import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.cohort.release import Cell, ReleasePolicy, release, release_cells

_POLICIES = st.builds(
    ReleasePolicy,
    threshold=st.integers(2, 60),
    rounding=st.integers(1, 25),
    max_cells=st.just(400),
)


@given(st.integers(0, 10_000), _POLICIES)
def test_no_released_number_lies_below_the_threshold_or_off_the_steps(persons: int, policy: ReleasePolicy) -> None:
    released = release(persons, policy)
    if persons < policy.threshold:
        assert released is None
    else:
        assert released is not None
        assert released >= policy.threshold
        assert released % policy.rounding == 0
        assert abs(released - persons) <= policy.rounding


@given(st.integers(0, 1_000), _POLICIES)
def test_more_persons_never_give_a_smaller_number(persons: int, policy: ReleasePolicy) -> None:
    assert (release(persons, policy) or 0) <= (release(persons + 1, policy) or 0)


@pytest.mark.parametrize(("persons", "released"), [(0, None), (9, None), (10, 10), (12, 10), (13, 15), (997, 995)])
def test_the_default_hides_below_ten_and_rounds_to_fives(persons: int, released: int | None) -> None:
    assert release(persons, ReleasePolicy()) == released


def test_a_hidden_cell_is_absent_and_cells_stand_in_the_order_of_their_keys() -> None:
    cells = [((8532,), 41), ((8507,), 9), ((None,), 12), ((1,), 0)]
    assert release_cells(cells, ReleasePolicy()) == (Cell((8532,), 40), Cell((None,), 10))


@pytest.mark.parametrize("wrong", [{"threshold": 1}, {"rounding": 0}, {"max_cells": 0}])
def test_a_policy_that_would_release_everything_is_refused_by_field(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReleasePolicy(**wrong)
