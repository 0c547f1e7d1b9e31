"""White lists: what stays, what goes, and what is not taken over from a CTP script."""

import pickle
from contextlib import suppress

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.data import get_testdata_file

from infra.deid.required import TARGET, table
from trust_node.imaging.deid.script.needed import NEEDED
from trust_node.imaging.deid.whitelist import Whitelist, WhitelistError
from trust_node.imaging.deid.whitelist.required import required

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
UNSPECIFIED = '<r en="T" t="unspecifiedelements">Remove unchecked elements</r>'


def thing(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def left(text: str, dataset: Dataset) -> list[str]:
    Whitelist.read(text).apply(dataset)
    return [f"{e.tag.group:04X}{e.tag.element:04X}" for e in dataset.iterall()]


def ctp(*rows: str) -> str:
    return f'<?xml version="1.0"?>\n<script>{"".join(rows)}{UNSPECIFIED}</script>'


@pytest.mark.parametrize(
    "line",
    [
        "PatientSex",
        "00100040",
        "(0010,0040)",
        "0010,0040 // why",
        "  (0010 , 0040)",
        "(001X,0040)".replace("X", "@"),
        "(0010,00X0)",
        "\n// nothing\n\n0010,0040\n",
    ],
)
def test_an_element_is_listed_in_any_spelling(line: str) -> None:
    assert left(line, thing(PatientSex="F", PatientAge="040Y", SOPClassUID="1.2.3")) == ["00080016", "00100040"]


@pytest.mark.parametrize(
    "line", ["PatientSexx", "0010004", "(0010,0040)/(0010,0040)", "*", "0002,0010", "(0010,0040)["]
)
def test_what_is_no_element_is_named_by_its_line(line: str) -> None:
    with pytest.raises(WhitelistError, match="line 2"):
        Whitelist.read(f"PatientSex\n{line}\n")


def test_every_depth_is_held_to_the_list() -> None:
    inner = thing(CodeValue="1", CodeMeaning="one", PatientName="x")
    dataset = thing(
        AnatomicRegionSequence=[inner, thing(PatientName="y")], ReferencedImageSequence=[thing(CodeValue="2")]
    )
    dataset.SOPClassUID = CT
    changes = Whitelist.read("AnatomicRegionSequence\nCodeValue").apply(dataset)
    assert [item.keyword for item in dataset.iterall()] == ["SOPClassUID", "AnatomicRegionSequence", "CodeValue"]
    assert len(dataset.AnatomicRegionSequence) == 1
    assert [change.path for change in changes] == [
        "(0008,1140)",
        "(0008,2218)/(0008,0104)",
        "(0008,2218)/(0010,0010)",
        "(0008,2218)/(0010,0010)",
    ]
    assert {(change.action, change.rule) for change in changes} == {("remove", "white list")}


def test_private_elements_are_listed_by_creator_and_keep_it() -> None:
    dataset = thing(SOPClassUID=CT)
    for creator in ("OTHER", "MAKER"):
        dataset.private_block(0x0019, creator, create=True).add_new(0x0F, "LO", creator)
    dataset.private_block(0x0019, "MAKER").add_new(0x10, "LO", "z")
    assert left("0019,{MAKER}0F", dataset) == ["00080016", "00190011", "0019110F"]


def test_what_the_file_needs_stays_unlisted() -> None:
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    Whitelist.read("PatientSex").apply(dataset)
    assert "PixelData" in dataset
    assert dataset.pixel_array.shape == (128, 128)
    for keyword in ("StudyInstanceUID", "SOPInstanceUID", "ImagePositionPatient", "PixelSpacing", "RescaleSlope"):
        assert keyword in dataset, keyword
    assert "PatientName" not in dataset
    assert [e for e in dataset if e.tag.is_private] == []


def test_type_1_depends_on_the_class() -> None:
    from pydicom.tag import Tag

    assert Tag("RescaleSlope") in required(CT)
    assert Tag("RescaleSlope") not in required(MR)
    assert required("1.2.3") >= required(CT) | required(MR)


def test_the_table_of_type_1_is_what_highdicom_says() -> None:
    assert TARGET.read_text(encoding="ascii") == table()


def test_ctp_rows_that_keep() -> None:
    text = ctp(
        '<e en="T" t="00100040" n="PatientSex">@keep()</e>',
        '<e en="T" t="00101010" n="PatientAge">@remove()</e>',
        '<e en="F" t="00101020" n="PatientSize">@keep()</e>',
        '<e en="T" t="00101030" n="PatientWeight"></e>',
        '<e en="T" t="00102160">@always()@keep()</e>',
        '<e en="T" t="0019[MAKER]0F">@keep()</e>',
        '<k en="T" t="0018">Keep group 18</k>',
        '<k en="F" t="0020">Keep group 20</k>',
        '<r en="T" t="privategroups">Remove private groups</r>',
    )
    known = Whitelist.read(text)
    assert known.not_taken_over == ()
    assert sorted(map(str, known.listing.steps)) == [
        "(0010,0040)",
        "(0010,1030)",
        "(0010,2160)",
        "(0018,XXXX)",
        "(0019,{MAKER}0F)",
    ]


def test_what_ctp_would_compute_is_named() -> None:
    known = Whitelist.read(
        ctp(
            '<p en="T" t="UIDROOT">1.2.3</p>',
            '<e en="T" t="00080018">@hashuid(@UIDROOT,this)</e>',
            '<e en="T" t="00080020">@always()@incrementdate(this,@DATEINC)</e>',
            '<e en="T" t="00080021">@if(this,exists){@empty()}{@remove()}</e>',
            '<e en="T" t="00080022">19990101</e>',
            '<e en="T" t="odd">@keep()</e>',
            '<k en="T" t="safeprivateelements">Keep</k>',
            '<z en="T" t="1"/>',
        )
    )
    assert sorted(map(str, known.listing.steps)) == ["(0008,0018)", "(0008,0020)", "(0008,0022)"]
    told = "\n".join(known.not_taken_over)
    for words in (
        "UIDROOT",
        "@hashuid() is not carried out, and the element stays",
        "00080021: @if() is not carried out, and",
    ):
        assert words in told
    assert "00080022: a value of the script's own is not set" in told
    assert len(known.not_taken_over) == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<script><e en="T" t="00100040">@keep()</e></script>', "unspecifiedelements"),
        ('<script><r en="F" t="unspecifiedelements"/></script>', "unspecifiedelements"),
        ("<script>", "well-formed"),
        ("<other/>", "<script>"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><script>&x;</script>', "no document type"),
        ("<script>&undefined;</script>", "well-formed"),
    ],
)
def test_what_is_no_white_list(text: str, words: str) -> None:
    with pytest.raises(WhitelistError, match=words):
        Whitelist.read(text)


def test_a_list_is_bounded() -> None:
    with pytest.raises(WhitelistError, match="at most"):
        Whitelist.read("// " + "x" * 2**22)


@given(st.text(max_size=60) | st.text("<>/script =\"'entE&;!", max_size=60))
def test_any_text_is_a_list_or_says_why_not(text: str) -> None:
    with suppress(WhitelistError):
        assert Whitelist.read(text).digest


@given(
    st.sets(st.sampled_from(["PatientSex", "PatientAge", "ImageComments", "RequestAttributesSequence", "PatientID"]))
)
def test_nothing_stays_that_is_neither_listed_nor_needed(listed: set[str]) -> None:
    inner = thing(PatientAge="1", PatientID="2")
    dataset = thing(SOPClassUID=CT, PatientSex="F", PatientAge="3", ImageComments="4", PatientID="5", Rows=1)
    dataset.RequestAttributesSequence = [inner]
    Whitelist.read("\n".join(listed)).apply(dataset)
    kept = NEEDED | required(CT)
    assert {e.keyword for e in dataset if e.tag not in kept} <= listed
    assert {e.keyword for item in dataset.get("RequestAttributesSequence", ()) for e in item} <= listed


def test_lists_that_say_the_same_have_one_digest_and_cross_processes() -> None:
    one, two = Whitelist.read("PatientSex\nPatientAge"), Whitelist.read("(0010,1010)\n00100040")
    assert one.digest == two.digest != Whitelist.read("PatientSex").digest
    assert pickle.loads(pickle.dumps(one)) == one
