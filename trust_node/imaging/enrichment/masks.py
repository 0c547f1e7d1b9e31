"""Masks: believed when they lie on an image of their scan and hold known labels only."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trust_node.imaging.enrichment.flaws import Flaw, FlawError
from trust_node.imaging.enrichment.grids import Grid, grid_of, values_in
from trust_node.imaging.enrichment.segments import read_segments

LARGEST_LABEL = 2**16 - 1


def read_mask(file: Path, images: Mapping[Path, Grid], known: frozenset[int] | None) -> tuple[Path, NDArray[np.uint16]]:
    """Return the image that a mask was drawn on, and its labels by voxel.

    ``known`` are the labels that may occur, 0 always; None allows any.

    Raises
    ------
    FlawError
        `geometry_differs`, `label_unknown`, `mask_unreadable`, `segments_overlap`.
    """
    image, values = _dicom(file, images) if file.suffix == ".dcm" else _nifti(file, images)
    found = set(np.unique(values).tolist())
    if known is not None and not found <= known | {0}:
        raise FlawError(Flaw.LABEL_UNKNOWN)
    return image, values


def _nifti(file: Path, images: Mapping[Path, Grid]) -> tuple[Path, NDArray[np.uint16]]:
    grid = grid_of(file)
    image = next((image for image, place in images.items() if grid.is_at(place)), None)
    if image is None:
        raise FlawError(Flaw.GEOMETRY_DIFFERS)
    values = values_in(file)
    whole = values.astype(np.uint16) if _fits(values) else None
    if whole is None or not np.array_equal(whole, values):
        raise FlawError(Flaw.LABEL_UNKNOWN)
    return image, whole


def _fits(values: NDArray[np.generic]) -> bool:
    return bool(np.isfinite(values).all()) and bool(values.min() >= 0) and bool(values.max() <= LARGEST_LABEL)


def _dicom(file: Path, images: Mapping[Path, Grid]) -> tuple[Path, NDArray[np.uint16]]:
    """Try each image of the scan: a segmentation tells where it lies, and not on which of them."""
    for image, grid in images.items():
        try:
            return image, read_segments(file, grid)
        except FlawError as error:
            if error.flaw is not Flaw.GEOMETRY_DIFFERS:
                raise
    raise FlawError(Flaw.GEOMETRY_DIFFERS)


def is_mask(resource: str, name: str) -> bool:
    """Tell masks by where they lie: in SEG and LABELS, or beside the image and named `label_…`, as FLIP has them."""
    if resource == "NIFTI":
        return name.startswith("label_") and name.endswith(".nii.gz")
    return resource in {"SEG", "LABELS"} and name.endswith((".nii.gz", ".nii", ".dcm"))


def is_image(resource: str, name: str) -> bool:
    return resource == "NIFTI" and name.endswith(".nii.gz") and not name.startswith("label_")


def by_scan(files: Iterable[Path], root: Path) -> dict[str, list[Path]]:
    """Group files that lie in folders named by scan below ``root``."""
    scans: dict[str, list[Path]] = {}
    for file in sorted(files):
        scans.setdefault(file.relative_to(root).parts[0], []).append(file)
    return scans
