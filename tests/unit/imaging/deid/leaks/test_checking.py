from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, FileDataset
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.unit.imaging.deid.pixels.samples import every_file
from trust_node.imaging.deid import DeidKeys, deidentify
from trust_node.imaging.deid.leaks import Finding, Identity, check, check_elements, identity, leaks
from trust_node.imaging.deid.leaks.spellings import vocabulary
from trust_node.imaging.deid.pixels import Held, HoldReason, PixelRules
from trust_node.imaging.deid.plan import DeidPlan

PATIENT = Identity(
    names=frozenset({"Canaryson^Jane", "Li^Wei", "Head^John", "Núñez^José"}),
    ids=frozenset({"MRN0815-4711", "0815471199", "4711"}),
    births=frozenset({"19660606"}),
    phrases=frozenset({"7 Canary Lane, Finchley", "020 7946 0958", "St Canary Hospital"}),
    uids=frozenset({"1.2.826.0.1.3680043.77"}),
)


def encoded(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def with_text(text: str, keyword: str = "ImageComments") -> list[str]:
    dataset = Dataset()
    setattr(dataset, keyword, text)
    return leaks(PATIENT, dataset)


@pytest.mark.parametrize(
    "text",
    [
        "scan of CANARYSON", "canaryson jane", "Jane_Canaryson", "JANE-CANARYSON", "CanarysonJane", "xCanarysonx",
        "of Jane.",
        "(jane)", "Li Wei", "WEI, LI", "liwei", "John Head", "HEAD^JOHN", "NUNEZ", "núñez", "NÚÑEZ",
        "MRN0815-4711", "mrn 0815 4711", "MRN08154711", "id:MRN0815/4711x", "0815471199", "08154711-99", "no 4711.",
        "born 19660606", "1966-06-06", "06.06.1966", "06/06/1966", "6 Jun 1966", "JUNE 6, 1966", "6-JUN-1966",
        "1966 June 06",
        "at 7, Canary Lane", "canary lane, finchley", "tel 02079460958", "(020) 7946-0958", "ST. CANARY HOSPITAL",
        "see 1.2.826.0.1.3680043.77", "1.2.826.0.1.3680043.77.1",
    ],
)  # fmt: skip
def test_every_spelling_is_found(text: str) -> None:
    assert with_text(text) == ["ImageComments"]


@pytest.mark.parametrize(
    "text",
    [
        "HEAD CT", "head first supine", "Janet", "weil", "Johnson", "47110", "147112", "se2d4711x", "1966060601",
        "119660606", "06061967", "10815471199", "Canary", "LANE", "Hospital", "1.2.826.0.1.3680043.7", "2.25.47114711",
        "AXIAL T1 FLAIR", "P0815471deadbeef",
    ],
)  # fmt: skip
def test_what_only_resembles_is_no_alarm(text: str) -> None:
    assert with_text(text) == []


@pytest.mark.parametrize(
    ("keyword", "value", "found"),
    [
        ("BodyPartExamined", "HEAD", False),
        ("BodyPartExamined", "CANARYSON", True),
        ("Manufacturer", "Jane Imaging", False),
        ("Manufacturer", "MRN08154711", True),
        ("SliceThickness", "4711", False),
        ("InstanceNumber", "0815471199", True),
        ("ImagePositionPatient", [19.660606, 0.4711, -4711], False),
        ("StudyDate", "19660606", False),
        ("PatientBirthDate", "19660606", True),
        ("OperatorsName", "Head", True),
        ("OperatorsName", "P0123456789abcdef", False),
        ("StudyInstanceUID", "1.2.826.0.1.3680043.77", True),
        ("StudyInstanceUID", "1.2.826.0815471199.3", True),
        ("ReferencedFrameOfReferenceUID", "1.2.826.0.1.3680043.78", False),
        ("ICCProfile", b"\0\1descCanaryson Jane\0\0", True),
        ("ICCProfile", "Canaryson".encode("utf-16-le"), True),
        ("EncapsulatedDocument", b"%PDF" + bytes(range(256)) * 40 + b"/Author(Jane Canaryson)", True),
        ("RedPaletteColorLookupTableData", bytes(range(256)) * 40, False),
    ],
)
def test_each_kind_of_value_is_looked_into_its_own_way(keyword: str, value: object, found: bool) -> None:
    assert with_text(value, keyword) == ([keyword] if found else [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("charset", "name", "text"),
    [
        ("ISO_IR 100", "Müller^Jürgen", "Befund Müller, Jürgen"),
        ("ISO_IR 192", "Müller^Jürgen", "MÜLLER"),
        ("ISO_IR 100", "Müller^Jürgen", "Muller"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "患者 山田^太郎"),
        ("GB18030", "Wang^XiaoDong=王^小东", "病人:王小东,复查"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东", "小东"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", "환자 길동"),
        ("ISO_IR 144", "\u041b\u044e\u043a\u0441\u0435\u043c", "\u041b\u042e\u041a\u0421\u0415\u041c"),
    ],
)
def test_names_are_found_in_every_character_set(charset: object, name: str, text: str) -> None:
    original, result = Dataset(), Dataset()
    original.SpecificCharacterSet = result.SpecificCharacterSet = charset
    original.PatientName, result.ImageComments = name, text
    assert leaks(identity(original), result) == ["ImageComments"]


def test_a_name_is_found_in_another_character_set_than_its_own() -> None:
    original, result = Dataset(), Dataset()
    original.SpecificCharacterSet, result.SpecificCharacterSet = ["", "ISO 2022 IR 87"], "ISO_IR 192"
    original.PatientName, result.StudyDescription = "Yamada^Tarou=山田^太郎", "山田太郎"
    assert leaks(identity(original), result) == ["StudyDescription"]


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_every_place_of_a_file_is_looked_into(mr: FileDataset, syntax: str) -> None:
    mr.file_meta.TransferSyntaxUID = syntax
    mr.file_meta.SourceApplicationEntityTitle = "CANARYSON"
    mr.preamble = b"II*\0 Jane Canaryson".ljust(128, b"\0")
    inner = Dataset()
    inner.private_block(0x0011, "CANARY", create=True).add_new(1, "LO", "Jane")
    mr.AnatomicRegionSequence = [Dataset(), Dataset()]
    mr.AnatomicRegionSequence[1].AnatomicRegionModifierSequence = [inner]
    mr.add_new(0x50003000, "OW", b"Canaryson ")
    mr.add_new(0x60024000, "LT", "Canaryson")
    mr.DataSetTrailingPadding = b"Canaryson\0"
    written = FileDataset("", mr, file_meta=mr.file_meta, preamble=mr.preamble)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, written, enforce_file_format=True)
    places = {finding.place for finding in check(PATIENT, buffer.getvalue(), ["scan 1", "4711_Canaryson.dcm"])}
    assert places == {
        "names[1]", "preamble", "SourceApplicationEntityTitle", "DataSetTrailingPadding", "CurveData",
        "OverlayComments",
        "AnatomicRegionSequence[1].AnatomicRegionModifierSequence[0].(0011,1001)",
    }  # fmt: skip


def test_a_comment_in_a_compressed_picture_is_found() -> None:
    dataset = pydicom.dcmread(get_testdata_file("SC_rgb_jpeg_dcmtk.dcm"))
    stream = next(iter(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)))
    assert check(PATIENT, encoded(dataset)) == []
    comment = b"\xff\xfe\x00\x10Jane Canaryson"
    dataset.PixelData = encapsulate([stream[:2] + comment + stream[2:]])
    assert check(PATIENT, encoded(dataset)) == [Finding("PixelData", "name")]


def test_uids_of_the_original_are_found_in_sequences_and_texts_of_every_slice(mr: FileDataset) -> None:
    for number in range(3):
        mr.SOPInstanceUID = f"1.2.826.0.1.3680043.99.{number}"
        known, reference = identity(mr), Dataset()
        reference.ReferencedSOPInstanceUID = mr.SOPInstanceUID
        result = deidentify(mr, DeidKeys(bytes(32))).dataset
        assert check(known, encoded(result)) == []
        result.ReferencedImageSequence = [reference]
        assert check(known, encoded(result)) == [Finding("ReferencedImageSequence[0].ReferencedSOPInstanceUID", "uid")]


def test_a_finding_and_an_identity_never_show_what_was_found() -> None:
    assert "Canaryson" not in repr(PATIENT)
    assert "4711" not in repr(check(PATIENT, b"no dicom, but 4711 Canaryson"))


@pytest.mark.parametrize("cut", range(128, 1600, 61))
def test_bytes_that_are_cut_or_broken_are_still_looked_through(mr: FileDataset, cut: int) -> None:
    whole = encoded(mr)
    broken = whole[:cut] + b"\xff" * 200 + b" Jane Canaryson " + b"\xff" * 200
    assert "name" in {finding.kind for finding in check(PATIENT, broken)}


@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_break_the_check(data: bytes, explicit: bool) -> None:
    check_elements(PATIENT, data, explicit=explicit)
    check(PATIENT, data)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_leak_before_or_behind_what_cannot_be_read_is_found(before: bytes, behind: bytes) -> None:
    text = b"\x20\x00\x00\x40LT\x0e\0Jane Canaryson"
    assert check_elements(PATIENT, text + before, explicit=True)
    assert check(PATIENT, before + b" Jane Canaryson " + behind)


WORDS = st.text("abcdefghijklmnopqrstuvwxyzäéñ", min_size=4, max_size=12).filter(
    lambda w: w.upper() not in vocabulary()
)


@given(WORDS, st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from(["", "scan of ", "x_"]))
def test_a_name_is_found_however_it_is_written(name: str, case: Callable[[str], str], before: str) -> None:
    original, result = Dataset(), Dataset()
    original.SpecificCharacterSet = result.SpecificCharacterSet = "ISO_IR 192"
    original.PatientName, result.ImageComments = f"{name}^Jane", f"{before}{case(name)}."
    assert leaks(identity(original), result) == ["ImageComments"]


def test_nesting_without_end_is_no_danger() -> None:
    deep = b"\x08\x00\x96\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 5000 + b"Jane Canaryson"
    assert [finding.kind for finding in check_elements(PATIENT, deep, explicit=True)] == ["name"]


def test_elements_alone_can_be_checked() -> None:
    element = b"\x20\x00\x00\x40LT\x04\0Jane"
    assert check_elements(PATIENT, element, explicit=True) == [Finding("ImageComments", "name")]
    assert check_elements(PATIENT, b"\x20\x00\x00\x40\x04\0\0\0Jane", explicit=False) == [
        Finding("ImageComments", "name")
    ]


def test_what_was_clean_for_one_patient_is_looked_into_again_for_another(mr: FileDataset) -> None:
    mr.ImageComments = "Finchley"
    file = encoded(mr)
    assert check(PATIENT, file) == []
    assert check(Identity(names=frozenset({"Finchley^Bob"})), file) == [Finding("ImageComments", "name")]
    assert check(PATIENT, file) == []


def real_files() -> list[Path]:
    return [path for path in every_file() if path.stat().st_size < 3_000_000]


def test_no_real_file_is_held_once_it_is_clean() -> None:
    """Over all test files of pydicom and pydicom-data, whatever a person would have been asked before."""
    plan = DeidPlan(DeidKeys(bytes(32)), pixel_rules=PixelRules(released=frozenset(HoldReason)))
    checked, alarms = 0, list[tuple[str, list[Finding]]]()
    for path in real_files():
        try:
            original = pydicom.dcmread(path)
            result = encoded(deidentify(original, plan).dataset)
        except Held:
            continue
        except Exception:  # noqa: BLE001  broken on purpose; the pipeline holds them as unreadable
            continue
        checked += 1
        if found := check(identity(original), result):
            alarms.append((path.name, found))
    assert alarms == []
    assert checked > 100
