"""Whether the slices of a series lie at even distances: a missing one shows as a gap."""

from collections.abc import Sequence

import numpy as np

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion.errors import ConversionError
from trust_node.imaging.conversion.series import Slice, Vector, image_type, normal_of, numbers, parallel

UNEVEN = 0.1
"""A gap that differs by this part of the usual one is no rounding: a lost slice differs by all of it."""

ROUNDING_MM = 0.06
SAME_PLACE_MM = 0.01
SAME_DIRECTION = 1e-3
STACK = 3
"""Fewer places than this have one gap, or none."""


def check_spacing(slices: Sequence[Slice]) -> None:
    """Find a gap in a stack of parallel slices; scouts and series of several directions are no stacks.

    Raises
    ------
    ConversionError
        `spacing_irregular`.
    """
    stack = [each for each in slices if each.frames and _has_place(each)]
    if not stack or len(stack) != sum(each.frames for each in slices) or not parallel(stack, SAME_DIRECTION):
        return
    gaps = _gaps(stack)
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    if len(gaps) >= STACK - 1 and np.abs(gaps - usual).max() > UNEVEN * usual + ROUNDING_MM:
        raise ConversionError(FailureCode.SPACING_IRREGULAR)


def _has_place(each: Slice) -> bool:
    header = each.header
    scout = "LOCALIZER" in image_type(header)
    placed = numbers(header, "ImagePositionPatient").size, numbers(header, "ImageOrientationPatient").size
    return each.frames == 1 and placed == (3, 6) and not scout


def _gaps(stack: Sequence[Slice]) -> Vector:
    """Return the distances between neighbouring places, in mm; echoes and time points share one."""
    normal = normal_of(numbers(stack[0].header, "ImageOrientationPatient"))
    heights: Vector = np.sort([float(numbers(each.header, "ImagePositionPatient") @ normal) for each in stack])
    gaps: Vector = np.diff(heights)
    return gaps[gaps > SAME_PLACE_MM]
