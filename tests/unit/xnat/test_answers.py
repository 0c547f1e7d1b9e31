"""Tables: columns, filters, order and pages, as JSON and as CSV."""

import csv
import io
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.xnat.answers import as_csv
from infra.xnat.documents import item_xml, table_xml
from infra.xnat.fields import fields_of
from infra.xnat.model import Node
from infra.xnat.refusal import Refusal
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


DATED = [{"label": day, "date": day} for day in ("2016-12-31", "2017-01-01", "2017-06-30", "2018-01-01", "")]


def test_dates_lie_between_two_days_month_first():
    query = {"date": "01/01/2017-12/31/2017", "columns": "label"}
    assert [row["label"] for row in select(DATED, "subjects", query)] == ["2017-01-01", "2017-06-30"]


@given(st.dates(), st.dates(), st.dates())
def test_a_range_holds_its_days_and_no_others(first, last, day):
    query = {"date": f"{first:%m/%d/}{first.year:04}-{last:%m/%d/}{last.year:04}"}
    assert bool(select([{"date": day.isoformat()}], "", query)) == (first <= day <= last)


@pytest.mark.parametrize("query", [{"date": "31/12/2017-01/01/2018"}, {"limit": "ten"}, {"offset": "-1"}])
def test_what_cannot_be_read_is_refused_by_name(query):
    with pytest.raises(Refusal, match=next(iter(query))):
        select(ROWS, "subjects", query)


def test_all_is_what_no_limit_means():
    assert len(labels(limit="*")) == len(labels()) == 5


any_text = st.text(max_size=20)


@given(st.dictionaries(any_text, any_text, max_size=5), any_text)
def test_any_field_makes_xml_that_can_be_read(fields, label):
    node = Node(
        "experiments",
        "E",
        None,
        Node("projects", "P", None, children={"subjects": {}}),
        fields | {"label": label, "xsiType": "xnat:mrSessionData"},
    )
    assert ET.fromstring(item_xml(node)).tag == "{http://nrg.wustl.edu/xnat}MrSession"
    assert ET.fromstring(table_xml([fields])).tag == "ResultSet"
