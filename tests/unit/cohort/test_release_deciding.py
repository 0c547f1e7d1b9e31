"""The pure part of the release: sets against sets."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from tests.attack.memory import Desk
from trust_node.cohort.release import Population, ReleasePolicy
from trust_node.cohort.release.asked import Asked
from trust_node.cohort.release.bounding import CELLS_CAP, bounded, most_cells
from trust_node.cohort.release.ledger import Book
from trust_node.cohort.release.tables import cells_of

KEY = b"k" * 32
EVERYONE = Asked.of(BitMap64(range(600)), KEY)
ENDLESS = {"user_daily": 10**6, "project_daily": 10**6, "project_limit": 10**6}
_SETS = st.lists(st.sets(st.integers(0, 599), max_size=80).map(BitMap64), min_size=1, max_size=12)


def _desk(noise: float) -> Desk:
    return Desk(ReleasePolicy(noise=noise, **ENDLESS), EVERYONE, KEY)


@settings(max_examples=60, deadline=None)
@given(_SETS, st.sampled_from([0.0, 2.0, 9.0]))
def test_no_number_and_no_cell_is_released_for_fewer_than_k_persons(sets: list[BitMap64], noise: float) -> None:
    desk = _desk(noise)
    for persons in sets:
        told = desk.number(persons)
        assert told is None or told >= 10
    cells = {(at,): persons for at, persons in enumerate(sets)}
    for group, told in desk.table(cells).items():
        assert told >= 10
        assert _asked_of(desk, cells[group]) or len(cells[group]) >= 10


def _asked_of(desk: Desk, persons: BitMap64) -> bool:
    """Whether the set shares an answer: its own size then says nothing about the value."""
    own = desk.rows.rows.get(Asked.of(persons, KEY).digest)
    return own is not None and own.basis != len(persons)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0.0, 9.0]))
def test_none_and_small_look_the_same_byte_for_byte(one: int, other: int, noise: float) -> None:
    told = [repr(_desk(noise).number(BitMap64(range(size)))) for size in (one, other)]
    tables = [
        repr(_desk(noise).table({(1,): BitMap64(range(size)), (2,): BitMap64(range(50, 250))})) for size in (one, other)
    ]
    assert told[0] == told[1] == "None"
    assert tables[0] == tables[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 9.0]))
def test_walking_in_small_steps_from_a_set_shows_no_single_step(seed: int, noise: float) -> None:
    """Wherever the value changes, it does so by the drift of a whole reach, not at the step of one certain person."""
    desk, random = _desk(noise), Random(seed)
    members = BitMap64(random.sample(range(600), 150))
    told = [desk.number(members)]
    for person in random.sample(sorted(set(range(600)) - set(members)), 9):
        members = members | BitMap64([person])
        told.append(desk.number(members))
    assert len(set(told)) == 1


@given(st.sets(st.integers(0, 10_000), max_size=300), st.sets(st.integers(0, 10_000), max_size=300))
def test_sketches_never_differ_more_than_the_sets(one: set[int], other: set[int]) -> None:
    first, second = Asked.of(BitMap64(one), KEY), Asked.of(BitMap64(other), KEY)
    assert np.abs(first.sketch - second.sketch).sum() <= len(one ^ other)
    assert (first.digest == second.digest) == (one == other)


@given(st.lists(st.sets(st.integers(0, 99), max_size=60), min_size=1, max_size=8), st.sets(st.integers(0, 99)))
def test_the_book_misses_no_near_set_and_no_near_complement(stored: list[set[int]], asked: set[int]) -> None:
    everyone = Asked.of(BitMap64(range(100)), KEY)
    rows = [Asked.of(BitMap64(one), KEY) for one in stored]
    sizes, sketches = np.array([row.size for row in rows]), np.stack([row.sketch for row in rows])
    book = Book(np.arange(len(rows)), sizes, np.full(len(rows), 12.0), sketches)
    found = book.near(Asked.of(BitMap64(asked), KEY), everyone)
    near = [at for at, one in enumerate(stored) if min(len(one ^ asked), 100 - len(one ^ asked)) <= 12]
    assert set(near) <= set(found)


def test_the_same_set_is_blurred_otherwise_in_another_project() -> None:
    desks = [Desk(ReleasePolicy(), EVERYONE, KEY, project=str(number)) for number in range(8)]
    assert len({desk.number(BitMap64(range(300))) for desk in desks}) > 1


@given(st.dictionaries(st.tuples(st.integers(0, 20)), st.sets(st.integers(0, 40)).map(BitMap64), max_size=20))
def test_nobody_counts_in_more_cells_than_the_cap(cells: dict[tuple[int], BitMap64]) -> None:
    most = most_cells(ReleasePolicy(), disjoint=False)
    kept = bounded(cells, most, KEY)
    assert kept == bounded(cells, most, KEY)
    for person in range(41):
        before = sum(person in members for members in cells.values())
        assert sum(person in members for members in kept.values()) == min(before, most)
    assert most == CELLS_CAP


def test_how_much_a_table_is_blurred_depends_on_its_form_alone() -> None:
    assert most_cells(ReleasePolicy(), disjoint=True) == 1
    assert most_cells(ReleasePolicy(), disjoint=False, counts=6) == 6
    assert most_cells(ReleasePolicy(noise=0), disjoint=False) == 1


def test_cells_stand_in_the_order_of_their_keys_with_nothing_last() -> None:
    desk = _desk(0)
    cells = {
        key: BitMap64(range(at * 50, at * 50 + 20)) for at, key in enumerate([(None,), ("b",), (10,), (9,), ("a",)])
    }
    assert list(desk.table(cells)) == [(9,), (10,), ("a",), ("b",), (None,)]
    assert cells_of({}, replace(ReleasePolicy(), max_levels=1)) == ()


def test_the_population_is_read_once_in_ten_minutes() -> None:
    reads: list[int] = []

    async def read() -> BitMap64:
        reads.append(1)
        return BitMap64([1, 2])

    async def ask() -> int:
        population, start = Population(read, KEY), datetime(2026, 11, 2, tzinfo=UTC)
        asked = [await population.at(start + timedelta(minutes=minute)) for minute in (0, 9, 11)]
        return asked[-1].size

    assert asyncio.run(ask()) == 2
    assert len(reads) == 2


@pytest.mark.parametrize("wrong", [b"", b"other"])
def test_digests_hang_on_the_trusts_key(wrong: bytes) -> None:
    assert Asked.of(BitMap64([1]), KEY).digest != Asked.of(BitMap64([1]), wrong).digest
