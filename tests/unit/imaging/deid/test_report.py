"""The report says what was done and by which rule; it never holds a value."""

import json
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset, FileDataset
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from trust_node.imaging.deid import (
    Change,
    CleanFile,
    DeidKeys,
    DeidPlan,
    DeidPolicy,
    HeldFile,
    HoldReason,
    Option,
    clean_file,
    clean_files,
    merged,
    plan,
)
from trust_node.imaging.deid.planning import NOTHING_ASKED
from trust_node.imaging.deid.rules import Profile

CT = Path(str(get_testdata_file("CT_small.dcm")))


def slices(folder: Path, count: int) -> list[Path]:
    """Write slices of one series that differ in instance and place only."""
    image = pydicom.dcmread(CT)
    paths = []
    for number in range(count):
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.77.{number}"
        image.InstanceNumber, image.SliceLocation = number + 1, float(number)
        paths.append(folder / f"{number}.dcm")
        image.save_as(paths[-1])
    return paths


def test_slices_of_a_series_share_one_report(tmp_path: Path, keys: DeidKeys) -> None:
    results = clean_files(slices(tmp_path, 5), tmp_path, keys)
    reports = {id(result.changes) for result in results if isinstance(result, CleanFile)}
    assert len(results) == 5
    assert len(reports) == 1


def test_a_study_is_reported_by_change_and_number_of_images(tmp_path: Path, keys: DeidKeys) -> None:
    settled = DeidPlan(keys)
    held = HeldFile(tmp_path / "x.dcm", HoldReason.SCREEN_SAVE)
    report = merged([*clean_files(slices(tmp_path, 3), tmp_path, settled), held], settled)
    assert report.files == 3
    assert report.held == {"screen_save": 1}
    assert report.changes[Change("(0010,0020)", "replace", "pseudonym")] == 3
    assert report.changes[Change("(0008,0020)", "shift", "retain_modified_dates")] == 3
    assert report.changes[Change("(0020,000D)", "remap", "basic U")] == 3


def test_the_json_names_plan_codes_and_scripts_and_no_value_of_the_patient(
    mr_with_phi: FileDataset, save: Callable[[FileDataset], Path], tmp_path: Path, keys: DeidKeys
) -> None:
    (tmp_path / "site.das").write_text('version "6.3"\n(0008,103E) := "x"\n')
    settled = plan(DeidPolicy(script_file=tmp_path / "site.das"), NOTHING_ASKED, keys)
    result = clean_file(save(mr_with_phi), tmp_path, settled)
    text = merged([result], settled).to_json()
    told = json.loads(text)
    assert told["plan"] == settled.digest
    assert told["codes"] == ["113100", "113107"]
    assert told["scripts"] == {"site": settled.scripts[0].digest}
    assert told["images"] == 1
    assert {"path": "(0008,103E)", "action": "assign", "rule": "site:2", "images": 1} in told["changes"]
    for secret in (b"Canary", b"0815", b"778899", b"19660606"):
        assert secret not in text


def test_a_leak_names_the_places_only(
    mr_with_phi: FileDataset, save: Callable[[FileDataset], Path], tmp_path: Path, keys: DeidKeys
) -> None:
    mr_with_phi.Manufacturer = "Made for MRN0815-4711"
    result = clean_file(save(mr_with_phi), tmp_path, keys)
    assert result == HeldFile(tmp_path / "original.dcm", HoldReason.LEAK, ("Manufacturer",))


def test_a_leak_in_one_slice_is_found_though_all_before_were_clean(tmp_path: Path, keys: DeidKeys) -> None:
    paths = slices(tmp_path, 4)
    image = pydicom.dcmread(paths[2])
    image.ManufacturerModelName = f"seen as {image.SOPInstanceUID}"
    image.save_as(paths[2])
    image = pydicom.dcmread(paths[3])
    image.Manufacturer = f"for {image.PatientID}"
    image.save_as(paths[3])
    kinds = [type(result) for result in clean_files(paths, tmp_path, keys)]
    assert kinds == [CleanFile, CleanFile, HeldFile, HeldFile]


def test_a_slice_that_differs_in_one_text_is_cleaned_on_its_own(tmp_path: Path, keys: DeidKeys) -> None:
    paths = slices(tmp_path, 3)
    image = pydicom.dcmread(paths[1])
    image.SeriesDescription = "Thorax of Canaryson"
    image.save_as(paths[1])
    settled = DeidPlan(keys, Profile(frozenset({Option.CLEAN_DESCRIPTORS})))
    results = [pydicom.dcmread(r.path) for r in clean_files(paths, tmp_path, settled) if isinstance(r, CleanFile)]
    assert results[1].SeriesDescription == "Thorax of"
    assert len({result.SOPInstanceUID for result in results}) == 3
    assert [result.InstanceNumber for result in results] == [1, 2, 3]


@pytest.mark.parametrize("uid", ["../../etc/passwd", "Canaryson", ".." * 3 + "/x"])
def test_a_kept_uid_that_is_none_names_no_file(uid: str, tmp_path: Path, keys: DeidKeys) -> None:
    image = pydicom.dcmread(CT)
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid
    image.save_as(tmp_path / "original.dcm")
    (tmp_path / "clean").mkdir()
    settled = DeidPlan(keys, Profile(frozenset({Option.RETAIN_UIDS})))
    result = clean_file(tmp_path / "original.dcm", tmp_path / "clean", settled)
    assert isinstance(result, CleanFile)
    assert result.path == tmp_path / "clean" / f"{keys.uid(uid)}.dcm"


def test_references_between_files_hold_whichever_way_each_of_them_went(tmp_path: Path, keys: DeidKeys) -> None:
    referring = pydicom.dcmread(str(get_testdata_file("MR_small_bigendian.dcm")))
    reference, image = Dataset(), pydicom.dcmread(CT)
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    referring.ReferencedImageSequence, referring.PatientID = [reference], image.PatientID
    referring.FrameOfReferenceUID, referring.StudyDate = image.FrameOfReferenceUID, image.StudyDate
    referring.save_as(tmp_path / "referring.dcm")
    results = clean_files([CT, tmp_path / "referring.dcm"], tmp_path, keys)
    first, second = (pydicom.dcmread(result.path) for result in results if isinstance(result, CleanFile))
    assert second.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID != image.SOPInstanceUID
    assert second.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert (second.PatientID, second.StudyDate) == (first.PatientID, first.StudyDate)
    assert first.StudyDate != image.StudyDate


def test_words_of_the_patient_in_a_long_text_or_beside_compressed_pixels_are_found(
    tmp_path: Path, keys: DeidKeys
) -> None:
    long, compressed = pydicom.dcmread(CT), pydicom.dcmread(str(get_testdata_file("MR_small_jp2klossless.dcm")))
    long.PatientID = compressed.PatientID = "MRN0815-4711"
    long.PrivateDataElementDescription = " " * 70_000 + long.PatientID
    comment = b"\xff\x64\x00\x12\x00\x01MRN0815-4711  "
    frame = next(generate_frames(compressed.PixelData, number_of_frames=1))
    compressed.PixelData = encapsulate([frame[:2] + comment + frame[2:]])
    for number, image in enumerate((long, compressed)):
        image.save_as(tmp_path / f"{number}.dcm")
    results = clean_files([tmp_path / "0.dcm", tmp_path / "1.dcm"], tmp_path, keys)
    assert [result.reason for result in results if isinstance(result, HeldFile)] == [HoldReason.LEAK] * 2
