"""Where the voxels of a NIfTI image lie, and what it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from trust_node.imaging.enrichment.flaws import Flaw, FlawError

SAME_PLACE = 0.05
"""Part of a voxel by which the corners of two images may be apart."""


@dataclass(frozen=True, slots=True)
class Grid:
    """As many voxels along each axis; `affine` takes an index to mm right, front and up (NIfTI's RAS+)."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]

    def is_at(self, other: "Grid") -> bool:
        """Tell whether both have as many voxels, in the same places."""
        if self.shape != other.shape:
            return False
        apart = _corners(self) - _corners(other)
        voxel = np.linalg.norm(other.affine[:3, :3], axis=0).min()
        return bool(np.linalg.norm(apart, axis=0).max() <= SAME_PLACE * voxel)


def grid_of(file: Path) -> Grid:
    """Read a NIfTI file's header; raises FlawError (`mask_unreadable`)."""
    image = _opened(file)
    return Grid(_three(image.shape), np.asarray(image.affine, float))


def values_in(file: Path) -> NDArray[Any]:
    """Read a NIfTI file's voxels as they count, after scaling; raises FlawError (`mask_unreadable`).

    Call it once the shape is known to be that of an image: a file may claim any size.
    """
    try:
        values = np.asanyarray(_opened(file).dataobj)
    except (OSError, ValueError, EOFError) as error:
        raise FlawError(Flaw.MASK_UNREADABLE) from error
    whole: NDArray[Any] = values.reshape(_three(values.shape))
    return whole


def write_labels(values: NDArray[np.uint16], grid: Grid, file: Path) -> None:
    """Write a label volume, whole or not at all."""
    part = file.with_name(f".{file.name}")
    image: Any = nibabel.Nifti1Image(values, grid.affine)  # type: ignore[no-untyped-call]
    image.to_filename(part)
    part.replace(file)


def _corners(grid: Grid) -> NDArray[np.float64]:
    """Return where the eight outermost voxels lie, in mm, one in each column."""
    ends = [(0, size - 1) for size in grid.shape[:3]]
    places: NDArray[np.float64] = grid.affine @ np.array([[*corner, 1] for corner in product(*ends)]).T
    return places[:3]


def _opened(file: Path) -> Any:
    try:
        return nibabel.load(file)
    except (OSError, ValueError, EOFError, nibabel.filebasedimages.ImageFileError) as error:
        raise FlawError(Flaw.MASK_UNREADABLE) from error


def _three(shape: Sequence[int]) -> tuple[int, ...]:
    """Leave out a fourth axis of one."""
    return tuple(shape[:3]) if all(size == 1 for size in shape[3:]) else tuple(shape)
