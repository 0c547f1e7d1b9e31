"""A bad release stops; a few bad records do not stop a good one."""

from hypothesis import given
from hypothesis import strategies as st

from bus.breaker import LONGEST_RUN, MOST_IN_WINDOW, WINDOW, Breaker


def test_a_long_run_trips_it_however_it_is_cut_into_batches() -> None:
    breaker = Breaker()
    assert not any(breaker.tripped_by(1, 0) for _ in range(LONGEST_RUN))
    assert "in a row" in (breaker.tripped_by(1, 0) or "")


def test_what_was_handled_between_ends_the_run() -> None:
    breaker = Breaker()
    breaker.tripped_by(LONGEST_RUN, 0)
    breaker.tripped_by(0, 1)
    assert breaker.tripped_by(LONGEST_RUN, 0) is None


def test_a_share_trips_it_though_good_ones_come_between() -> None:
    breaker = Breaker()
    told = [breaker.tripped_by(1, 5) for _ in range(MOST_IN_WINDOW + 1)]
    assert not any(told[:-1])
    assert "of the last" in (told[-1] or "")


@given(st.lists(st.tuples(st.just(1), st.integers(WINDOW // MOST_IN_WINDOW + 1, 50)), max_size=300))
def test_a_small_share_never_trips_it(batches: list[tuple[int, int]]) -> None:
    breaker = Breaker()
    assert not any(breaker.tripped_by(dead, handled) for dead, handled in batches)
