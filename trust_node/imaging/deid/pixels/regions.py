"""Where an ultrasound picture says that its image is: Sequence of Ultrasound Regions (PS3.3 C.8.5.5)."""

from typing import cast

from pydicom import Dataset

from trust_node.imaging.deid.pixels.header import number
from trust_node.imaging.deid.pixels.rectangle import Rectangle, outside, within

MOST_REGIONS = 64
# A device that calls its whole screen one region says nothing of where its text is.
LEAST_OUTSIDE = 0.02


def beside_regions(header: Dataset) -> tuple[Rectangle, ...]:
    """Return what lies outside of every region; nothing where the regions tell nothing.

    They tell nothing if there is none, if one is ill-formed, or if they cover (nearly) the whole picture.
    """
    items = list(cast("list[Dataset]", header.get("SequenceOfUltrasoundRegions") or []))
    regions = [_region(item) for item in items[:MOST_REGIONS]]
    rows, columns = number(header, "Rows"), number(header, "Columns")
    if not items or len(items) > MOST_REGIONS or None in regions:
        return ()
    beside = outside(within([r for r in regions if r], rows, columns), rows, columns)
    free = sum(r.width * r.height for r in beside)
    return beside if LEAST_OUTSIDE * rows * columns <= free < rows * columns else ()


def _region(item: Dataset) -> Rectangle | None:
    """Read one region; its last column and row belong to it."""
    names = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    if not all(name in item for name in names):
        return None
    left, top, right, bottom = (number(item, name) for name in names)
    return Rectangle(left, top, right - left + 1, bottom - top + 1) if right >= left and bottom >= top else None
