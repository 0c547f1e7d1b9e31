"""What stands behind both ways of converting: counts, spacing, limits, the converter's own words."""

import gzip
import struct
import sys
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom import FileDataset
from pydicom.data import get_testdata_file

from tests.unit.imaging.conversion.series_of import AXIAL, SAGITTAL, lay_out
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion import ConversionError, Dcm2niix
from trust_node.imaging.conversion.converter import OURS, convert_series
from trust_node.imaging.conversion.dcm2niix import WARNINGS, warnings_in
from trust_node.imaging.conversion.outcome import voxels_of
from trust_node.imaging.conversion.series import Images, count_images, read_series
from trust_node.imaging.conversion.spacing import check_spacing


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "nifti").mkdir()
    return tmp_path / "nifti"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A series that is not plain: dcm2niix's."""
    return lay_out(tmp_path / "dicom", slices=3, change=derived)


def derived(image: FileDataset, _: int) -> None:
    image.ImageType = ["DERIVED", "SECONDARY"]


def script(tmp_path: Path, text: str, timeout_s: float = 5) -> Dcm2niix:
    binary = tmp_path / "dcm2niix"
    binary.write_text(f"#!/bin/sh\n{text}\n")
    binary.chmod(0o755)
    return Dcm2niix(str(binary), timeout_s)


def images_in(folder: Path) -> Images:
    return count_images(read_series(folder))


def test_the_converter_is_the_package_s_and_not_one_of_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert Dcm2niix.pinned().binary.startswith(sys.prefix)


def test_a_converter_that_is_missing_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match="install"):
        Dcm2niix.pinned()


async def test_as_many_slices_come_out_as_went_in(odd: Path, target: Path) -> None:
    conversion = await convert_series(Dcm2niix.pinned(), odd, target, "input_S1_1")
    assert (conversion.slices_in, conversion.slices_out) == (3, 3)
    assert [file.name for file in conversion.files] == ["input_S1_1.json", "input_S1_1.nii.gz"]
    assert conversion.converter.startswith("dcm2niix v1.")


async def test_a_plain_series_needs_no_dcm2niix(tmp_path: Path, target: Path) -> None:
    series = lay_out(tmp_path / "dicom")
    conversion = await convert_series(script(tmp_path, "exit 1"), series, target, "input_S1_1")
    assert (conversion.slices_in, conversion.slices_out, conversion.converter) == (6, 6, OURS)
    assert [file.name for file in conversion.files] == ["input_S1_1.json", "input_S1_1.nii.gz"]


async def test_a_turned_sagittal_volume_keeps_all_its_slices(tmp_path: Path, target: Path) -> None:
    def in_3d(image: FileDataset, number: int) -> None:
        derived(image, number)
        image.MRAcquisitionType = "3D"

    series = lay_out(tmp_path / "dicom", slices=3, orientation=SAGITTAL, change=in_3d)
    conversion = await convert_series(Dcm2niix.pinned(), series, target, "input_1")
    assert nibabel.load(conversion.files[1]).shape == (3, 64, 64)
    assert conversion.slices_out == 3


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6), (4, 5, 6, 7)])
def test_voxels_are_read_from_the_header(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "image.nii.gz"
    nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)).to_filename(path)
    assert voxels_of(path) == np.prod(shape)


async def test_a_slice_that_the_converter_drops_is_noticed(odd: Path, target: Path, tmp_path: Path) -> None:
    short = target / "input_1.nii.gz"
    header = struct.pack("<i", 348).ljust(40, b"\0") + struct.pack("<8h", 3, 64, 64, 2, 1, 1, 1, 1)
    short.write_bytes(gzip.compress(header.ljust(348, b"\0")))
    with pytest.raises(ConversionError) as lost:
        await convert_series(script(tmp_path, "exit 0"), odd, target, "input_1")
    assert lost.value.code is FailureCode.SLICES_LOST


async def test_the_converters_exit_status_is_told(odd: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="exits 8") as failed:
        await convert_series(script(tmp_path, "exit 8"), odd, target, "input_1")
    assert (failed.value.code, failed.value.exit_status) == (FailureCode.CONVERSION_FAILED, 8)


async def test_a_converter_that_hangs_is_ended(odd: Path, target: Path, tmp_path: Path) -> None:
    hanging = script(tmp_path, "exec sleep 60", timeout_s=0.2)
    with pytest.raises(ConversionError) as late:
        await convert_series(hanging, odd, target, "input_1")
    assert late.value.code is FailureCode.CONVERSION_TIMED_OUT
    assert late.value.code.retryable


async def test_a_converter_that_talks_without_end_is_read_and_ended(odd: Path, target: Path, tmp_path: Path) -> None:
    talking = script(tmp_path, "exec yes Warning: again", timeout_s=0.5)
    with pytest.raises(ConversionError) as late:
        await convert_series(talking, odd, target, "input_1")
    assert late.value.code is FailureCode.CONVERSION_TIMED_OUT


def test_warnings_are_kept_once_each_and_bounded() -> None:
    said = "Chris Rorden's dcm2niiX\nWarning: uneven\nWarning: uneven\n" + "\n".join(
        f"Warning: {n} " + "x" * 1000 for n in range(WARNINGS * 2)
    )
    kept = warnings_in(said)
    assert kept[0] == "Warning: uneven"
    assert (len(kept), max(map(len, kept))) == (WARNINGS, 300)


async def test_what_dcm2niix_warns_of_is_in_the_outcome(odd: Path, target: Path, tmp_path: Path) -> None:
    binary = Dcm2niix.pinned().binary
    warning = script(tmp_path, f'echo "Warning: made up"\nexec {binary} "$@"')
    conversion = await convert_series(warning, odd, target, "input_1")
    assert "Warning: made up" in conversion.warnings


async def test_a_scan_without_images_needs_no_converter(odd: Path, target: Path, tmp_path: Path) -> None:
    for file in odd.iterdir():
        image = pydicom.dcmread(file)
        del image.Rows
        image.save_as(file)
    conversion = await convert_series(script(tmp_path, "exit 1"), odd, target, "input_1")
    assert (conversion.files, conversion.slices_in) == ((), 0)


def test_frames_of_one_file_are_counted(tmp_path: Path) -> None:
    image = pydicom.dcmread(get_testdata_file("rtdose.dcm"))
    image.save_as(tmp_path / "dose.dcm")
    assert image.NumberOfFrames > 1
    assert images_in(tmp_path) == Images(image.NumberOfFrames, image.pixel_array.size)


def test_a_mosaic_is_refused(odd: Path) -> None:
    image = pydicom.dcmread(odd / "000.dcm")
    image.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    image.save_as(odd / "000.dcm")
    with pytest.raises(ConversionError):
        images_in(odd)


async def test_a_gap_in_the_stack_is_a_failure_with_a_name(tmp_path: Path, target: Path) -> None:
    series = lay_out(tmp_path / "dicom", slices=8)
    (series / "004.dcm").unlink()
    with pytest.raises(ConversionError) as irregular:
        await convert_series(Dcm2niix.pinned(), series, target, "input_1")
    assert irregular.value.code is FailureCode.SPACING_IRREGULAR
    assert not irregular.value.code.retryable
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("gone", [1, 2, 5, 6])
def test_each_missing_slice_inside_is_seen(gone: int, tmp_path: Path) -> None:
    series = lay_out(tmp_path / "dicom", slices=8, orientation=SAGITTAL)
    (series / f"{gone:03}.dcm").unlink()
    with pytest.raises(ConversionError):
        check_spacing(read_series(series))


def rounded(image: FileDataset, number: int) -> None:
    image.ImagePositionPatient = [0, 0, round(0.625 * number, 1)]


def two_echoes(image: FileDataset, number: int) -> None:
    image.ImagePositionPatient = [0, 0, number // 2 * 3.0]


def scout(image: FileDataset, number: int) -> None:
    image.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    image.ImagePositionPatient = [0, 0, (0, 5, 60)[number % 3]]


def three_planes(image: FileDataset, number: int) -> None:
    image.ImageOrientationPatient = list((AXIAL, SAGITTAL)[number % 2])
    image.ImagePositionPatient = [number * 7, 0, (0, 5, 60)[number % 3]]


def without_place(image: FileDataset, _: int) -> None:
    del image.ImagePositionPatient


@pytest.mark.parametrize("change", [rounded, two_echoes, scout, three_planes, without_place])
def test_what_only_looks_uneven_passes(change, tmp_path: Path) -> None:
    check_spacing(read_series(lay_out(tmp_path / "dicom", slices=8, change=change)))
