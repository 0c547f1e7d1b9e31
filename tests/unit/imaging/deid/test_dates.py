from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.deid import DeidKeys
from trust_node.imaging.deid.dates import UNREADABLE, shift

DATES = st.dates(date(1900, 1, 1), date(2100, 1, 1))
DAYS = st.integers(1, 3650)
TIMES = st.from_regex(r"([01]\d|2[0-3])[0-5]\d[0-5]\d(\.\d{1,6})?([+-]0\d00)?", fullmatch=True)


def _read(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


@given(DATES, DAYS)
def test_a_date_moves_back_by_exactly_the_days(day: date, days: int) -> None:
    assert _read(shift(f"{day:%Y%m%d}", "DA", days)) == day - timedelta(days=days)


@given(DATES, DATES, st.text(min_size=1, max_size=12))
def test_intervals_between_a_patients_dates_stay(one: date, other: date, patient: str) -> None:
    days = DeidKeys(bytes(32)).shift_days(patient)
    moved = [_read(shift(f"{day:%Y%m%d}", "DA", days)) for day in (one, other)]
    assert moved[0] - moved[1] == one - other
    assert 1 <= days <= 3650


@given(DATES, TIMES, DAYS)
def test_a_date_time_keeps_its_time_of_day_and_offset(day: date, time: str, days: int) -> None:
    moved = shift(f"{day:%Y%m%d}{time}", "DT", days)
    assert moved[8:] == time
    assert _read(moved) == day - timedelta(days=days)


@given(DATES, DAYS)
def test_a_coarse_date_stays_coarse(day: date, days: int) -> None:
    first = day.replace(day=1) - timedelta(days=days)
    assert shift(f"{day:%Y%m}", "DT", days) == f"{first:%Y%m}"


@given(st.text(), st.sampled_from(["DA", "DT", "TM"]), DAYS)
def test_no_free_text_survives_in_a_date(text: str, vr: str, days: int) -> None:
    moved = shift(text, vr, days)
    assert all(character in "0123456789:.+- " or character.isdecimal() for character in moved)


def test_what_is_no_date_becomes_a_dummy() -> None:
    assert shift("Canaryson", "DA", 10) == UNREADABLE["DA"]
    assert shift("20201399", "DA", 10) == UNREADABLE["DA"]
    assert shift("00010101", "DA", 3650) == UNREADABLE["DA"]
    assert shift("born 1966", "TM", 10) == UNREADABLE["TM"]


def test_an_empty_date_stays_empty_and_a_time_of_day_stays() -> None:
    assert shift("  ", "DA", 10) == ""
    assert shift("101112.25", "TM", 10) == "101112.25"
    assert shift("2020.03.05", "DA", 5) == "20200229"
