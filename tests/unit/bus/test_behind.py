"""How far behind a consumer is, from what it took itself."""

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from bus.watch.behind import Behind, Lag
from tests.unit.bus.recorded import FakeRecord

PARTITION = TopicPartition("project.events", 0)


def record(offset: int, at: float) -> FakeRecord:
    return FakeRecord("project.events", b"p1", b"{}", (), offset=offset, timestamp=int(at * 1000))


def test_what_is_in_hand_is_as_old_as_it_says_itself() -> None:
    behind = Behind()
    behind.taken(PARTITION, record(7, at=100))
    assert behind.of(PARTITION, position=9, end=12, now=130) == Lag(5, 30.0)


def test_nothing_unread_is_nothing_behind() -> None:
    behind = Behind()
    behind.taken(PARTITION, record(7, at=100))
    behind.applied(PARTITION, record(8, at=101))
    assert behind.of(PARTITION, position=9, end=9, now=500) == Lag(0, 0.0)


def test_what_came_to_a_quiet_partition_is_no_older_than_the_last_look() -> None:
    behind = Behind()
    behind.applied(PARTITION, record(8, at=100))
    behind.of(PARTITION, position=9, end=9, now=86_400)
    assert behind.of(PARTITION, position=9, end=10, now=86_405) == Lag(1, 5.0)


def test_while_it_catches_up_it_is_as_far_behind_as_what_it_took_last() -> None:
    behind = Behind()
    behind.applied(PARTITION, record(500, at=100))
    assert behind.of(PARTITION, position=501, end=90_000, now=2_592_100) == Lag(89_499, 2_592_000.0)


def test_a_partition_that_went_away_is_known_no_longer() -> None:
    behind = Behind()
    behind.taken(PARTITION, record(7, at=100))
    behind.forget(PARTITION)
    assert behind.of(PARTITION, position=7, end=9, now=130) == Lag(2, 0.0)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1)), min_size=1))
def test_the_bound_is_never_below_the_true_age_of_what_waits(steps: list[tuple[int, float]]) -> None:
    """A record arrives each second; now and then somebody looks, and some of what waits is applied."""
    behind, applied, now = Behind(), 0, 1
    behind.of(PARTITION, position=0, end=0, now=0)
    for passed, share in steps:
        now += passed
        lag = behind.of(PARTITION, position=applied, end=now, now=now)
        assert lag.records == now - applied
        assert lag.seconds >= now - applied if applied < now else lag.seconds == 0
        done = int((now - applied) * share)
        if done:
            applied += done
            behind.applied(PARTITION, record(applied - 1, at=applied - 1))
