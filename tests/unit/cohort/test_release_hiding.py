"""No hidden cell can be found by subtraction: an interval solver tries, knowing every released figure and the rules."""

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from trust_node.cohort.release.hiding import Group, Margin, hidden_besides, hidden_within, margins_of

K = 10
ROUNDING = 5
Ranges = dict[Group, tuple[float, float]]
_CELLS = st.integers(2, 4).flatmap(
    lambda width: st.dictionaries(
        st.tuples(st.integers(0, width), st.integers(0, 3)), st.integers(0, 60), min_size=2, max_size=14
    )
)


def _rounded(persons: int) -> int:
    return max((persons + 2) // 5 * 5, K)


@settings(max_examples=300, deadline=None)
@given(_CELLS, st.data())
def test_every_hidden_cell_may_still_be_anything_below_the_threshold(
    cells: dict[Group, int], data: st.DataObject
) -> None:
    released = {group: _rounded(persons) for group, persons in cells.items() if persons >= K}
    hidden = cells.keys() - released.keys()
    sums = [(groups, sum(cells[group] for group in groups)) for groups in margins_of(cells)]
    told = [Margin(groups, _rounded(persons)) for groups, persons in sums if persons >= K and data.draw(st.booleans())]
    more = hidden_besides(released, hidden, told, error=ROUNDING / 2, threshold=K)
    shown = {group: persons for group, persons in released.items() if group not in more}
    ranges, by_sums_alone = _solved(cells, shown, told), _solved(cells, {}, told)
    for group in hidden:
        low, high = ranges[group]
        # two sums that were told before may say something of a cell by themselves; the table adds nothing to it
        assert low <= max(0, by_sums_alone[group][0])
        assert high >= min(K - 1, by_sums_alone[group][1])


def _solved(
    cells: Mapping[Group, int], shown: Mapping[Group, int], told: Sequence[Margin]
) -> dict[Group, tuple[float, float]]:
    """Narrow the range of every cell by every sum until nothing changes."""
    error = ROUNDING / 2
    ranges = {group: (shown[group] - error, shown[group] + error) if group in shown else (0.0, 1e9) for group in cells}
    changed = True
    while changed:
        before = dict(ranges)
        for margin in told:
            _narrow(margin, ranges, error)
        changed = before != ranges
    return ranges


def _narrow(margin: Margin, ranges: Ranges, error: float) -> None:
    for group in margin.groups:
        others = [ranges[other] for other in margin.groups if other != group]
        least = margin.persons - error - sum(high for _, high in others)
        most = margin.persons + error - sum(low for low, _ in others)
        low, high = ranges[group]
        ranges[group] = (max(low, least), min(high, most))


def test_a_hidden_cell_beside_a_known_total_takes_the_smallest_with_it() -> None:
    released = {("f",): 60, ("m",): 35}
    told = [Margin((("f",), ("m",), ("x",)), 120)]
    assert hidden_besides(released, {("x",)}, told, error=0, threshold=K) == {("m",)}


def test_a_total_that_seems_to_leave_nobody_hidden_is_treated_as_if_it_did() -> None:
    told = [Margin((("f",), ("m",)), 95)]
    assert hidden_besides({("f",): 60, ("m",): 35}, set(), told, error=2.5, threshold=K) == {("m",)}


def test_of_a_table_with_several_told_sums_nothing_is_released() -> None:
    told = [Margin((("f", 1), ("f", 2)), 80), Margin((("f", 1), ("f", 2), ("m", 1)), 120)]
    released = {("f", 1): 40, ("f", 2): 40, ("m", 1): 40}
    assert hidden_besides(released, set(), told, error=2.5, threshold=K) == set(released)


def test_without_a_told_sum_nothing_more_is_hidden() -> None:
    assert hidden_besides({("f",): 60}, {("x",)}, [], error=0, threshold=K) == set()


@given(st.lists(st.frozensets(st.integers(0, 40), min_size=1), max_size=7))
def test_no_cell_less_those_within_it_leaves_a_few_persons(sets: list[frozenset[int]]) -> None:
    cells: dict[Group, BitMap64] = {(at,): BitMap64(members) for at, members in enumerate(sets)}
    shown = [cells[group] for group in cells.keys() - hidden_within(cells, K)]
    for whole in shown:
        inside = [part for part in shown if part < whole]
        assert not inside or not 0 < len(whole - BitMap64.union(*inside)) < K


def test_cells_of_different_persons_are_all_left_however_small() -> None:
    assert hidden_within({(at,): BitMap64([at]) for at in range(5)}, K) == set()


def test_sums_are_the_total_and_each_level_of_each_of_several_keys() -> None:
    groups = [("f", 1), ("f", 2), ("m", 1)]
    assert {frozenset(members) for members in margins_of(groups)} == {
        frozenset(groups),
        frozenset([("f", 1), ("f", 2)]),
        frozenset([("f", 1), ("m", 1)]),
    }
    assert margins_of([]) == []
