"""Where the quick way is taken it agrees with dcm2niix, voxel by voxel; where it might not, it is not taken."""

import gzip
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import FileDataset
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.unit.imaging.conversion.series_of import AXIAL, CORONAL, SAGITTAL, lay_out
from trust_node.imaging.conversion import Dcm2niix
from trust_node.imaging.conversion.plain import Volume, as_volume
from trust_node.imaging.conversion.series import read_series
from trust_node.imaging.conversion.writing import PIECE_BYTES, write_nifti

CLOSE = 2e-6


def by_dcm2niix(series: Path, target: Path) -> nibabel.Nifti1Image:
    target.mkdir(exist_ok=True)
    options = ["-b", "n", "-z", "n", "-w", "1", "-f", "theirs", "-o", str(target), str(series)]
    subprocess.run([Dcm2niix.pinned().binary, *options], check=True, capture_output=True)
    (file,) = target.glob("theirs*.nii")
    return nibabel.load(file)


def ours(series: Path, target: Path) -> nibabel.Nifti1Image:
    volume = as_volume(read_series(series))
    assert volume is not None
    write_nifti(volume, target / "ours.nii.gz")
    return nibabel.load(target / "ours.nii.gz")


def agree(series: Path, target: Path) -> bool:
    theirs, made = by_dcm2niix(series, target), ours(series, target)
    assert made.shape == theirs.shape
    assert made.get_data_dtype() == theirs.get_data_dtype()
    assert np.array_equal(np.asanyarray(made.dataobj), np.asanyarray(theirs.dataobj))
    assert (made.dataobj.slope, made.dataobj.inter) == (theirs.dataobj.slope, theirs.dataobj.inter)
    assert np.allclose(made.affine, theirs.affine, rtol=CLOSE, atol=CLOSE * np.abs(theirs.affine).max())
    return True


def turned(a: float, b: float) -> list[float]:
    """Direction cosines of an axial plane, turned about the body's axis and tilted."""
    sin_a, cos_a, sin_b, cos_b = np.sin(a), np.cos(a), np.sin(b), np.cos(b)
    return [cos_a, sin_a, 0, -sin_a * cos_b, cos_a * cos_b, sin_b]


def in_3d(image: FileDataset, _: int) -> None:
    image.MRAcquisitionType = "3D"


def in_2d(image: FileDataset, _: int) -> None:
    image.MRAcquisitionType = "2D"


def shuffled(image: FileDataset, number: int) -> None:
    image.InstanceNumber = (number * 5) % 6 + 1


def unsigned(top: int):
    def change(image: FileDataset, number: int) -> None:
        values = np.random.default_rng(number).integers(0, top, (image.Rows, image.Columns))
        image.PixelRepresentation, image.BitsStored, image.HighBit = 0, 16, 15
        image.PixelData = values.astype(np.uint16).tobytes()
        if "SmallestImagePixelValue" in image:
            del image.SmallestImagePixelValue, image.LargestImagePixelValue

    return change


def implicit(image: FileDataset, _: int) -> None:
    image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian


def explicit(image: FileDataset, _: int) -> None:
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def scaled(image: FileDataset, _: int) -> None:
    image.RescaleSlope, image.RescaleIntercept = 2, -1000


@pytest.mark.parametrize(
    "orientation", [AXIAL, SAGITTAL, CORONAL, turned(0.1, 0.2), turned(3.0, -0.4), (-1, 0, 0, 0, -1, 0)]
)
@pytest.mark.parametrize("change", [in_2d, in_3d])
@pytest.mark.parametrize("step", [1.5, -0.7])
def test_any_direction_of_an_mr(orientation, change, step: float, tmp_path: Path) -> None:
    assert agree(lay_out(tmp_path / "dicom", orientation=orientation, step=step, change=change), tmp_path)


def in_two_acquisitions(image: FileDataset, number: int) -> None:
    image.AcquisitionNumber = 1 + number // 4


def padded(image: FileDataset, _: int) -> None:
    values = image.pixel_array.copy()
    values[:4] = image.PixelPaddingValue = -2000
    image.PixelData = values.tobytes()


CODINGS = [unsigned(4000), unsigned(65536), shuffled, implicit, explicit, scaled, in_two_acquisitions, padded]


@pytest.mark.parametrize("change", CODINGS)
def test_any_coding_of_a_ct(change, tmp_path: Path) -> None:
    assert agree(lay_out(tmp_path / "dicom", modality="CT", change=change), tmp_path)


@pytest.mark.parametrize("change", [unsigned(4000), unsigned(65536), implicit, explicit, in_two_acquisitions])
def test_any_coding_of_an_mr(change, tmp_path: Path) -> None:
    assert agree(lay_out(tmp_path / "dicom", change=change), tmp_path)


@given(a=st.floats(-3.1, 3.1), b=st.floats(-1.5, 1.5), step=st.floats(0.3, 9).map(lambda mm: round(mm, 3)))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tilt(a: float, b: float, step: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tilt")
    assert agree(lay_out(folder / "dicom", slices=3, orientation=turned(a, b), step=step, change=in_2d), folder)


def changed(**values: object):
    def change(image: FileDataset, _: int) -> None:
        for keyword, value in values.items():
            setattr(image, keyword, value)

    return change


def one_differs(keyword: str, value: object):
    def change(image: FileDataset, number: int) -> None:
        if number == 2:
            setattr(image, keyword, value)

    return change


def tilted_gantry(image: FileDataset, number: int) -> None:
    image.ImagePositionPatient = [0, 0.3 * number, 1.5 * number]


def two_times(image: FileDataset, number: int) -> None:
    image.ImagePositionPatient = [0, 0, number // 2 * 1.5]


def uneven(image: FileDataset, number: int) -> None:
    image.ImagePositionPatient = [0, 0, 1.5 * number + (0.01 if number == 3 else 0)]


def diffusion(image: FileDataset, _: int) -> None:
    image.DiffusionBValue = 1000.0


def cut_short(image: FileDataset, number: int) -> None:
    if number == 1:
        image.PixelData = image.PixelData[:-2]


def beyond_stored_bits(image: FileDataset, number: int) -> None:
    unsigned(5000)(image, number)
    image.BitsStored, image.HighBit = 12, 11


@pytest.mark.parametrize(
    "change",
    [
        changed(ImageType=["DERIVED", "PRIMARY"]),
        changed(ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]),
        changed(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        changed(Manufacturer="Philips Medical Systems"),
        changed(RescaleSlope=2.0, RescaleIntercept=0),
        changed(NumberOfTemporalPositions=2),
        changed(PhotometricInterpretation="MONOCHROME1"),
        changed(Modality="PT"),
        changed(HighBit=14),
        one_differs("EchoTime", 99),
        one_differs("Columns", 63),
        one_differs("PixelSpacing", [0.4, 0.4]),
        one_differs("SeriesTime", "101500"),
        one_differs("ImageOrientationPatient", [1, 0, 0, 0, 0.99, 0.14]),
        changed(ImagePositionPatient=None),
        changed(PixelSpacing=[0.5]),
        tilted_gantry, two_times, uneven, diffusion, cut_short, beyond_stored_bits,
    ],
)  # fmt: skip
def test_what_is_odd_is_left_to_dcm2niix(change, tmp_path: Path) -> None:
    assert as_volume(read_series(lay_out(tmp_path / "plain"))) is not None
    assert as_volume(read_series(lay_out(tmp_path / "odd", change=change))) is None


@pytest.mark.parametrize("modality", ["CT"])
def test_a_tilted_gantry_is_left_to_dcm2niix(modality: str, tmp_path: Path) -> None:
    series = lay_out(tmp_path / "odd", modality=modality, change=changed(GantryDetectorTilt=12.5))
    assert as_volume(read_series(series)) is None


@pytest.mark.parametrize(
    "file", ["MR_small_RLE.dcm", "CT_small.dcm", "rtdose.dcm", "SC_rgb.dcm", "MR_small_bigendian.dcm"]
)
def test_one_image_alone_or_packed_or_coloured_is_left_to_dcm2niix(file: str, tmp_path: Path) -> None:
    image = pydicom.dcmread(get_testdata_file(file))
    for number in range(1 if file == "CT_small.dcm" else 3):
        image.InstanceNumber, image.ImagePositionPatient = number, [0, 0, number * 1.5]
        image.save_as(tmp_path / f"{number}.dcm")
    assert as_volume(read_series(tmp_path)) is None


EXACT = (PIECE_BYTES - 352) // 512
"""Planes of 16 times 16 that leave less than one of them in the first piece."""


@given(size=st.sampled_from([1, 1000, EXACT, EXACT + 1, EXACT * 2 + 7]))
@settings(max_examples=10, deadline=None)
def test_what_is_packed_in_pieces_reads_as_one(size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("packed") / "image.nii.gz"
    values = np.random.default_rng(size).integers(-5, 5, (size, 16, 16)).astype("<i2")
    write_nifti(Volume(values, np.eye(4), 1.0, 0.0), file)
    subprocess.run(["gzip", "-t", str(file)], check=True)
    assert gzip.decompress(file.read_bytes())[352:] == values.tobytes(order="F")
    write_nifti(Volume(values, np.eye(4), 1.0, 0.0), file.with_name("again.nii.gz"))
    assert file.read_bytes() == file.with_name("again.nii.gz").read_bytes()
