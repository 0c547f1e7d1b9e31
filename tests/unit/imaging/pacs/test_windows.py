from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.pacs.windows import DAYS, Windows, machine_zone

LONDON = ZoneInfo("Europe/London")
NIGHTS = Windows.parse(["mon-fri 19:00-06:00", "sat-sun 00:00-24:00"], LONDON)


def local(text: str, zone: ZoneInfo = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-16T18:59:59", False),  # a Monday
        ("2026-11-16T19:00:00", True),
        ("2026-11-17T05:59:59", True),
        ("2026-11-17T06:00:00", False),
        ("2026-11-21T00:00:00", True),
        ("2026-11-22T23:59:59", True),
        ("2026-11-23T00:00:00", False),  # Sunday's window ends at 24:00, Monday's has not begun
    ],
)
def test_nights_and_weekends(moment: str, is_open: bool) -> None:
    assert NIGHTS.is_open(local(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-16T12:00:00", "2026-11-16T19:00:00"),
        ("2026-11-17T06:00:00", "2026-11-17T19:00:00"),
        ("2026-11-23T00:00:00", "2026-11-23T19:00:00"),
        ("2026-11-16T20:00:00", "2026-11-16T20:00:00"),
    ],
)
def test_the_next_opening(moment: str, opening: str) -> None:
    assert NIGHTS.next_opening(local(moment)) == local(opening)


def test_the_hours_are_the_trusts_own() -> None:
    evening = Windows.parse(["mon-sun 19:00-20:00"], LONDON)
    assert evening.is_open(datetime(2026, 7, 1, 18, 30, tzinfo=UTC))  # summer time
    assert evening.is_open(datetime(2026, 12, 1, 19, 30, tzinfo=UTC))
    assert not evening.is_open(datetime(2026, 7, 1, 19, 30, tzinfo=UTC).replace(hour=20))


def test_a_start_that_the_clock_skips_opens_after_the_skip() -> None:
    early = Windows.parse(["sun 01:30-05:00"], LONDON)
    saturday = local("2026-03-28T12:00:00")  # the clock goes from 01:00 to 02:00 next morning
    opening = early.next_opening(saturday)
    assert early.is_open(opening)
    assert opening == local("2026-03-29T02:30:00")


def test_a_window_that_the_clock_swallows_opens_a_week_later() -> None:
    swallowed = Windows.parse(["sun 01:15-01:45"], LONDON)
    assert swallowed.next_opening(local("2026-03-28T12:00:00")) == local("2026-04-05T01:15:00")


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    once = Windows.parse(["sun 01:15-01:45"], LONDON)
    first = once.next_opening(local("2026-10-24T12:00:00"))
    second = once.next_opening(first + timedelta(minutes=40))
    assert second - first == timedelta(hours=1)


def test_without_windows_it_is_always_open() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert Windows((), LONDON).next_opening(moment) == moment


@pytest.mark.parametrize(
    "text",
    ["", "mon", "mon 9:00-10:00", "mon 10:00-10:00", "mon 24:00-06:00", "mon 10:61-11:00", "mon 10:00-25:00",
     "xyz 10:00-11:00", "mon-xyz 10:00-11:00", "Mon 10:00-11:00", "mon 10:00-11:00 "],
)  # fmt: skip
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="window"):
        Windows.parse([text], LONDON)


def test_the_machine_has_a_zone() -> None:
    assert datetime(2026, 1, 1, tzinfo=machine_zone()).utcoffset() is not None


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
texts = st.builds("{}-{} {}-{}".format, st.sampled_from(DAYS), st.sampled_from(DAYS), clocks, clocks).filter(
    lambda text: text[8:13] != text[14:]
)
zones = st.sampled_from(
    [ZoneInfo(name) for name in ("Europe/London", "UTC", "Australia/Lord_Howe", "America/St_Johns")]
)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
schedules = st.builds(Windows.parse, st.lists(texts, min_size=1, max_size=4), zones)


@given(schedules, moments)
def test_the_next_opening_is_inside_a_window_and_not_before(windows: Windows, moment: datetime) -> None:
    opening = windows.next_opening(moment)
    assert windows.is_open(opening)
    assert opening >= moment
    assert windows.next_opening(opening) == opening


@given(schedules, moments, st.integers(0, 10 * 86_400))
def test_waiting_longer_never_moves_the_opening_back(windows: Windows, moment: datetime, seconds: int) -> None:
    later = moment + timedelta(seconds=seconds)
    assert windows.next_opening(later) >= windows.next_opening(moment)


@given(st.lists(texts, min_size=1, max_size=3), moments)
def test_no_opening_is_missed(wanted: list[str], moment: datetime) -> None:
    windows = Windows.parse(wanted, ZoneInfo("UTC"))
    minute = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    opening = windows.next_opening(moment)
    before = (minute + timedelta(minutes=number) for number in range(0, 10_080, 7))
    assert not any(windows.is_open(each) for each in before if moment < each < opening)
