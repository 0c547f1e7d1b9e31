"""What people read of released figures: approximate, never a zero, never more than was released."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from client.cohort.pictures import picture, whole
from client.comparing import difference, heaviest, losses, versions
from client.figures import about, bar, joint_margin, pointed, spending, standing, summary, troubled, why
from client.labels import captions, in_order, spoken
from client.tables import quartiles, side_by_side, tables_of
from schemas.cohort import Cell, QueryTotalled, Statistic, Step, TrustAdvanced, TrustCounted
from schemas.views import QUERY
from tests.unit.client.cohorts import (
    AMBER,
    BIRCH,
    CEDAR,
    DUNE,
    IDS,
    SPENT,
    SQL,
    STORY,
    SUBMITTED,
    TOTAL,
    TRUSTS,
    WHOLE,
    WORKING,
    ages,
    view_of,
)

GOLDEN = Path(__file__).parent / "query.txt"


def text_of(renderable, width=120):
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


@pytest.mark.parametrize(
    ("persons", "margin", "words"),
    [
        (340, 20, "about 340 (± 20)"),
        (1_340, None, "about 1,340"),
        (None, None, "too few"),
        (0, 0, "too few"),
        (None, 9, "too few"),
    ],
)
def test_a_figure_is_approximate_and_a_hidden_one_looks_like_none(persons, margin, words):
    assert about(persons, margin) == words


@given(value=st.integers(0, 10_000), top=st.integers(0, 10_000))
def test_a_bar_is_as_long_as_its_figure_and_hidden_ones_have_none(value, top):
    drawn = bar(value, top, 40)
    assert len(drawn) <= 40
    assert bool(drawn) == (value > 0 and top > 0)
    assert bar(None, top) == ""
    assert value < top or not value or not top or drawn == "█" * 40


def test_margins_of_sums_are_joined_and_unknown_ones_stay_unknown():
    assert joint_margin([3, 4]) == 5
    assert joint_margin([3, None]) is None
    assert joint_margin([]) is None


def test_where_a_trust_is():
    assert standing(None, None) == "asked"
    assert standing(None, WORKING.model_copy(update={"waiting": True})) == "waiting its turn"
    assert standing(None, WORKING) == "part 2 of 5"
    assert standing(None, TrustAdvanced(**IDS, trust_id="dune", done=5, parts=5)) == "part 5 of 5"
    assert standing(DUNE, WORKING) == "timed out"


def test_a_cancelled_answer_is_nobodys_trouble():
    stopped = DUNE.model_copy(update={"outcome": "failed", "code": "cancelled"})
    assert standing(stopped, None) == "cancelled"
    assert troubled(view_of(SUBMITTED, stopped)) == ()
    assert troubled(WHOLE) == ("dune",)


def test_the_summary_counts_who_answered_and_sums_released_figures_only():
    assert summary(view_of(SUBMITTED, AMBER)) == "1 of 4 trusts answered"
    assert summary(WHOLE) == (
        "3 of 4 trusts answered, total about 340 (± 9) persons and about 420 studies at the 1 that released a number"
    )
    other = AMBER.model_copy(update={"trust_id": "birch", "persons": 60, "margin": 12})
    both = SUBMITTED.model_copy(update={"trusts": ("amber", "birch")})
    total = QueryTotalled(**IDS, persons=400, asked=2, counted=2)
    assert summary(view_of(both, AMBER, other, total)) == "2 of 2 trusts answered, total about 400 (± 15) persons"


def test_a_summary_without_a_number_says_so():
    nothing = QueryTotalled(**IDS, asked=4, counted=0)
    assert summary(view_of(SUBMITTED, BIRCH, nothing)) == "1 of 4 trusts answered, none released a number"
    grouped = TrustCounted(**IDS, trust_id="amber", outcome="counted", keys=("sex",), cells=(Cell(keys=("F",)),))
    assert summary(view_of(SUBMITTED, grouped, nothing)) == "1 of 4 trusts answered, 1 released groups"


def test_a_refusal_shows_the_line_at_fault_with_a_caret():
    assert pointed(SQL, 3, 6) == "3 | JOIN secrets s ON s.person_id = p.person_id\n  |      ^"
    assert pointed(SQL, 9, 1) == ""
    assert (
        pointed(f"{'x' * 200}!", 1, 201).splitlines()[0][pointed(f"{'x' * 200}!", 1, 201).splitlines()[1].index("^")]
        == "!"
    )
    assert why(CEDAR) == "table_not_allowed at 3:6: No table secrets."
    shown = text_of(picture(view_of(SUBMITTED, CEDAR, CEDAR.model_copy(update={"trust_id": "dune"}))))
    assert shown.count("JOIN secrets") == 1


def test_the_budget_is_told_in_words():
    assert spending(SPENT) == "you 3 of 40 answers today, the project 12 of 80 today and 30 of 400 in all"
    assert "Spent at amber: you 3 of 40" in text_of(picture(WHOLE))


def test_a_view_folds_what_was_asked_and_how_far_each_trust_is():
    view = view_of(SUBMITTED, WORKING)
    assert (view.sql, view.cohort, view.version, view.submitted_by) == (SQL, "prostate", 2, "ann")
    assert view.progress == {"dune": WORKING}
    assert QUERY.folded([*STORY, *STORY])["q1"] == WHOLE


def test_the_whole_query_reads_as_it_always_did():
    shown = [line.rstrip() for line in text_of(whole(WHOLE, "corr-7")).splitlines()]
    assert shown == GOLDEN.read_text().splitlines()


def test_the_whole_query_reads_well():
    shown = text_of(whole(WHOLE, "corr-7"))
    for sentence in (
        "Cohort prostate, version 2, asked by ann",
        "│ birch │ suppressed │ too few ",
        "│ 20 to under 40 │ about 100 │",
        "│ 60 and over    │ too few   │",
        "birch: Too few in each group.",
        'The rule "with CT" loses most: about 510 persons, by released figures.',
        "For the data manager of dune: query q1, correlation corr-7.",
        "FROM person p",
    ):
        assert sentence in shown


def test_names_of_groups_are_not_read_as_markup():
    statistic = Statistic(name="sex", title="[red]Sex[/]", keys=("[b]",), cells=(Cell(keys=("[bold]x",), persons=20),))
    shown = text_of(whole(view_of(SUBMITTED, AMBER.model_copy(update={"statistics": (statistic,)}))))
    assert "[red]Sex[/]" in shown
    assert "[bold]x" in shown


figures = st.one_of(st.none(), st.just(0), st.integers(10, 10**6))


@settings(max_examples=40)
@given(persons=st.lists(figures, min_size=4, max_size=4), counts=st.lists(figures, min_size=3, max_size=3))
def test_nothing_hidden_is_ever_shown_as_a_number(persons, counts):
    ages = [Cell(keys=(f"band {letter}",), persons=count) for letter, count in zip("abcd", persons, strict=True)]
    steps = [Step(name=name, persons=count) for name, count in zip(("all", "some", "few"), counts, strict=True)]
    hidden = TrustCounted(
        **IDS,
        trust_id="birch",
        outcome="suppressed",
        statistics=(Statistic(name="bands", title="Bands", keys=("band",), cells=tuple(ages)),),
        attrition=tuple(steps),
    )
    told = {number for number in (*persons, *counts) if number}
    gaps = {a - b for a, b in pairwise(counts) if a and b}
    shown = text_of(whole(view_of(SUBMITTED.model_copy(update={"sql": None}), hidden)), 200)
    numbers = {int(number.replace(",", "")) for number in re.findall(r"(?:about|~) ?-?([\d,]+)", shown)}
    assert numbers <= told | gaps
    assert 0 not in numbers


def test_edges_are_one_range_and_numbers_are_in_order():
    assert captions(("unit", "from", "below"), "years") == ("unit", "range (years)")
    assert captions(("year",), None) == ("year",)
    assert spoken(("from", "below"), ("90", "")) == ("90 and over",)
    assert spoken(("from", "below"), ("", "20")) == ("under 20",)
    assert spoken(("from", "below"), ("not known", "")) == ("not known",)
    shuffled = [("100", "120"), ("not known", ""), ("20", "40"), ("", "20")]
    assert in_order(shuffled) == [("", "20"), ("20", "40"), ("100", "120"), ("not known", "")]
    assert in_order([("MALE",), ("FEMALE",), ("MALE",)]) == [("MALE",), ("FEMALE",)]
    assert in_order([("b", "1"), ("a",)]) == [("b", "1"), ("a",)]


def test_trusts_stand_side_by_side_and_a_cell_that_one_left_out_is_hidden_there():
    sexes = Statistic(name="sex", title="Sex", keys=("sex",), cells=(Cell(keys=("F",), persons=30),))
    more = sexes.model_copy(update={"cells": (Cell(keys=("F",), persons=10), Cell(keys=("M",), persons=30))})
    view = view_of(
        SUBMITTED,
        AMBER.model_copy(update={"statistics": (sexes,)}),
        AMBER.model_copy(update={"trust_id": "birch", "statistics": (more,)}),
    )
    (beside,) = side_by_side(view, "sex")
    assert beside.rows == {("F",): {"amber": 30, "birch": 10}, ("M",): {"amber": None, "birch": 30}}
    assert (beside.share(("F",), "birch"), beside.share(("M",), "amber")) == (0.25, None)
    assert (beside.spread(("F",)), beside.spread(("M",))) == (0.75, None)
    assert side_by_side(view, "age_band") == ()


def test_a_grouped_query_is_a_table_of_its_own():
    cells = (Cell(keys=("F", "2019"), persons=20),)
    answer = TrustCounted(**IDS, trust_id="amber", outcome="counted", cells=cells)
    (table,) = tables_of(answer)
    assert (table.name, table.keys) == ("answer", ("key 1", "key 2"))
    assert "1 groups" in text_of(picture(view_of(SUBMITTED, answer)))


def test_a_table_without_any_released_cell_says_so():
    empty = AMBER.model_copy(update={"statistics": (Statistic(name="sex", title="Sex", keys=("sex",)),)})
    assert "Sex (sex): too few in every group" in text_of(whole(view_of(SUBMITTED, empty)))


def test_quartiles_come_from_released_bins_and_an_open_bin_has_none():
    (beside,) = side_by_side(WHOLE, "age_band")
    quarter, half, three = quartiles(beside, "amber")
    assert 20 < quarter < 40 < half < three < 60
    open_ended = view_of(SUBMITTED, AMBER.model_copy(update={"statistics": (bands(90, 10),)}))
    assert quartiles(side_by_side(open_ended)[0], "amber")[0] is None
    hidden = view_of(SUBMITTED, AMBER.model_copy(update={"statistics": (bands(None, None),)}))
    assert quartiles(side_by_side(hidden)[0], "amber") is None


def bands(*persons):
    cells = tuple(Cell(keys=key, persons=count) for key, count in zip((("", "20"), ("20", "40")), persons, strict=True))
    return Statistic(name="age_band", title="Age", keys=("from", "below"), cells=cells)


def test_a_rule_loses_what_it_takes_and_a_hidden_step_tells_nothing():
    assert [(loss.left, loss.lost) for loss in losses(BIRCH.attrition)] == [(60, None), (55, 5), (None, None)]
    assert heaviest(WHOLE) == ("with CT", 510)
    assert heaviest(view_of(SUBMITTED)) is None
    grown = [Step(name="all", persons=100), Step(name="more", persons=105)]
    assert losses(grown)[1].lost == 0


def test_two_queries_differ_by_released_figures_and_lines_of_text():
    later = AMBER.model_copy(update={"persons": 350})
    other = WHOLE.model_copy(
        update={"query_id": "q2", "sql": SQL.replace("secrets", "visit"), "answers": WHOLE.answers | {"amber": later}}
    )
    found = difference(WHOLE, other)
    amber, birch, cedar, _ = found.trusts
    assert (amber.by, amber.margin, amber.within) == (10, 13, True)
    assert (birch.by, birch.within, birch.words) == (None, None, ("too few", "too few"))
    assert cedar.words == ("refused", "refused")
    assert (found.total.before, found.total.after) == (340, 350)
    assert [line for line in found.text if line[0] in "+-"][2:] == [
        "-JOIN secrets s ON s.person_id = p.person_id",
        "+JOIN visit s ON s.person_id = p.person_id",
    ]


def test_a_difference_beyond_the_margin_is_not_called_chance_nor_one_without_a_margin():
    far = difference(WHOLE, changed(persons=400)).trusts[0]
    assert far.within is False
    assert difference(WHOLE, changed(persons=350, margin=None)).trusts[0].within is None
    assert difference(WHOLE, WHOLE).trusts[0].within is True


def test_tables_differ_by_released_cells_of_trusts_that_told_both():
    (table,) = difference(WHOLE, changed(statistics=(ages(40, 110, None, 20),))).tables
    assert [(keys, change.where, change.words) for keys, change in table.cells] == [
        (("20 to under 40",), "amber", ("about 100", "about 110")),
        (("40 to under 60",), "amber", ("about 150", "too few")),
        (("60 and over",), "amber", ("too few", "about 20")),
    ]
    (same,) = difference(WHOLE, WHOLE).tables
    assert same.cells == ()
    assert difference(WHOLE, changed(statistics=())).tables[0].cells == ()


def changed(**update):
    return WHOLE.model_copy(update={"answers": WHOLE.answers | {"amber": AMBER.model_copy(update=update)}})


def test_trusts_that_only_one_query_asked_are_named_and_not_summed():
    fewer = WHOLE.model_copy(update={"trusts": ("birch", "elm")})
    found = difference(WHOLE, fewer)
    assert found.only_before == ("amber", "cedar", "dune")
    assert found.only_after == ("elm",)
    assert found.total.before is None


def test_runs_of_a_cohort_are_grouped_by_version():
    first = WHOLE.model_copy(update={"query_id": "q0", "version": 1})
    again = WHOLE.model_copy(update={"query_id": "q2", "repeats": "q1"})
    made = versions([first, WHOLE, again, WHOLE.model_copy(update={"cohort": "knee", "version": 1})])
    assert [(one.cohort, one.number, len(one.runs)) for one in made] == [
        ("knee", 1, 1),
        ("prostate", 1, 1),
        ("prostate", 2, 2),
    ]
    assert TOTAL.asked == len(TRUSTS)
