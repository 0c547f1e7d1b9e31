"""A plan is drawn from its seed alone, and leaves nothing out."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.plan import OUTAGES, draw
from tests.chaos.points import POINTS

MEMBERS = (["beta/0"], ["alpha/0", "alpha/1", "gamma/0"])


@given(st.integers(), st.integers(0, 200))
def test_the_same_seed_plans_the_same_storm(seed: int, kills: int) -> None:
    assert draw(seed, kills, *MEMBERS) == draw(seed, kills, *MEMBERS)


@given(st.integers(), st.integers(0, 200))
def test_as_many_are_killed_as_were_asked_for_and_everything_breaks_at_least_once(seed: int, kills: int) -> None:
    plan = draw(seed, kills, *MEMBERS)
    assert plan.number_of_kills == kills
    assert {blow.outage for blow in plan.blows} == set(OUTAGES)


@given(st.integers())
def test_kills_are_shared_out_and_every_point_has_its_turn(seed: int) -> None:
    plan = draw(seed, 500, *MEMBERS)
    assert {len(kills) for kills in plan.kills.values()} == {125}
    points = Counter(kill.point for kills in plan.kills.values() for kill in kills)
    assert points.keys() == {None, *POINTS}


@given(st.integers())
def test_only_who_leads_for_sure_is_to_die_in_its_relay(seed: int) -> None:
    plan = draw(seed, 500, *MEMBERS)
    assert [name for name, kills in plan.kills.items() if any(kill.point == "in_relay" for kill in kills)] == ["beta/0"]


def test_a_kill_at_a_random_moment_needs_no_fuse() -> None:
    kills = [kill for kills in draw(1, 500, *MEMBERS).kills.values() for kill in kills]
    assert {bool(kill.fuse) for kill in kills if kill.point is None} == {False}
    assert {kill.fuse.partition(":")[0] for kill in kills if kill.point} == set(POINTS)
