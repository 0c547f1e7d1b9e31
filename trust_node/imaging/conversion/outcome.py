"""What came of a series."""

import gzip
import re
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

HEADER_BYTES = 348  # NIfTI-1
DIMENSIONS_AT = 40
# Copies that dcm2niix resamples beside the original, for gantry tilt and uneven spacing.
_RESAMPLED = re.compile(r"_(Tilt|Eq)(_\d+)?\.nii\.gz$")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a series became: `.nii.gz` files with their `.json`, and the slices counted on both sides.

    `converter` names what did it and its version; `warnings` are dcm2niix's own words.
    """

    files: tuple[Path, ...]
    slices_in: int
    slices_out: int
    converter: str = ""
    warnings: tuple[str, ...] = ()


def voxels_of(nifti: Path) -> int:
    """Return the voxels of all volumes in a `.nii.gz`.

    Voxels, because dcm2niix turns a sagittal or coronal 3D acquisition, and its slices leave the third axis.
    """
    with gzip.open(nifti) as file:
        header = file.read(HEADER_BYTES)
    order = "<" if header[:4] == struct.pack("<i", HEADER_BYTES) else ">"
    rank, *sizes = struct.unpack_from(f"{order}8h", header, DIMENSIONS_AT)
    return prod(sizes[:rank])


def is_original(file: Path) -> bool:
    """Tell an image from dcm2niix's resampled copies and from what lies beside them."""
    return file.name.endswith(".nii.gz") and not _RESAMPLED.search(file.name)
