"""What an object of a SOP class must have at its top level: type 1 of PS3.3, as data."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydicom.datadict import tag_for_keyword

from trust_node.imaging.deid.iod import STORAGE


def required(sop_class: str) -> frozenset[int]:
    """Return the tags of the class's type 1 attributes; for an unknown class those of any."""
    known = _by_class()
    return known[sop_class] if sop_class in known else _of_any()


@cache
def table() -> str:
    """Return the data file: keywords and SOP classes, those of storage without their root."""
    return files(__package__).joinpath("required.csv").read_text(encoding="ascii")


@cache
def _of_any() -> frozenset[int]:
    return frozenset[int]().union(*_by_class().values())


@cache
def _by_class() -> Mapping[str, frozenset[int]]:
    known: defaultdict[str, set[int]] = defaultdict(set)
    for row in csv.DictReader(table().splitlines()):
        for short in row["sop_classes"].split():
            known[STORAGE + short if short.startswith(".") else short].add(tag_for_keyword(row["keyword"]) or 0)
    return {sop_class: frozenset(tags) for sop_class, tags in known.items()}
