"""PS3.3: how strictly the IOD of an object asks for an attribute, where a slashed code depends on it."""

from collections import defaultdict
from collections.abc import Mapping
from enum import IntEnum
from functools import cache

from pydicom.datadict import tag_for_keyword

from trust_node.imaging.deid.profile import read_csv

STORAGE = "1.2.840.10008.5.1.4.1.1"
_Key = tuple[int, int]


class Type(IntEnum):
    """1 needs a value, 2 needs to be there, 3 may go; conditional types count as unconditional ones."""

    VALUE = 1
    PRESENT = 2
    OPTIONAL = 3


def attribute_type(sop_class: str, tag: int, parent: int = 0) -> Type | None:
    """Return the type of `tag` inside the sequence `parent` (0: at the top), None for an unknown SOP class.

    Only attributes with a slashed code in table E.1-1 are known; see `infra/deid/attribute_types.py` for their source.
    """
    types = _by_class().get(sop_class)
    return None if types is None else types.get((tag, parent), Type.OPTIONAL)


@cache
def _by_class() -> Mapping[str, Mapping[_Key, Type]]:
    known: defaultdict[str, dict[_Key, Type]] = defaultdict(dict)
    for row in read_csv("types.csv"):
        key, kind = (_tag(row["keyword"]), _tag(row["parent"])), Type(int(row["type"]))
        for short in row["sop_classes"].split():
            types = known[STORAGE + short if short.startswith(".") else short]
            types[key] = min(kind, types.get(key, Type.OPTIONAL))
    return known


def _tag(keyword: str) -> int:
    return (tag_for_keyword(keyword) or 0) if keyword else 0
