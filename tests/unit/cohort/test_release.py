from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attack.modes import release
from trust_node.cohort.release import ReleasePolicy
from trust_node.cohort.release.scale import CUT, LIFETIME, Scale

_POLICIES = st.builds(
    ReleasePolicy,
    threshold=st.integers(2, 60),
    rounding=st.integers(1, 25),
    noise=st.one_of(st.just(0.0), st.floats(0.5, 40)),
)
_FRACTIONS = st.floats(0, 1, exclude_max=True)


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
    assert Scale(ReleasePolicy(noise=0), 0).number(persons, 0.9) == released


@pytest.mark.parametrize("name", [field.name for field in fields(ReleasePolicy)])
def test_a_policy_that_would_release_everything_is_refused_by_field(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        ReleasePolicy(**{name: -1})


@given(st.integers(0, 2_000), _POLICIES, st.integers(0, 2_000), _FRACTIONS)
def test_whatever_the_noise_no_number_leaves_for_fewer_persons_than_the_threshold(
    persons: int, policy: ReleasePolicy, asked: int, fraction: float
) -> None:
    number = Scale(policy, asked).number(persons, fraction)
    if number is not None:
        assert persons >= policy.threshold
        assert number >= policy.threshold
        assert number % policy.rounding == 0
        assert abs(number - persons) <= CUT * Scale(policy, asked).sigma + policy.rounding


@given(st.floats(0.5, 40), _FRACTIONS)
def test_with_noise_even_the_luckiest_draw_hides_a_set_just_below_the_threshold(noise: float, fraction: float) -> None:
    """So the floor on the true number decides nothing, and nobody learns from it which side a set is on."""
    scale = Scale(ReleasePolicy(noise=noise), 0)
    assert scale.blurred(9, fraction) < scale.floor


@given(st.floats(0.5, 100))
def test_all_answers_together_tell_no_more_than_the_lifetime_allows_whatever_the_noise(noise: float) -> None:
    policy = ReleasePolicy(noise=noise)
    told = sum(Scale(policy, asked).sigma ** -2 for asked in range(2_000))
    assert told <= LIFETIME + noise**-2


@given(_POLICIES, st.integers(0, 500), st.integers(0, 500), _FRACTIONS)
def test_the_guard_reaches_at_least_to_the_threshold_and_stays_within_what_is_blurred_anyway(
    policy: ReleasePolicy, asked: int, staleness: int, fraction: float
) -> None:
    scale = Scale(policy, asked)
    radius = scale.radius(fraction, staleness)
    assert policy.threshold - 1 <= radius < policy.threshold + max(policy.threshold, CUT * scale.sigma)
    assert radius <= scale.radius(fraction)


def test_the_edge_of_the_guard_moves_little_with_each_person() -> None:
    radii = [Scale(ReleasePolicy(noise=9.0), 0).radius(at / 1000) for at in range(1000)]
    shares = [sum(apart <= radius for radius in radii) / 1000 for apart in range(9, 38)]
    steps = [before - after for before, after in pairwise(shares)]
    assert min(steps) >= 0
    assert max(steps) < 0.06
    assert (shares[0], shares[-1]) == (1.0, 0.0)
