from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trust_node.imaging.pacs import Outcome, PacedPacs, PacsError, PacsPolicy, StudyHit, Trouble
from trust_node.imaging.pacs.hits import SeveralStudies
from trust_node.imaging.pacs.pace import LONGEST_REST_S, Allowance, Courtesy, Pace
from trust_node.imaging.pacs.windows import Windows

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def noted(courtesy: Courtesy, times: list[float], now: datetime = NOW) -> Courtesy:
    for each in times:
        courtesy.note(each, now)
    return courtesy


def test_what_a_study_took_is_waited_for() -> None:
    allowance = Allowance(rate=50)
    assert allowance.ready_at(NOW) == NOW
    allowance.spend(500, NOW)
    assert allowance.ready_at(NOW) == NOW + seconds(10)
    assert allowance.ready_at(NOW + seconds(11)) == NOW + seconds(11)


def test_without_a_rate_nothing_is_waited_for() -> None:
    allowance = Allowance(rate=None)
    allowance.spend(10**9, NOW)
    assert allowance.ready_at(NOW) == NOW


@given(st.floats(0.5, 1000), st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 100)), max_size=30))
def test_on_average_the_rate_is_kept(rate: float, studies: list[tuple[int, float]]) -> None:
    allowance, now = Allowance(rate), NOW
    for images, pause in studies:
        now = allowance.ready_at(now + seconds(pause))
        allowance.spend(images, now)
    spent = sum(images for images, _ in studies)
    took = (allowance.ready_at(now) - NOW).total_seconds()
    assert spent <= rate * took + rate * 1e-5 * (len(studies) + 1)


def test_a_pacs_that_slows_down_is_left_alone_and_longer_each_time() -> None:
    courtesy = noted(Courtesy(factor=5), [0.1] * 5)
    assert courtesy.ready_at(NOW) == NOW
    noted(courtesy, [0.9] * 3)
    assert courtesy.slow
    rests = []
    for _ in range(8):
        rests.append((courtesy.ready_at(NOW) - NOW).total_seconds())
        courtesy.note(0.9, NOW)
    assert rests[:4] == [5, 10, 20, 40]
    assert rests[-1] == LONGEST_REST_S


def test_one_quick_answer_after_a_rest_ends_it() -> None:
    courtesy = noted(Courtesy(factor=5), [0.1] * 5 + [0.9] * 4)
    courtesy.note(0.1, NOW)
    assert not courtesy.slow
    assert courtesy.ready_at(NOW) == NOW


def test_one_slow_answer_is_no_reason() -> None:
    assert not noted(Courtesy(factor=5), [0.1] * 9 + [30.0]).slow


def test_a_multiple_of_next_to_nothing_is_noise() -> None:
    assert not noted(Courtesy(factor=5), [0.001] * 5 + [0.09] * 20).slow


@given(st.lists(st.floats(0.0001, 100), max_size=60), st.floats(1.1, 20))
def test_a_rest_is_bounded_and_never_in_the_past(times: list[float], factor: float) -> None:
    courtesy = Courtesy(factor)
    for number, each in enumerate(times):
        now = NOW + seconds(number)
        courtesy.note(each, now)
        assert now <= courtesy.ready_at(now) <= now + seconds(LONGEST_REST_S)


def test_what_is_paid_back_outside_a_window_waits_for_the_next() -> None:
    windows = Windows.parse(["sat 10:00-12:30"], ZoneInfo("UTC"))
    pace = Pace(windows, Allowance(1), Courtesy(5))
    assert pace.ready_at(NOW) == NOW
    pace.allowance.spend(3600, NOW)
    assert pace.ready_at(NOW) == NOW + timedelta(days=7, hours=-2)


class FlakyPacs:
    """Fails so often before it answers."""

    def __init__(self, failures: int = 0, trouble: Trouble = Trouble.BUSY) -> None:
        self.failures, self.trouble, self.asked = failures, trouble, 0

    async def echo(self) -> None:
        await self.find_studies("")

    async def find_studies(self, accession: str) -> list[StudyHit]:
        self.asked += 1
        if self.asked <= self.failures:
            raise PacsError(self.trouble)
        return []

    async def retrieve(self, hit: StudyHit) -> Outcome:
        return Outcome(90, 10, 20, 0xB000)


def paced(pacs: FlakyPacs, rate: float | None = None) -> PacedPacs:
    pace = Pace(Windows((), ZoneInfo("UTC")), Allowance(rate), Courtesy(5))
    return PacedPacs(pacs, pace, clock=lambda: NOW)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_node.imaging.pacs.paced.FIRST_PAUSE_S", 0.0)


@pytest.mark.usefixtures("at_once")
async def test_what_fails_for_a_moment_is_asked_again() -> None:
    pacs = FlakyPacs(failures=2)
    assert await paced(pacs).find_studies("A") == []
    assert pacs.asked == 3


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("trouble", "asked"), [(Trouble.BUSY, 3), (Trouble.OUR_TITLE_UNKNOWN, 1)])
async def test_what_goes_on_failing_is_told(trouble: Trouble, asked: int) -> None:
    pacs = FlakyPacs(failures=9, trouble=trouble)
    with pytest.raises(PacsError) as told:
        await paced(pacs).echo()
    assert (told.value.trouble, pacs.asked) == (trouble, asked)


async def test_all_that_the_pacs_sent_is_paid_for() -> None:
    pacs = paced(FlakyPacs(), rate=10)
    await pacs.retrieve(StudyHit("1.2", 120))
    assert pacs.turn(NOW) == NOW + seconds(12)


def test_the_policy_gives_the_pace() -> None:
    policy = PacsPolicy(windows=("sat 13:00-14:00",), time_zone="UTC", images_per_second=10)
    assert policy.pace().ready_at(NOW) == NOW + timedelta(hours=1)
    assert policy.several_studies is SeveralStudies.REFUSE


@pytest.mark.parametrize(
    ("key", "value"),
    [("windows", ["mon 10-11"]), ("time_zone", "Mars/Olympus"), ("time_zone", "../etc/passwd"),
     ("images_per_second", 0), ("slow_factor", 1), ("several_studies", "first"), ("window", [])],
)  # fmt: skip
def test_a_bad_key_is_named(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        PacsPolicy.model_validate({key: value})
