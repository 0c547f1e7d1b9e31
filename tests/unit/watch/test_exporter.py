"""What the broker knows, by group: as figures, with nobody left out."""

from datetime import UTC, datetime, timedelta

from bus.admin.lag import PartitionLag
from client.ops.exporter import Known, families
from client.ops.letters import Letter
from schemas.operations import LetterPlace

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def letter(group: str, minutes: int) -> Letter:
    place = LetterPlace(topic=f"dlq.{group}", partition=0, offset=minutes)
    return Letter(place, NOW - timedelta(minutes=minutes), b"p1", b"{}", (("tf-code", b"malformed"),))


def lag(group: str, position: int, end: int, minutes: int | None = None) -> PartitionLag:
    since = None if minutes is None else NOW - timedelta(minutes=minutes)
    return PartitionLag(group, 1, "project.events", 0, position, end, since)


def told(known: Known) -> dict[tuple[str, str], float]:
    samples = [sample for family in families(known, NOW) for sample in family.samples]
    return {(sample.name.removeprefix("trustflow_"), sample.labels["group"]): sample.value for sample in samples}


def test_ages_are_of_the_oldest_and_counts_are_of_all() -> None:
    found = told(
        Known((letter("project", 5), letter("project", 60)), (lag("project", 3, 10, 2), lag("project", 1, 2, 9)))
    )
    assert found["letters_open", "project"] == 2
    assert found["letters_oldest_seconds", "project"] == 3600
    assert found["group_lag_records", "project"] == 8
    assert found["group_lag_seconds", "project"] == 540
    assert found["group_members", "project"] == 1


def test_a_group_that_is_well_says_0() -> None:
    found = told(Known((), (lag("cohort", 7, 7),)))
    assert {value for (name, _), value in found.items() if name != "group_members"} == {0}
    assert len(found) == 5


def test_letters_of_a_group_that_the_broker_forgot_still_count() -> None:
    assert told(Known((letter("gone", 5),), ()))["letters_oldest_seconds", "gone"] == 300


def test_before_the_first_look_nothing_is_said() -> None:
    assert list(Known().collect()) == []
