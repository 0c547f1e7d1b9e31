"""The slices of one series, read once: headers without their pixels, and where the pixels begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.tag import Tag

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion.errors import ConversionError

Vector = NDArray[np.float64]

DIFFUSION = (Tag(0x0018, 0x9087), Tag(0x0019, 0x100C), Tag(0x0043, 0x1039))  # the standard's, Siemens's, GE's
WANTED: list[Any] = [
    "BitsAllocated", "BitsStored", "Columns", "EchoNumbers", "EchoTime", "FlipAngle",
    "GantryDetectorTilt", "HighBit", "ImageOrientationPatient", "ImagePositionPatient", "ImageType",
    "MRAcquisitionType", "MagneticFieldStrength", "Manufacturer", "ManufacturerModelName", "Modality",
    "NumberOfFrames", "NumberOfTemporalPositions", "PhotometricInterpretation", "PixelPaddingValue",
    "PixelRepresentation", "PixelSpacing", "RepetitionTime", "RescaleIntercept", "RescaleSlope", "Rows",
    "SamplesPerPixel", "SequenceName", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber", "SeriesTime",
    "SliceThickness", "StudyDate", "StudyTime", *DIFFUSION,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """One DICOM file; `pixels_at` is where its pixel element begins, or the file's end if it has none."""

    file: Path
    header: Dataset
    pixels_at: int

    @property
    def frames(self) -> int:
        """Images in this file; none in one that is no image."""
        return int(self.header.get("NumberOfFrames") or 1) if self.header.get("Rows") else 0

    @property
    def voxels(self) -> int:
        return self.frames * int(self.header.Rows) * int(self.header.Columns) if self.frames else 0


@dataclass(frozen=True, slots=True)
class Images:
    """How much image a series holds: `frames` (slices) and their voxels."""

    frames: int
    voxels: int

    def frames_in(self, voxels: int) -> int:
        """Return how many of these frames make up `voxels`."""
        return self.frames * voxels // self.voxels if self.voxels else 0


def read_series(folder: Path) -> list[Slice]:
    """Read the headers of all DICOM files in `folder`."""
    return [_slice(file) for file in sorted(folder.glob("*.dcm"))]


def count_images(slices: Sequence[Slice]) -> Images:
    """Count the image slices.

    Raises
    ------
    ConversionError
        For a mosaic: how its tiles lie stands only in private elements, which de-identification removes.
    """
    if any("MOSAIC" in image_type(each.header) for each in slices):
        raise ConversionError(FailureCode.CONVERSION_FAILED)
    return Images(sum(each.frames for each in slices), sum(each.voxels for each in slices))


def image_type(header: Dataset) -> tuple[str, ...]:
    """Return the values of Image Type (0008,0008), none if it is missing."""
    values = header.get("ImageType") or ()
    return (values,) if isinstance(values, str) else tuple(values)


def numbers(header: Dataset, keyword: str) -> Vector:
    """Return an element's numbers, in the order in which they stand."""
    return np.array(header.get(keyword) or (), float).reshape(-1)


def normal_of(orientation: Vector) -> Vector:
    """Return the unit normal of a slice's plane from its six direction cosines (PS3.3 C.7.6.2.1.1)."""
    normal: Vector = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length else normal


def parallel(slices: Sequence[Slice], tolerance: float) -> bool:
    """Tell whether all slices, of which there is at least one, have the same six direction cosines."""
    directions = [numbers(each.header, "ImageOrientationPatient") for each in slices]
    return all(bool((np.abs(one - directions[0]) <= tolerance).all()) for one in directions)


def _slice(file: Path) -> Slice:
    with file.open("rb") as opened:
        header = pydicom.dcmread(opened, stop_before_pixels=True, specific_tags=WANTED)
        return Slice(file, header, opened.tell())
