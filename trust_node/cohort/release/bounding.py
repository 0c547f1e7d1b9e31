"""A person who is in many cells of a table would be told of many times: each counts in a few of them only."""

import hmac
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap64

from trust_node.cohort.release.hiding import Group
from trust_node.cohort.release.policy import ReleasePolicy

CELLS_CAP = 4
"""Cells of one table that a person may count in, more if it has more counts; its noise grows by the root of that."""

_MIXED = np.uint64(0x9E3779B97F4A7C15)


def most_cells(policy: ReleasePolicy, *, disjoint: bool, counts: int = 1) -> int:
    """Return in how many cells a person may count. Without noise there is no such limit.

    `disjoint`: by the form of the query nobody is in two cells; one person in two must not decide how much is blurred.
    `counts`: how many counts the table has, in each of which a person may be.
    """
    return 1 if disjoint or not policy.noise else max(CELLS_CAP, counts)


def bounded(cells: Mapping[Group, BitMap64], most: int, key: bytes) -> Mapping[Group, BitMap64]:
    """Keep each person in at most `most` cells, drawn by the key; the same table is always drawn the same."""
    if most == 1 or not cells:
        return cells
    sizes = [len(persons) for persons in cells.values()]
    persons = np.concatenate([np.asarray(members.to_array(), dtype=np.uint64) for members in cells.values()])
    where = np.repeat(np.arange(len(cells)), sizes)
    kept = _first(persons, _drawn(persons, where, list(cells), key), most)
    return {group: BitMap64(persons[kept & (where == at)].tolist()) for at, group in enumerate(cells)}


def _drawn(
    persons: NDArray[np.uint64], where: NDArray[np.int64], groups: list[Group], key: bytes
) -> NDArray[np.uint64]:
    seeds = [int.from_bytes(hmac.digest(key, repr(group).encode(), "sha256")[:8]) for group in groups]
    mixed = (persons * _MIXED) ^ np.array(seeds, dtype=np.uint64)[where]
    return (mixed ^ (mixed >> np.uint64(29))) * _MIXED


def _first(persons: NDArray[np.uint64], drawn: NDArray[np.uint64], most: int) -> NDArray[np.bool_]:
    """Mark the `most` smallest draws of each person."""
    order = np.lexsort((drawn, persons))
    ordered = persons[order]
    late = np.zeros(len(persons), dtype=bool)
    late[most:] = ordered[most:] == ordered[:-most]
    kept = np.empty(len(persons), dtype=bool)
    kept[order] = ~late
    return kept
