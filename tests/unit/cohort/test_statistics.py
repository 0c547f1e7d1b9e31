from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.quantiles import Bin, quantile
from schemas.sql.judge import Listing, judge
from trust_node.cohort.release import Cell
from trust_node.cohort.statistics import UnknownStatisticError, asked_for
from trust_node.cohort.statistics.measurements import GRID, BadBinsError, Bins, histogram
from trust_node.cohort.statistics.tables import TABLES


def listing(sql: str = "SELECT person_id, accession_id FROM image_occurrence") -> Listing:
    verdict = judge(sql)
    assert isinstance(verdict, Listing)
    return verdict


def test_all_is_every_table_once_and_no_measurement() -> None:
    asked = asked_for(("sex", "all", "measurement_3004249", "sex"), listing())
    assert [one.name for one in asked] == [*TABLES, "measurement_3004249"]


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UnknownStatisticError, match=r'"shoe_size".*sex, age_band, year.*measurement_CONCEPT'):
        asked_for(("sex", "shoe_size"), listing())


@pytest.mark.parametrize(
    "name",
    [
        "measurement_3004249_200_80_10",
        "measurement_3004249_0_100_0",
        "measurement_3004249_0_100_1",
        "measurement_9999999999",
    ],
)
def test_bins_out_of_bounds_are_refused_by_name(name: str) -> None:
    with pytest.raises(BadBinsError, match=name):
        asked_for((name,), listing())


@pytest.mark.parametrize("name", ["measurement_", "measurement_x", "measurement_1_2", "measurement_1); drop", "sex "])
def test_nothing_else_is_taken_for_a_measurement(name: str) -> None:
    assert histogram(name, listing()) is None


def test_the_grid_rises_and_has_ten_bins_for_each_power_of_ten() -> None:
    edges = [float(edge) for edge in GRID]
    assert edges == sorted(set(edges))
    assert sum(1 <= edge < 10 for edge in edges) == 10
    assert all(set(edge) <= set("0123456789.") for edge in GRID)


@given(st.floats(-10, 1e7, allow_nan=False))
def test_a_value_lies_between_the_edges_of_its_bin(value: float) -> None:
    number = bisect_right([float(edge) for edge in GRID], value)
    ((_, low, high),) = Bins(GRID).told(("mg", number))
    assert float(low or "-inf") <= value < float(high or "inf")


def test_ends_are_open_and_a_unit_may_be_unknown() -> None:
    bins = Bins(("80", "90", "100"))
    told = [labels for at in (0, 1, 3) for labels in bins.told(("mg", at))]
    assert told == [("mg", "", "80"), ("mg", "80", "90"), ("mg", "100", "")]
    assert bins.told((None, 2)) == (("not known", "90", "100"),)


def test_an_age_band_is_ten_years_and_the_oldest_is_open() -> None:
    (asked,) = asked_for(("age_band",), listing())
    told = [labels for key in (30, 90, None) for labels in asked.told((key,))]
    assert told == [("30", "40"), ("90", ""), ("not known", "")]
    assert asked.unit == "years"
    assert "latest listed image" in asked.title


def test_ages_of_a_list_without_images_are_of_this_year() -> None:
    (asked,) = asked_for(("age_band",), listing("SELECT person_id FROM person"))
    assert asked.title == "Age this year"


def test_a_person_without_two_values_counts_for_both_columns() -> None:
    (asked,) = asked_for(("nulls",), listing())
    cells = [Cell((4 + 128,), 20), Cell((4,), 15), Cell((0,), 100)]
    assert asked.labelled(cells) == {("race_concept_id",): 35, ("accession_id",): 20, ("none",): 100}


FROM_0_TO_30 = [Bin(0, 10, 20), Bin(10, 20, 60), Bin(20, 30, 20)]


@pytest.mark.parametrize(("part", "value"), [(0.0, 0.0), (0.2, 10.0), (0.5, 15.0), (0.9, 25.0), (1.0, 30.0)])
def test_a_quantile_is_read_off_the_released_bins(part: float, value: float) -> None:
    assert quantile(FROM_0_TO_30[::-1], part) == pytest.approx(value)


def test_a_quantile_in_an_open_bin_or_of_nobody_is_not_told() -> None:
    assert quantile([Bin(None, 5, 50), Bin(5, 6, 50)], 0.2) is None
    assert quantile([Bin(5, 6, 50), Bin(6, None, 50)], 0.9) is None
    assert quantile([], 0.5) is None
    assert quantile([Bin(0, 1, 0)], 0.5) is None


def test_a_part_is_between_none_and_all() -> None:
    with pytest.raises(ValueError, match=r"part is 1\.5; give a number from 0 to 1"):
        quantile(FROM_0_TO_30, 1.5)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise(persons: list[int], one: float, other: float) -> None:
    bins = [Bin(at, at + 1, count) for at, count in enumerate(persons)]
    low, high = quantile(bins, min(one, other)), quantile(bins, max(one, other))
    assert (low is None) == (sum(persons) == 0)
    assert low is None or high is None or low <= high + 1e-9
