"""Functions that look at the object or change it as a whole."""

import pytest
from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from tests.unit.imaging.deid.script.playing import play, thing, value_of
from trust_node.imaging.deid.script import RejectedError, ScriptRunError


def test_blank_values_by_text_number_list_and_path() -> None:
    inner = thing(ManufacturerModelName="Doe", Manufacturer="12345")
    dataset = thing(PatientName="Doe", PatientID="12345", StationName="Doering", RequestAttributesSequence=[inner])
    play('mine := {"Doe", 12345}\nblankValues[mine]', dataset)
    assert (dataset.PatientName, dataset.PatientID, dataset.StationName) == ("", "", "Doering")
    assert (inner.ManufacturerModelName or "", inner.Manufacturer or "") == ("", "")


def test_blank_values_collects_by_wildcards_and_leaves_bytes_alone() -> None:
    dataset = thing(StationName="Doe", PatientName="Doe", InstitutionName="Doe Hall", ICCProfile=b"Doe ")
    dataset.add(DataElement(Tag(0x00440001), "UN", b"Doe"))
    play("values := collectValues[(0008,101X), (0010,0030)]\nblankValues[values]", dataset)
    assert (dataset.PatientName, dataset.InstitutionName, dataset.ICCProfile) == ("", "Doe Hall", b"Doe ")
    assert not dataset[0x00440001].value


def test_blank_values_leaves_what_the_file_needs() -> None:
    dataset = thing(SOPInstanceUID="1.2.3", FrameOfReferenceUID="1.2.3")
    play('blankValues["1.2.3"]', dataset)
    assert (dataset.SOPInstanceUID, dataset.FrameOfReferenceUID) == ("1.2.3", "")


@pytest.mark.parametrize("statement", ['blankValues["x"]', "- */(0010,0010)", "(0008,1140)[0]/(0010,0010) ?= 1"])
def test_what_cannot_be_read_is_not_quoted(statement: str) -> None:
    dataset = Dataset()
    dataset[0x00081140] = RawDataElement(Tag(0x00081140), "SQ", 4, b"Cana", 0, False, True)
    with pytest.raises(ScriptRunError, match=r"\(0008,1140\) can't be read") as caught:
        play(statement, dataset)
    assert "Cana" not in str(caught.value)


def private_object() -> Dataset:
    dataset = thing(PatientName="x")
    block = dataset.private_block(0x0019, "MAKER", create=True)
    block.add_new(0x01, "LO", "one")
    block.add_new(0x02, "LO", "two")
    inner = thing(PatientID="y")
    inner.private_block(0x0021, "INNER", create=True).add_new(0x05, "LO", "five")
    block.add_new(0x10, "SQ", [inner])
    dataset.private_block(0x0029, "OTHER", create=True).add_new(0x01, "LO", "z")
    public = Dataset()
    public.private_block(0x0009, "DEEP", create=True).add_new(0x01, "LO", "w")
    dataset.ReferencedImageSequence = [public]
    return dataset


def private_tags(dataset: Dataset) -> list[str]:
    return [f"{e.tag.group:04x}{e.tag.element:04x}" for e in dataset.iterall() if e.tag.is_private]


def test_all_private_elements_go_at_every_depth() -> None:
    dataset = private_object()
    changes = play("removeAllPrivateTags", dataset)
    assert private_tags(dataset) == []
    assert dataset.PatientName == "x"
    assert "(0008,1140)/(0009,1001)" in [change.path for change in changes]


def test_retained_private_elements_stay_with_their_creators() -> None:
    dataset = private_object()
    play("retainPrivateTags[(0019,{MAKER}02)]", dataset)
    assert private_tags(dataset) == ["00190010", "00191002"]
    dataset = private_object()
    play("retainPrivateTags[(0019,{MAKER}10)]", dataset)
    assert private_tags(dataset) == ["00190010", "00191010", "00210010", "00211005"]
    dataset = private_object()
    play("retainPrivateTags[*/(0021,{INNER}XX), */(0009,{DEEP}01)]", dataset)
    assert private_tags(dataset) == ["00090010", "00091001", "00190010", "00191010", "00210010", "00211005"]


def test_only_private_paths_can_be_retained() -> None:
    with pytest.raises(ScriptRunError, match="not private"):
        play("retainPrivateTags[(0010,0010)]", private_object())


def test_delete_and_set_take_paths_in_strings_and_private_numbers() -> None:
    dataset = private_object()
    play('delete["(0019,1001)", "*/(0009,{DEEP}01)"]\nset["(0010,0010)", "new"]\nset[(0019,{MAKER}02), 5]', dataset)
    assert "00191001" not in private_tags(dataset)
    assert "00091001" not in private_tags(dataset)
    assert (dataset.PatientName, dataset[0x00191002].value) == ("new", "5")


def test_a_path_that_comes_from_the_object_is_not_quoted() -> None:
    with pytest.raises(ScriptRunError, match="an argument is no tag path") as caught:
        play("name := (0010,0010)\ndelete[name]", thing(PatientName="(0010,{CANARYSON}10)"))
    assert "CANARY" not in str(caught.value)


def test_is_present_wants_all_of_them() -> None:
    dataset = thing(PatientName="", ReferencedImageSequence=[thing(PatientID="x")])
    dataset.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x0C, "LO", "N")
    for paths, present in {
        "(0010,0010)": "true",
        "(0010,0020)": "false",
        "(0010,0010), (0010,0020)": "false",
        "{(0010,0010), (0008,1140)}": "true",
        "(0008,1140)[0]": "true",
        "(0008,1140)[1]": "false",
        "(0008,1140)[0]/(0010,0020)": "true",
        "(2001,{Philips Imaging DD 001}0c)": "true",
        "(2001,{Philips Imaging DD 001}0d)": "false",
        "(2001,{NOBODY}0c)": "false",
    }.items():
        assert value_of(f"isPresent[{paths}]", dataset) == present, paths
    with pytest.raises(ScriptRunError, match="several"):
        play("isPresent[*/(0010,0010)]", dataset)


def test_reject_refuses_the_object_and_says_only_what_the_script_says() -> None:
    with pytest.raises(RejectedError) as caught:
        play("reject[]", thing(PatientName="Canaryson"))
    assert (caught.value.rule, caught.value.reason) == ("test:2", "")
    with pytest.raises(RejectedError, match="test:2: rejected: no localisers"):
        play(
            'reject[ismatch[(0008,0008), ".*LOCALIZER.*"], "no localisers"]', thing(ImageType=["ORIGINAL", "LOCALIZER"])
        )
    assert play('reject[false[]]\nreject["no"]', Dataset()) == []
