"""Private elements that PS3.15 E.3.10 thinks safe, and that can be looked into: numbers and short terms.

The standard's own list also has opaque payloads, sequences and UIDs; what nobody can check is not kept here.
"""

from collections.abc import Mapping
from functools import cache

from pydicom import Dataset

from trust_node.imaging.deid.profile import read_csv

_BLOCKS = range(0x10, 0x100)


@cache
def safe_private() -> Mapping[tuple[str, int, int], str]:
    """Return the VR by creator, group and the element's place within its block."""
    cells = read_csv("private.csv")
    return {(row["creator"], int(row["group"], 16), int(row["element"], 16)): row["vr"] for row in cells}


def is_safe(creators: Mapping[int, str], tag: int, vr: str) -> bool:
    """Tell a safe element, in whichever block its creator reserved, from all others.

    Parameters
    ----------
    creators
        The data set's private creators by their own tag (gggg,00bb).
    """
    group, element = tag >> 16, tag & 0xFFFF
    creator = creators.get(group << 16 | element >> 8)
    return creator is not None and safe_private().get((creator, group, element & 0xFF)) == vr


def creators(dataset: Dataset) -> dict[int, str]:
    """Return the private creators of `dataset` by tag; an element in a block without one belongs to nobody."""
    return {e.tag: str(e.value or "").strip() for e in dataset if is_creator(e.tag) and e.VR in ("LO", "UN", "SH")}


def is_creator(tag: int) -> bool:
    """Tell elements (gggg,0010-00FF) of odd groups, which name whose block it is, from the rest."""
    return bool(tag >> 16 & 1) and tag & 0xFFFF in _BLOCKS
