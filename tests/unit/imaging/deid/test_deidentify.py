from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, FileDataset
from pydicom.data import get_testdata_file

from trust_node.imaging.deid import CleanFile, DeidKeys, Held, HeldFile, HoldReason, clean_file, deidentify
from trust_node.imaging.deid.screen import screen
from trust_node.imaging.deid.signing import IMPLEMENTATION_UID

CANARIES = [b"anaryson", b"MRN0815", b"19660606", b"ACC778899", b"5566", b"anary", b"ANARY", b"Finchley", b"680043.77"]
KEYS = DeidKeys(bytes(range(32)))


def encoded(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def elements(dataset: Dataset) -> Iterator[DataElement]:
    for element in dataset:
        yield element
        for item in element.value if element.VR == "SQ" else ():
            yield from elements(item)


def test_no_planted_word_is_left_in_any_byte(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    assert all(canary in encoded(mr_with_phi) for canary in CANARIES)
    result = encoded(deidentify(mr_with_phi, keys).dataset)
    assert [canary for canary in CANARIES if canary in result] == []


def test_no_original_uid_is_left_and_references_stay_consistent(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    result = deidentify(mr_with_phi, keys).dataset
    assert mr_with_phi.SOPInstanceUID.encode() not in encoded(result)
    reference = result.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == keys.uid("1.2.826.0.1.3680043.77")
    assert reference.ReferencedSOPClassUID == mr_with_phi.SOPClassUID
    assert result.SOPClassUID == mr_with_phi.SOPClassUID


def test_private_elements_curves_and_overlays_are_gone_at_every_depth(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    groups = {element.tag.group for element in elements(deidentify(mr_with_phi, keys).dataset)}
    assert [group for group in groups if group % 2 or group & 0xFF00 in (0x5000, 0x6000)] == []


def test_pixels_and_geometry_stay_as_they_are(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    result = deidentify(mr_with_phi, keys).dataset
    for keyword in (
        "PixelData", "Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
        "SeriesNumber", "InstanceNumber", "EchoTime", "RepetitionTime", "StudyTime",
    ):  # fmt: skip
        assert result[keyword].value == mr_with_phi[keyword].value


def test_the_original_is_left_untouched(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    before = encoded(mr_with_phi)
    deidentify(mr_with_phi, keys)
    assert encoded(mr_with_phi) == before


def test_the_patient_goes_by_a_pseudonym_and_the_object_says_how_it_was_made(
    mr_with_phi: FileDataset, keys: DeidKeys
) -> None:
    result = deidentify(mr_with_phi, keys)
    dataset = result.dataset
    assert dataset.PatientID == str(dataset.PatientName) == result.subject == keys.subject("MRN0815-4711")
    assert result.study == keys.study(mr_with_phi.StudyInstanceUID)
    assert dataset.AccessionNumber == dataset.PatientBirthDate == ""
    assert dataset.PatientIdentityRemoved == "YES"
    assert [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence] == ["113100", "113107"]
    assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"


def test_file_meta_is_ours_and_agrees_with_the_object(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    dataset = pydicom.dcmread(BytesIO(encoded(deidentify(mr_with_phi, keys).dataset)))
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.file_meta.ImplementationClassUID == IMPLEMENTATION_UID
    assert dataset.file_meta.TransferSyntaxUID == mr_with_phi.file_meta.TransferSyntaxUID
    assert "SourceApplicationEntityTitle" not in dataset.file_meta
    assert dataset.preamble == b"\0" * 128


def test_all_dates_of_a_patient_move_by_one_amount_at_every_depth(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    from datetime import date, timedelta

    result = deidentify(mr_with_phi, keys).dataset
    shift = timedelta(days=keys.shift_days("MRN0815-4711"))
    nested = result.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0]
    assert result.StudyDate == f"{date(2004, 8, 26) - shift:%Y%m%d}"
    assert nested.ContentDate == f"{date(2020, 3, 5) - shift:%Y%m%d}"
    assert nested.PatientBirthDate == ""


def test_an_optional_attribute_goes_where_the_iod_is_known_and_else_gets_a_dummy(
    mr_with_phi: FileDataset, keys: DeidKeys
) -> None:
    assert "DeviceSerialNumber" not in deidentify(mr_with_phi, keys).dataset
    mr_with_phi.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"  # Enhanced MR requires it
    assert deidentify(mr_with_phi, keys).dataset.DeviceSerialNumber == "ANONYMIZED"


def test_an_attribute_that_no_dictionary_knows_goes(mr: FileDataset, keys: DeidKeys) -> None:
    mr.add_new(0x00189999, "LO", "Canaryson")
    assert 0x00189999 not in deidentify(mr, keys).dataset


def test_without_a_patient_id_the_study_decides_the_pseudonym(mr: FileDataset, keys: DeidKeys) -> None:
    mr.PatientID = ""
    assert deidentify(mr, keys).subject == keys.subject(mr.StudyInstanceUID)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SOPClassUID": ""}, HoldReason.NO_SOP_CLASS),
        ({"StudyInstanceUID": ""}, HoldReason.NO_IDENTITY),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, HoldReason.SECONDARY_CAPTURE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}, HoldReason.SECONDARY_CAPTURE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33"}, HoldReason.STRUCTURED_REPORT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, HoldReason.ENCAPSULATED_DOCUMENT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1"}, HoldReason.PRESENTATION_STATE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}, HoldReason.RAW_DATA),
        ({"BurnedInAnnotation": "YES"}, HoldReason.BURNED_IN_ANNOTATION),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, HoldReason.SCREEN_SAVE),
    ],
)
def test_what_needs_a_person_is_held(mr: FileDataset, changes: dict[str, str], reason: HoldReason) -> None:
    for keyword, value in changes.items():
        setattr(mr, keyword, value)
    with pytest.raises(Held) as held:
        screen(mr)
    assert held.value.reason is reason


def test_an_overlay_in_unused_pixel_bits_is_held(mr: FileDataset) -> None:
    mr.add_new(0x60020010, "US", 64)
    with pytest.raises(Held, match="overlay_in_pixels"):
        screen(mr)


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.66.4"])
def test_images_and_segmentations_pass(mr: FileDataset, sop_class: str) -> None:
    mr.SOPClassUID = sop_class
    screen(mr)


def test_an_object_that_does_not_say_its_encoding_is_held(mr: FileDataset, keys: DeidKeys) -> None:
    del mr.file_meta.TransferSyntaxUID
    with pytest.raises(Held, match="no_transfer_syntax"):
        deidentify(mr, keys)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_RLE.dcm",
        "rtdose_rle.dcm",
    ],
)
def test_every_encoding_is_written_as_it_was_read(name: str, tmp_path: Path, keys: DeidKeys) -> None:
    path = Path(get_testdata_file(name))
    original = pydicom.dcmread(path)
    result = clean_file(path, tmp_path, keys)
    assert isinstance(result, CleanFile)
    written = pydicom.dcmread(result.path)
    assert written.PixelData == original.PixelData
    assert written.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
    assert written.Rows == original.Rows


def test_a_file_is_written_under_its_new_uid_only(
    mr_with_phi: FileDataset, save: Callable[[FileDataset], Path], tmp_path: Path, keys: DeidKeys
) -> None:
    (tmp_path / "clean").mkdir()
    result = clean_file(save(mr_with_phi), tmp_path / "clean", keys)
    assert isinstance(result, CleanFile)
    assert result.path.name == f"{keys.uid(mr_with_phi.SOPInstanceUID)}.dcm"
    assert list((tmp_path / "clean").iterdir()) == [result.path]


def test_a_file_that_is_no_dicom_is_held_and_nothing_of_it_is_told(tmp_path: Path, keys: DeidKeys) -> None:
    path = tmp_path / "broken.dcm"
    path.write_bytes(b"Canaryson " * 100)
    assert clean_file(path, tmp_path, keys) == HeldFile(path, HoldReason.UNREADABLE)


def test_a_cut_file_is_held_or_cleaned_but_never_raises(
    mr_with_phi: FileDataset, tmp_path: Path, keys: DeidKeys
) -> None:
    whole = encoded(mr_with_phi)
    for length in range(140, 3000, 37):
        path = tmp_path / "cut.dcm"
        path.write_bytes(whole[:length])
        result = clean_file(path, tmp_path, keys)
        if isinstance(result, CleanFile):
            assert [canary for canary in CANARIES if canary in result.path.read_bytes()] == []


def nested(children: st.SearchStrategy[Dataset]) -> st.SearchStrategy[Dataset]:
    def wrap(items: list[Dataset]) -> Dataset:
        dataset = Dataset()
        dataset.AnatomicRegionSequence = items
        return dataset

    return st.lists(children, max_size=3).map(wrap)


@st.composite
def leaf(draw: st.DrawFn) -> Dataset:
    dataset = Dataset()
    word = draw(st.sampled_from(["Canaryson", "Canaryson^Jane"]))
    for keyword in draw(st.lists(st.sampled_from(["PatientName", "OperatorsName", "ImageComments", "StationName"]))):
        setattr(dataset, keyword, word)
    dataset.private_block(draw(st.sampled_from([0x0009, 0x0011, 0x7FE1])), "CANARY", create=True).add_new(1, "LO", word)
    dataset.ReferencedSOPInstanceUID = "1.2.826.0.1.3680043.77"
    return dataset


@settings(max_examples=40, deadline=None)
@given(st.recursive(leaf(), nested, max_leaves=8))
def test_however_deep_it_lies_no_planted_word_or_uid_survives(tree: Dataset) -> None:
    mr = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    mr.AnatomicRegionSequence = [tree]
    result = deidentify(mr, KEYS).dataset
    assert b"Canaryson" not in encoded(result)
    assert b"3680043.77" not in encoded(result)
    mapped = [e.value for e in elements(result) if e.keyword == "ReferencedSOPInstanceUID"]
    assert set(mapped) <= {KEYS.uid("1.2.826.0.1.3680043.77")}
