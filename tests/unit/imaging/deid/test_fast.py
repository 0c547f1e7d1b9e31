"""The fast way and the plain way give the same data set, report and pseudonyms."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import data_store
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, FileDataset
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from trust_node.imaging.deid import CleanFile, DeidKeys, DeidPlan, HeldFile, Option, clean_file, files
from trust_node.imaging.deid.fast import rewrite
from trust_node.imaging.deid.judged import judged, steady
from trust_node.imaging.deid.memory import MOST_BYTES, Kept, Memory
from trust_node.imaging.deid.original import parse
from trust_node.imaging.deid.pixels import HoldReason, PixelRules
from trust_node.imaging.deid.plain import deidentify
from trust_node.imaging.deid.plan import patient
from trust_node.imaging.deid.raw import OddEncodingError, Piece, pieces
from trust_node.imaging.deid.rules import Profile
from trust_node.imaging.deid.script import Script
from trust_node.imaging.deid.whitelist import Whitelist

KEYS = DeidKeys(bytes(range(32)))
# Every rule of the pixels off: here it is only the header that counts.
EVERYTHING = PixelRules(released=frozenset(HoldReason), devices=())
PLANS = [
    DeidPlan(KEYS, pixel_rules=EVERYTHING),
    DeidPlan(KEYS, Profile(frozenset({Option.CLEAN_DESCRIPTORS, Option.CLEAN_STRUCTURED_CONTENT})), EVERYTHING),
    DeidPlan(KEYS, Profile(frozenset({Option.RETAIN_UIDS, Option.RETAIN_FULL_DATES})), EVERYTHING),
]
FOLDERS = [Path(str(get_testdata_file("MR_small.dcm"))).parent, Path(data_store.__file__).parent]
FILES = sorted(
    path for folder in FOLDERS for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 2**19
)
ENOUGH = 150


def plainly(data: bytes, plan: DeidPlan) -> tuple[FileDataset, object] | None:
    try:
        result = deidentify(pydicom.dcmread(BytesIO(data)), plan)
        buffer = BytesIO()
        result.dataset.save_as(buffer, enforce_file_format=True)
    except Exception:  # noqa: BLE001  whatever pydicom makes of a broken file, the fast way is asked about whole ones
        return None
    return pydicom.dcmread(BytesIO(buffer.getvalue())), (result.study, result.subject, result.changes)


def fast(data: bytes, plan: DeidPlan) -> tuple[FileDataset, object] | None:
    try:
        original = parse(data)
        if judged(original, plan, steady(original)).rectangles:
            return None  # blanking is the plain way's
        result = rewrite(original, plan)
    except OddEncodingError:
        return None
    return pydicom.dcmread(BytesIO(b"".join(result.parts))), (result.study, result.subject, result.changes)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("plan", PLANS, ids=["default", "clean", "retain"])
def test_on_every_real_file_both_ways_agree(plan: DeidPlan) -> None:
    compared = 0
    for path in FILES:
        data = path.read_bytes()
        results = fast(data, plan), plainly(data, plan)
        if results[0] is not None and results[1] is not None:
            assert results[0][0] == results[1][0], path.name
            assert results[0][0].file_meta == results[1][0].file_meta, path.name
            assert results[0][1] == results[1][1], path.name
            compared += 1
    assert compared > ENOUGH


TEXTS = st.sampled_from(["", "Canaryson", "CT Thorax", "Müller", "a\\b", "  ", "CT\\Canaryson", "ANONYMIZED"])
UIDS = st.sampled_from(["", "1.2.3", "1.2.840.10008.1.2", "1.2.826.0.1.3680043.77\\1.2.4", "2.25.1"])
DATES = st.sampled_from(["", "20200229", "2020", "nonsense", "20200101\\20200102", "20200229101112.5+0100"])
BY_VR = {
    "LO": TEXTS, "PN": TEXTS, "SH": TEXTS, "LT": TEXTS, "UI": UIDS, "DA": DATES, "DT": DATES, "TM": DATES,
    "US": st.integers(0, 65535), "DS": st.sampled_from(["", "1.5", "1\\2"]), "SS": st.integers(-100, 100),
    "OB": st.binary(max_size=8).map(lambda value: value * 2), "FD": st.floats(-1, 1),
}  # fmt: skip
TAGS = {
    "LO": [0x00081030, 0x00080080, 0x00181030, 0x00181000, 0x00081090, 0x00091001],
    "PN": [0x00080090, 0x00101001, 0x0040A123],
    "SH": [0x00080050, 0x00200010, 0x00081010, 0x00080100],
    "LT": [0x00204000, 0x00104000],
    "UI": [0x00080014, 0x0020000E, 0x00081155, 0x00081150, 0x00200052],
    "DA": [0x00080020, 0x00080021, 0x00080023, 0x00100030],
    "DT": [0x0008002A, 0x0040A120],
    "TM": [0x00080030, 0x00080031],
    "US": [0x00280010, 0x00280103],
    "DS": [0x00180050, 0x00101030],
    "OB": [0x00420011, 0x00282000],
    "SS": [0x00280120],
    "FD": [0x00189073],
}
SEQUENCES = [0x00081140, 0x00082218, 0x00400555, 0x00400275, 0x0040A730, 0x00081084, 0x00091002]


@st.composite
def flat(draw: st.DrawFn) -> Dataset:
    dataset = Dataset()
    for vr in draw(st.lists(st.sampled_from(sorted(BY_VR)), max_size=8)):
        dataset.add_new(draw(st.sampled_from(TAGS[vr])), vr, draw(BY_VR[vr]))
    return dataset


@st.composite
def trees(draw: st.DrawFn, deeper: st.SearchStrategy[Dataset]) -> Dataset:
    dataset = draw(flat())
    for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2)):
        dataset.add_new(tag, "SQ", draw(st.lists(deeper, max_size=2)))
        dataset[tag].is_undefined_length = draw(st.booleans())
    return dataset


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    dataset = draw(st.recursive(flat(), trees, max_leaves=6))
    syntax = draw(st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]))
    charset = draw(st.sampled_from([None, "ISO_IR 100", "ISO_IR 192"]))
    if charset:
        dataset.SpecificCharacterSet = charset
    dataset.SOPClassUID = draw(st.sampled_from(["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.3.4"]))
    dataset.SOPInstanceUID, dataset.StudyInstanceUID = "1.2.826.0.1.77", "1.2.826.0.1.78"
    dataset.PatientID = draw(st.sampled_from(["", "MRN1", "Müller"]))
    dataset.PixelData = bytes(draw(st.sampled_from([2, 70_000])))
    dataset["PixelData"].VR = "OW"
    file = FileDataset("", dataset, preamble=bytes(128), file_meta=pydicom.dataset.FileMetaDataset())
    file.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@settings(max_examples=60, deadline=None)
@given(objects(), st.sampled_from(PLANS))
@pytest.mark.filterwarnings("ignore")
def test_on_generated_objects_both_ways_agree(data: bytes, plan: DeidPlan) -> None:
    quick, plain = fast(data, plan), plainly(data, plan)
    if quick is not None and plain is not None:
        assert quick[0] == plain[0]
        assert quick[1] == plain[1]


@settings(max_examples=60, deadline=None)
@given(objects(), st.data())
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_held_or_cleaned_and_break_nothing(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(128, min(len(data), 4000) - 1))
    damaged = data[:at] + bytes([draw.draw(st.integers(0, 255))]) + data[at + 1 :]
    with TemporaryDirectory() as name:
        (Path(name) / "damaged").write_bytes(damaged)
        result = clean_file(Path(name) / "damaged", Path(name), PLANS[0])
        assert isinstance(result, CleanFile | HeldFile)
        assert list(Path(name).glob("*.part")) == []


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_lead_the_scanner_astray(data: bytes, explicit: bool) -> None:
    try:
        found = pieces(data, 0, explicit)
    except OddEncodingError:
        return
    assert [piece.start for piece in found] == [0, *(piece.end for piece in found)][: len(found)]
    assert not found or found[-1].end == len(data)


def test_the_memory_is_bounded() -> None:
    kept: Kept[int, int] = Kept(3)
    assert [kept.get(key, (key * 2).__int__) for key in (1, 2, 3, 1, 4, 1)] == [2, 4, 6, 2, 8, 2]
    assert kept.get(2, lambda: 99) == 99  # forgotten, as the longest unused
    assert kept.get(1, lambda: 99) == 2


def test_endless_variety_takes_no_more_memory() -> None:
    memory = Memory(PLANS[0], patient("MRN1", "1.2.3", KEYS), "1.2.840.10008.5.1.4.1.1.2", b"", explicit=True)
    for number in range(200):
        raw = b"\x20\x00\x00\x40LT\x60\xea" + f"{number:060000}".encode()
        memory.settle(Piece(0x00204000, "LT", 0, 8, len(raw)), raw)
    assert 1 <= len(memory.settled) <= MOST_BYTES // 60_000


SCRIPT = Script.parse('version "6.3"\n(0008,103E) := session\n- (0018,1030)\n(0008,0080) := project\n', "site")


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm", "emri_small.dcm"])
def test_scripts_and_white_list_give_the_same_either_way(name: str, tmp_path: Path) -> None:
    listed = Whitelist.read("SeriesDescription\nInstitutionName\nStudyDate\nSpecificCharacterSet\n")
    plan = replace(PLANS[0], scripts=(SCRIPT,), whitelist=listed, project="P1")
    path = Path(str(get_testdata_file(name)))
    clean = clean_file(path, tmp_path, plan)
    assert isinstance(clean, CleanFile)
    plain = files._plain(path.read_bytes(), plan)
    assert pydicom.dcmread(clean.path) == pydicom.dcmread(BytesIO(b"".join(plain.parts)))
    assert clean.changes == plain.changes
    assert pydicom.dcmread(clean.path).SeriesDescription == clean.study


def test_a_script_that_refuses_an_object_holds_it(tmp_path: Path) -> None:
    script = Script.parse('version "6.6"\nreject[true[], "no MR here"]\n', "project")
    result = clean_file(Path(str(get_testdata_file("MR_small.dcm"))), tmp_path, replace(PLANS[0], scripts=(script,)))
    assert isinstance(result, HeldFile)
    assert result.reason is HoldReason.SCRIPT_REJECTED
    assert list(tmp_path.iterdir()) == []
