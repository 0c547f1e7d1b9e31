"""The judge is judged: histories that are wrong in one way are found to be wrong in that way, and no other."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.checker import Kind, Said, Stage, Step, faults

WANTED = {"a": 4, "b": 3}
RIGHT = [("a", 0), ("b", 0), ("a", 1), ("a", 2), ("b", 1), ("a", 3), ("b", 2)]


def stage(effects: Sequence[Step] = RIGHT, said: Sequence[Step] | None = None) -> Stage:
    records = [Said(f"e{index}", step) for index, step in enumerate(said or effects)]
    return Stage("beta", effects, inbox=len(effects), unsaid=0, put_aside=0, said=records)


def kinds(judged: Stage) -> set[Kind]:
    return {fault.kind for fault in faults(WANTED, judged)}


def test_a_right_history_has_no_fault() -> None:
    assert faults(WANTED, stage()) == []


@given(st.permutations(RIGHT))
def test_strands_may_mix_in_any_way_as_long_as_each_is_in_order(mixed: list[Step]) -> None:
    in_order = all([number for strand, number in mixed if strand == one] == list(range(WANTED[one])) for one in WANTED)
    assert kinds(stage(mixed)) == (set() if in_order else {"out of order"})


@given(st.integers(0, len(RIGHT) - 1))
def test_whatever_is_lost_is_missed(index: int) -> None:
    assert kinds(stage([step for step in RIGHT if step != RIGHT[index]])) == {"lost"}


@given(st.integers(0, len(RIGHT) - 1), st.integers(0, len(RIGHT)))
def test_whatever_has_its_effect_twice_is_seen(index: int, at: int) -> None:
    twice = list(RIGHT)
    twice.insert(at, RIGHT[index])
    assert "doubled" in kinds(stage(twice))


def test_a_reordered_strand_is_seen_where_it_goes_back() -> None:
    (fault, _) = faults(
        WANTED, stage([("a", 0), ("a", 2), ("a", 1), ("a", 3), *((s, n) for s, n in RIGHT if s == "b")])
    )
    assert (fault.kind, fault.where, fault.what) == ("out of order", "beta: effects", "a: 1, from [1]")


def test_what_nobody_asked_for_is_seen() -> None:
    assert kinds(stage([*RIGHT, ("a", 4)])) == {"not asked for"}
    assert kinds(stage([*RIGHT, ("c", 0)])) == {"not asked for"}


def test_a_record_that_a_relay_says_again_is_no_fault_but_a_second_one_for_the_same_number_is() -> None:
    judged = stage()
    assert judged.said is not None
    again = replace(judged, said=[*judged.said, *judged.said[:3]])
    second = replace(judged, said=[*judged.said, Said("another", RIGHT[0])])
    assert kinds(again) == set()
    assert kinds(second) == {"doubled"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"inbox": 6}, "inbox"), ({"inbox": 8}, "inbox"), ({"unsaid": 1}, "unsaid"), ({"put_aside": 1}, "put aside")],
)
def test_what_is_left_in_tables_and_on_topics_is_counted(change: dict[str, int], kind: Kind) -> None:
    assert kinds(replace(stage(), **change)) == {kind}


def test_answers_are_judged_as_events_are() -> None:
    assert kinds(replace(stage(), answers=[Said("c0", ("a", 0))])) == {"lost"}
