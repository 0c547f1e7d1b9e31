"""Series so regular that numpy converts them as dcm2niix does, and on two cores in less time.

Single-frame CT or MR, uncompressed, one stack of even spacing. What is odd in any way is left to dcm2niix: gantry
tilt, diffusion, mosaics, several echoes or time points, derived images, Philips's scaling, colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from trust_node.imaging.conversion.series import DIFFUSION, Slice, Vector, image_type, normal_of, numbers, parallel

LARGEST_BYTES = 512 << 20
EVEN = 1e-3
"""Part of the spacing by which slices may stray from a straight, even line."""

SAME_DIRECTION = 1e-6
LONGEST_SIDE = 2**15 - 1  # NIfTI-1

NATIVE = {ExplicitVRLittleEndian, ImplicitVRLittleEndian}
LONG_LENGTH = {b"OW", b"OB"}
ODD_TYPES = {"DERIVED", "SECONDARY", "LOCALIZER", "MOSAIC", "MPR", "P", "PHASE", "R", "REAL", "I", "IMAGINARY"}
ALIKE = (
    "BitsAllocated", "BitsStored", "Columns", "EchoNumbers", "EchoTime", "GantryDetectorTilt", "HighBit", "ImageType",
    "Manufacturer", "Modality", "NumberOfFrames", "NumberOfTemporalPositions", "PhotometricInterpretation",
    "PixelPaddingValue", "PixelRepresentation", "PixelSpacing", "RescaleIntercept", "RescaleSlope", "Rows",
    "SamplesPerPixel", "SequenceName", "SeriesInstanceUID", "SeriesTime", "StudyDate", "StudyTime", *DIFFUSION,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Volume:
    """Stored values by column, row and slice; `affine` takes indices to mm right, front and up (NIfTI's RAS+)."""

    values: NDArray[Any]
    affine: Vector
    slope: float
    intercept: float


def as_volume(slices: Sequence[Slice]) -> Volume | None:
    """Return the series as dcm2niix would lay it out, or None if it is not plain."""
    if len(slices) < 2 or not _plain(slices):  # noqa: PLR2004  the spacing is that of two
        return None
    stack = _stacked(slices)
    if stack is None:
        return None
    ordered, spacing = stack
    values = _values(ordered)
    return None if values is None else _laid_out(ordered[0].header, values, spacing)


def _plain(slices: Sequence[Slice]) -> bool:
    first = slices[0]
    return (
        first.frames == 1
        and _is_plain(first.header)
        and len({_key(each.header) for each in slices}) == 1
        and all(_is_placed(each.header) for each in slices)
        and first.voxels * len(slices) * 2 <= LARGEST_BYTES
        and _longest_side(slices) <= LONGEST_SIDE
        and parallel(slices, SAME_DIRECTION)
    )


def _longest_side(slices: Sequence[Slice]) -> int:
    header = slices[0].header
    return max(len(slices), int(header.get("Rows") or 0), int(header.get("Columns") or 0))


def _key(header: Dataset) -> tuple[str, ...]:
    return (str(header.file_meta.get("TransferSyntaxUID")), *(str(header.get(keyword)) for keyword in ALIKE))


def _is_plain(header: Dataset) -> bool:
    return (
        header.file_meta.get("TransferSyntaxUID") in NATIVE
        and header.get("SamplesPerPixel") == 1
        and header.get("PhotometricInterpretation") == "MONOCHROME2"
        and header.get("BitsAllocated") == 16  # noqa: PLR2004  two bytes a voxel
        and header.get("HighBit") == header.get("BitsStored", 0) - 1
        and not ODD_TYPES.intersection(image_type(header))
        and image_type(header)[:2] == ("ORIGINAL", "PRIMARY")
        and (header.get("NumberOfTemporalPositions") or 1) == 1
        and (_is_plain_ct(header) or _is_plain_mr(header))
    )


def _is_placed(header: Dataset) -> bool:
    sizes = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
    return all(numbers(header, keyword).size == size for keyword, size in sizes.items())


def _is_plain_ct(header: Dataset) -> bool:
    return header.get("Modality") == "CT" and not float(header.get("GantryDetectorTilt") or 0)


def _is_plain_mr(header: Dataset) -> bool:
    scaling = float(header.get("RescaleSlope") or 1), float(header.get("RescaleIntercept") or 0)
    odd = any(tag in header for tag in DIFFUSION) or "philips" in str(header.get("Manufacturer")).lower()
    return header.get("Modality") == "MR" and scaling == (1, 0) and not odd


def _stacked(slices: Iterable[Slice]) -> tuple[list[Slice], float] | None:
    """Return the slices in order along their normal, and their spacing in mm; None if they are no even stack.

    The spacing is that of the first two, as dcm2niix takes it.
    """
    placed = [(each, numbers(each.header, "ImagePositionPatient")) for each in slices]
    normal = normal_of(numbers(placed[0][0].header, "ImageOrientationPatient"))
    placed.sort(key=lambda pair: float(pair[1] @ normal))
    places = np.array([place for _, place in placed])
    spacing = float((places[1] - places[0]) @ normal)
    ideal = places[0] + np.outer(np.arange(len(places)), normal * spacing)
    straying = np.linalg.norm(np.diff(places - ideal, axis=0), axis=1)
    even = spacing > 0 and bool((straying <= EVEN * spacing).all())
    return ([each for each, _ in placed], spacing) if even else None


def _values(ordered: Sequence[Slice]) -> NDArray[Any] | None:
    """Read the stored values by slice, row and column; None if a file is cut or uses bits beyond those stored."""
    header = ordered[0].header
    kind = "<i2" if header.PixelRepresentation else "<u2"
    values = np.empty((len(ordered), header.Rows, header.Columns), kind)
    for each, plane in zip(ordered, values, strict=True):
        if not _read_into(each, plane):
            return None
    top = 1 << (int(header.BitsStored) - (1 if header.PixelRepresentation else 0))
    within = values.max() < top and (not header.PixelRepresentation or values.min() >= -top)
    return values if within else None


def _read_into(each: Slice, plane: NDArray[Any]) -> bool:
    """Read a native pixel element (PS3.5 7.1): its length must be that of the image, but for one byte of padding."""
    with each.file.open("rb") as file:
        file.seek(each.pixels_at)
        start = file.read(12)
        explicit = start[4:6] in LONG_LENGTH
        length = int.from_bytes(start[8:12] if explicit else start[4:8], "little")
        file.seek(each.pixels_at + (12 if explicit else 8))
        return start[:4] == b"\xe0\x7f\x10\x00" and length == plane.nbytes == file.readinto(plane.data.cast("B"))


def _laid_out(header: Dataset, values: NDArray[Any], spacing: float) -> Volume:
    """Turn rows upside down, as NIfTI's tools expect, and a 3D acquisition to the axes nearest to right, front, up."""
    affine = _affine(header, spacing)
    laid = values[:, ::-1, :].transpose(2, 1, 0)
    if header.get("MRAcquisitionType") == "3D":
        turn = io_orientation(affine)  # type: ignore[no-untyped-call]
        affine = affine @ inv_ornt_aff(turn, laid.shape)  # type: ignore[no-untyped-call]
        laid = apply_orientation(laid, turn)  # type: ignore[no-untyped-call]
    scaling = float(header.get("RescaleSlope") or 1), float(header.get("RescaleIntercept") or 0)
    return Volume(laid, affine, *scaling)


def _affine(header: Dataset, spacing: float) -> Vector:
    """Return where the voxels lie, rows counted from below (PS3.3 C.7.6.2.1.1, with x and y turned to NIfTI's)."""
    orientation = numbers(header, "ImageOrientationPatient")
    right, down = (half / np.linalg.norm(half) for half in (orientation[:3], orientation[3:]))
    height, width = numbers(header, "PixelSpacing")
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = right * width, -down * height, normal_of(orientation) * spacing
    affine[:3, 3] = numbers(header, "ImagePositionPatient") + down * height * (int(header.Rows) - 1)
    affine[:2] *= -1
    return affine
