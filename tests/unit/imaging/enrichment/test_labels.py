"""The label file that a data manager puts into XNAT."""

import pytest

from trust_node.imaging.enrichment.labels import LabelsUnreadableError, read_labels


def test_labels_by_study_and_scan() -> None:
    table = b"study,scan,sequence,side\nS1,2,t1,left\nS1,3,t2,\n"
    assert read_labels(table) == {("S1", "2"): {"sequence": "t1", "side": "left"}, ("S1", "3"): {"sequence": "t2"}}


def test_what_a_spreadsheet_saves_is_read() -> None:
    assert read_labels("\ufeffstudy,scan,label\r\nS1,2,größer\r\n".encode()) == {("S1", "2"): {"label": "größer"}}


@pytest.mark.parametrize("empty", [b"", b"study,scan,label\n"])
def test_an_empty_table_labels_nothing(empty: bytes) -> None:
    assert read_labels(empty) == {}


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe\x00s",
        b"study;scan;label\nS1;2;t1\n",
        b"study,scan\nS1,2\n",
        b"study,label\nS1,t1\n",
        b"study,scan,label\nS1,2," + b"x" * 200_000 + b"\n",
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_a_remedy(bad: bytes) -> None:
    with pytest.raises(LabelsUnreadableError, match=r"labels\.csv (needs|is no)"):
        read_labels(bad)
