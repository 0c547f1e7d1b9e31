"""Assignments and deletions."""

import pytest
from pydicom import Dataset

from tests.unit.imaging.deid.script.playing import play, thing
from trust_node.imaging.deid.script import ScriptRunError


def test_assigning_makes_sequences_items_and_private_blocks() -> None:
    dataset = Dataset()
    changes = play(
        '(0008,1140)[1]/(0008,1155) := "1.2"\n(0019,{OURS}10) := "x"\n(0008,1110)/(0008,1150) := "1.3"', dataset
    )
    assert [len(item) for item in dataset.ReferencedImageSequence] == [0, 1]
    assert dataset.ReferencedImageSequence[1].ReferencedSOPInstanceUID == "1.2"
    assert (dataset[0x00190010].value, dataset[0x00191010].value) == ("OURS", "x")
    assert dataset.ReferencedStudySequence[0].ReferencedSOPClassUID == "1.3"
    assert changes[0].path == "(0008,1140)/(0008,1155)"


def test_assigning_without_an_item_means_every_item() -> None:
    dataset = thing(ReferencedImageSequence=[Dataset(), thing(ReferencedSOPInstanceUID="1.2")])
    play('(0008,1140)/(0008,1155) := "1.9"', dataset)
    assert [item.ReferencedSOPInstanceUID for item in dataset.ReferencedImageSequence] == ["1.9", "1.9"]


def test_wildcards_and_conditional_assignments_touch_only_what_is_there() -> None:
    inner = thing(PatientID="b")
    dataset = thing(PatientID="a", ReferencedImageSequence=[inner, Dataset()])
    play('*/(0010,0020) ?= "x"\n(0010,0010) ?= "y"\n(0008,1140)[7]/(0010,0020) ?= "z"\n+/(0010,0020) ?= "w"', dataset)
    assert (dataset.PatientID, inner.PatientID, "PatientName" in dataset) == ("x", "w", False)
    assert len(dataset.ReferencedImageSequence) == 2


def test_assigning_nothing_empties() -> None:
    dataset = thing(PatientName="x")
    play("(0010,0010) := (0010,0020)", dataset)
    assert dataset.PatientName == ""


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("(0028,1050)", "12.5\\\\-3", [12.5, -3.0]),
        ("(0020,0013)", "7", 7),
        ("(0028,0106)", "5", 5),
        ("(0018,9087)", "1.5", 1.5),
        ("(0028,0009)", "(0018,1063)", 0x00181063),
        ("(0010,4000)", "a\\\\b", "a\\b"),
        ("(0008,0008)", "A\\\\B", ["A", "B"]),
    ],
)
def test_values_take_the_form_of_their_vr(tag: str, text: str, value: object) -> None:
    dataset = Dataset()
    play(f'{tag} := "{text}"', dataset)
    found = next(iter(dataset)).value
    assert (list(found) if isinstance(value, list) else found) == value


@pytest.mark.parametrize(
    "statement",
    [
        '(0020,0013) := "Canaryson"',
        '(0028,1050) := "12.5x"',
        '(0028,0106) := "1.5"',
        '(0008,1140) := "x"',
        '(0010,0010)/(0008,0018) := "x"',
        '(0008,2112)[0]/(0028,2000) := "x"',
        "(0010,0010) := (0028,2000)",
        "(0010,0010) := (0008,1140)",
        '(0010,0010) := "Zürich"',
        "(0020,000D) := (0010,0030)",
        '*/(0028,0010) ?= "1"',
        'set["*/(0010,0010)", "x"]',
        'set["(0008,1140)[0]", "x"]',
    ],
)
def test_what_cannot_be_assigned_or_read_is_named(statement: str) -> None:
    dataset = thing(StudyInstanceUID="1.2", ICCProfile=b"ab", Rows=3, ReferencedImageSequence=[])
    with pytest.raises(ScriptRunError, match=r"test:2: .*") as caught:
        play(statement, dataset)
    assert "Canaryson" not in str(caught.value)


def test_deleting_elements_items_and_what_the_file_needs() -> None:
    dataset = thing(
        SOPInstanceUID="1.2",
        PatientName="x",
        PatientID="y",
        ReferencedImageSequence=[thing(PatientID="0"), thing(PatientID="1")],
    )
    changes = play("- (0010,00XX)\n- (0008,1140)[0]\n- (0020,0010)\n- (0008,XXXX)/(0010,0020)\n- (0008,001X)", dataset)
    assert [item.get("PatientID") for item in dataset.ReferencedImageSequence] == [None]
    assert [int(e.tag) for e in dataset] == [0x00080018, 0x00081140]
    assert [change.action for change in changes] == ["remove"] * 4


def test_a_method_is_added_to_those_at_work_before() -> None:
    dataset = thing(DeidentificationMethod="Trustflow, PS3.15 2026c")
    play('(0012,0063) := "Site v1"\n(0012,0063) := "Site v1"', dataset)
    assert list(dataset.DeidentificationMethod) == ["Trustflow, PS3.15 2026c", "Site v1"]
