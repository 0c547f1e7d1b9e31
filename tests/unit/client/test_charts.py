"""Charts really drawn: of released figures only, with their words as words."""

import io
import re
import sys

import pytest
from PIL import Image

from client.charts import NoChart, chart
from client.terminal import judged
from schemas.cohort import Cell
from tests.unit.client.cohorts import AMBER, BIRCH, SUBMITTED, TRUSTS, WHOLE, ages, view_of


def words_of(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


def test_a_chart_of_trusts_names_each_and_draws_only_what_was_released():
    drawn = chart(WHOLE, kind="svg")
    words = words_of(drawn)
    assert {*TRUSTS, "about 340 (± 9)", "too few", "refused", "timed out"} <= set(words)
    without = chart(view_of(SUBMITTED, BIRCH), kind="svg")
    assert "too few" in words_of(without)
    assert words_of(without).count("no answer yet") == 3


def test_a_chart_of_a_table_has_a_panel_for_each_trust_that_tells_it():
    other = AMBER.model_copy(update={"trust_id": "cedar", "statistics": (ages(70, None, 30, 20),)})
    words = words_of(chart(view_of(SUBMITTED, AMBER, BIRCH, other), "age_band", kind="svg"))
    assert {"amber", "cedar", "20 to under 40", "range (years)", "~150", "~70"} <= set(words)
    assert words.count("too few") == 2
    assert "birch: Too few in each group." in words


def test_a_hidden_figure_and_a_zero_give_the_same_chart():
    hidden, zero = (AMBER.model_copy(update={"statistics": (ages(40, 100, 150, last),)}) for last in (None, 0))
    assert chart(view_of(SUBMITTED, hidden), "age_band", kind="svg") == chart(
        view_of(SUBMITTED, zero), "age_band", kind="svg"
    )


def test_a_png_is_an_image_as_large_as_its_bars_need():
    few = Image.open(io.BytesIO(chart(WHOLE)))
    bands = ages(40, 100, 150, None).model_copy(
        update={"cells": tuple(Cell(keys=(str(low), str(low + 10)), persons=20) for low in range(0, 200, 10))}
    )
    many = Image.open(
        io.BytesIO(chart(view_of(SUBMITTED, AMBER.model_copy(update={"statistics": (bands,)})), "age_band"))
    )
    assert few.format == many.format == "PNG"
    assert few.width == many.width == 900
    assert many.height > 2 * few.height > 400
    assert len(few.convert("RGB").getcolors(2**16)) > 10


def test_names_of_trusts_and_groups_are_words_not_formulas():
    sexes = ages(40, 100, 150, None).model_copy(
        update={"keys": ("sex",), "title": "$x^2$", "cells": (Cell(keys=("$a_b$ <b>",), persons=20),)}
    )
    drawn = chart(view_of(SUBMITTED, AMBER.model_copy(update={"statistics": (sexes,)})), "age_band", kind="svg")
    assert {"$a_b$ &lt;b&gt;", "$x^2$"} <= set(words_of(drawn))


@pytest.mark.parametrize(("statistic", "kind"), [("sex", "svg"), (None, "gif")])
def test_what_cannot_be_drawn_is_named_with_what_can(statistic, kind):
    with pytest.raises(NoChart, match=r"age_band|png or svg"):
        chart(WHOLE, statistic, kind=kind)


def test_without_the_extra_a_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NoChart) as refused:
        chart(WHOLE)
    assert judged(refused.value) == (2, "charts need matplotlib: pip install 'trustflow[plot]'")
