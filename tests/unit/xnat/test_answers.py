"""Tables: columns, filters, order and pages, as JSON and as CSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.xnat.answers import as_csv
from infra.xnat.fields import fields_of
from infra.xnat.selecting import DEFAULT_COLUMNS, select

ROWS = [{"ID": f"XNAT_S0000{n}", "URI": f"/data/subjects/{n}", "label": f"s{n}", "yob": str(n)} for n in range(1, 6)]


def labels(**query):
    return [row["label"] for row in select(ROWS, "subjects", query)]


def test_asked_columns_come_with_id_and_uri():
    assert select(ROWS[:1], "subjects", {"columns": "label,colour"}) == [
        {"label": "s1", "colour": "", "ID": "XNAT_S00001", "URI": "/data/subjects/1"}
    ]


@pytest.mark.parametrize("query", [{}, {"columns": "DEFAULT"}])
def test_without_columns_the_default_ones_come(query):
    assert tuple(select(ROWS, "subjects", query)[0]) == DEFAULT_COLUMNS["subjects"]


def test_fields_filter_with_wildcards_and_order_and_page():
    assert labels(label="s[3-9]*") == ["s3", "s4", "s5"]
    assert labels(label="s2", yob="3") == []
    assert labels(sortBy="label", sortOrder="desc", limit="2", offset="1") == ["s4", "s3"]


def test_the_format_of_the_answer_is_no_filter():
    rows = [{"format": "DICOM", "label": "DICOM"}]
    assert select(rows, "resources", {"format": "json", "columns": "ID,URI,label"}) == rows


@given(st.lists(st.fixed_dictionaries({"a": st.text("ab,\"\n'"), "b": st.text("x;\t")}), min_size=1))
def test_csv_reads_back_as_written(rows):
    assert list(csv.DictReader(io.StringIO(as_csv(rows), newline=""))) == rows


def test_xpaths_and_short_names_are_the_same_field():
    spelled = {"xnat:subjectData/label": "a", "req_format": "qs", "xsiType": "xnat:subjectData"}
    assert fields_of(spelled) == {"label": "a", "xsiType": "xnat:subjectData"}
    path = "xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/yob"
    assert fields_of({path: "1970"}) == {"yob": "1970"}
    assert fields_of({"ID": "mine", "insert_user": "eve", "subject_ID": "x"}) == {}
