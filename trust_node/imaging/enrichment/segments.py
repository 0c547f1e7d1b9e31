"""DICOM segmentations (PS3.3 A.51) as label volumes on the grid of the image they were drawn on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from trust_node.imaging.enrichment.flaws import Flaw, FlawError
from trust_node.imaging.enrichment.grids import SAME_PLACE, Grid

LARGEST_VOXELS = 1 << 29
HALF = 0.5
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
READABLE = (
    BytesLengthException,
    AttributeError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    RuntimeError,
    NotImplementedError,
    StopIteration,
)
"""What pydicom raises on elements that are missing, cut or coded in an unknown way."""


def read_segments(file: Path, grid: Grid) -> NDArray[np.uint16]:
    """Return the segments' numbers by voxel of the image; of a fractional one, voxels that belong at least by half.

    Raises
    ------
    FlawError
        `mask_unreadable`, `geometry_differs`, `segments_overlap`.
    """
    try:
        dataset = pydicom.dcmread(file)
        frames = _frames(dataset)
        shared = dataset.SharedFunctionalGroupsSequence[0]
        segments = [_segment(group, shared) for group in dataset.PerFrameFunctionalGroupsSequence]
        places = [_indices(group, shared, grid) for group in dataset.PerFrameFunctionalGroupsSequence]
    except (InvalidDicomError, OSError, *READABLE) as error:
        raise FlawError(Flaw.MASK_UNREADABLE) from error
    return _painted(frames, segments, places, grid)


def _frames(dataset: Dataset) -> NDArray[np.bool_]:
    """Return which pixels belong to the segment, by frame, row and column."""
    size = int(dataset.NumberOfFrames) * int(dataset.Rows) * int(dataset.Columns)
    if size > LARGEST_VOXELS or len(dataset.PerFrameFunctionalGroupsSequence) != dataset.NumberOfFrames:
        raise FlawError(Flaw.MASK_UNREADABLE)
    values = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    match dataset.SegmentationType:
        case "BINARY":
            return np.asarray(values > 0)
        case "FRACTIONAL":
            return np.asarray(values >= HALF * int(dataset.MaximumFractionalValue))
        case _:
            raise FlawError(Flaw.MASK_UNREADABLE)


def _segment(group: Dataset, shared: Dataset) -> int:
    return int(_found("SegmentIdentificationSequence", group, shared).ReferencedSegmentNumber)


def _indices(group: Dataset, shared: Dataset, grid: Grid) -> NDArray[np.float64]:
    """Return the matrix from (column, row, 1) of a frame to an index of the image (PS3.3 C.7.6.2.1.1)."""
    orientation = _found("PlaneOrientationSequence", group, shared).ImageOrientationPatient
    height, width = _found("PixelMeasuresSequence", group, shared).PixelSpacing
    place = np.zeros((4, 3))
    place[:3, 0] = np.array(orientation[:3], float) * float(width)
    place[:3, 1] = np.array(orientation[3:], float) * float(height)
    place[:, 2] = [*(float(mm) for mm in _found("PlanePositionSequence", group, shared).ImagePositionPatient), 1]
    indices: NDArray[np.float64] = np.linalg.inv(grid.affine) @ LPS_TO_RAS @ place
    return indices[:3]


def _found(sequence: str, *groups: Dataset) -> Any:
    """Return the first item of a sequence that stands with each frame or is shared by all."""
    return next(group[sequence].value[0] for group in groups if sequence in group)


def _painted(
    frames: NDArray[np.bool_], segments: Sequence[int], places: Sequence[NDArray[np.float64]], grid: Grid
) -> NDArray[np.uint16]:
    volume = np.zeros(grid.shape, np.uint16)
    for frame, segment, place in zip(frames, segments, places, strict=True):
        rows, columns = frame.nonzero()
        exact = place @ np.stack([columns, rows, np.ones_like(rows)])
        index = np.rint(exact).astype(int)
        outside = (index < 0).any() or (index >= np.array(grid.shape[:3])[:, None]).any()
        if outside or (len(rows) and np.abs(exact - index).max() > SAME_PLACE):
            raise FlawError(Flaw.GEOMETRY_DIFFERS)
        there = volume[tuple(index)]
        if ((there != 0) & (there != segment)).any():
            raise FlawError(Flaw.SEGMENTS_OVERLAP)
        volume[tuple(index)] = segment
    return volume
