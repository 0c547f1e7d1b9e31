import gzip
import shutil
import struct
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.nifti import ConversionError, Dcm2niix, Images, count_images, voxels_of

needs_dcm2niix = pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="dcm2niix is not installed")


@pytest.fixture
def series(tmp_path: Path) -> Path:
    folder = tmp_path / "dicom"
    folder.mkdir()
    series = generate_uid()
    for number in range(3):
        image = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        image.SeriesInstanceUID, image.SOPInstanceUID = series, generate_uid()
        image.InstanceNumber, image.ImagePositionPatient = number + 1, [0, 0, 0.8 * number]
        image.save_as(folder / f"{number}.dcm")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "nifti").mkdir()
    return tmp_path / "nifti"


def converter(tmp_path: Path, script: str, timeout_s: float = 5) -> Dcm2niix:
    binary = tmp_path / "dcm2niix"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    return Dcm2niix(str(binary), timeout_s)


@needs_dcm2niix
async def test_as_many_slices_come_out_as_went_in(series: Path, target: Path) -> None:
    conversion = await Dcm2niix.on_path().convert(series, target, "input_S1_1")
    assert (conversion.slices_in, conversion.slices_out) == (3, 3)
    assert [file.name for file in conversion.files] == ["input_S1_1.json", "input_S1_1.nii.gz"]


@needs_dcm2niix
async def test_a_sagittal_volume_keeps_all_slices_though_the_converter_turns_it(series: Path, target: Path) -> None:
    for file in series.iterdir():
        image = pydicom.dcmread(file)
        image.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        image.ImagePositionPatient = [image.InstanceNumber * 0.8, 0, 0]
        image.save_as(file)
    conversion = await Dcm2niix.on_path().convert(series, target, "input_1")
    assert nibabel.load(conversion.files[1]).shape != (64, 64, 3)
    assert conversion.slices_out == 3


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6), (4, 5, 6, 7)])
def test_voxels_are_read_from_the_header(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "image.nii.gz"
    nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)).to_filename(path)
    assert voxels_of(path) == np.prod(shape)


async def test_a_slice_that_the_converter_drops_is_noticed(series: Path, target: Path, tmp_path: Path) -> None:
    short = target / "input_1.nii.gz"
    header = struct.pack("<i", 348).ljust(40, b"\0") + struct.pack("<8h", 3, 64, 64, 2, 1, 1, 1, 1)
    short.write_bytes(gzip.compress(header.ljust(348, b"\0")))
    with pytest.raises(ConversionError) as lost:
        await converter(tmp_path, "exit 0").convert(series, target, "input_1")
    assert lost.value.code is FailureCode.SLICES_LOST


async def test_the_converters_exit_status_is_told(series: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="exits 8") as failed:
        await converter(tmp_path, "exit 8").convert(series, target, "input_1")
    assert (failed.value.code, failed.value.exit_status) == (FailureCode.CONVERSION_FAILED, 8)


async def test_a_converter_that_hangs_is_ended(series: Path, target: Path, tmp_path: Path) -> None:
    hanging = converter(tmp_path, "exec sleep 60", timeout_s=0.2)
    with pytest.raises(ConversionError) as late:
        await hanging.convert(series, target, "input_1")
    assert late.value.code is FailureCode.CONVERSION_TIMED_OUT
    assert late.value.code.retryable


async def test_a_scan_without_images_needs_no_converter(series: Path, target: Path, tmp_path: Path) -> None:
    for file in series.iterdir():
        image = pydicom.dcmread(file)
        del image.Rows
        image.save_as(file)
    conversion = await converter(tmp_path, "exit 1").convert(series, target, "input_1")
    assert (conversion.files, conversion.slices_in) == ((), 0)


def test_frames_of_one_file_are_counted(tmp_path: Path) -> None:
    image = pydicom.dcmread(get_testdata_file("rtdose.dcm"))
    image.save_as(tmp_path / "dose.dcm")
    assert image.NumberOfFrames > 1
    assert count_images(tmp_path) == Images(image.NumberOfFrames, image.pixel_array.size)


def test_a_mosaic_is_refused(series: Path) -> None:
    image = pydicom.dcmread(series / "0.dcm")
    image.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    image.save_as(series / "0.dcm")
    with pytest.raises(ConversionError):
        count_images(series)
