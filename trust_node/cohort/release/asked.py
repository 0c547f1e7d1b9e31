"""A set of persons as the ledger keeps it: named by a keyed digest, compared by a sketch before its members are."""

import hmac
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap64

BUCKETS = 64
_SHIFT = np.uint64(64 - 6)

Sketch = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """`sketch`: shape (BUCKETS,), persons per bucket of a keyed hash. Nothing of this leaves the trust."""

    digest: bytes
    size: int
    sketch: Sketch = field(repr=False)
    members: BitMap64 = field(repr=False)

    @classmethod
    def of(cls, members: BitMap64, key: bytes) -> "Asked":
        persons = np.asarray(members.to_array(), dtype=np.uint64)
        digest = hmac.digest(key, persons.astype("<u8").tobytes(), "sha256")
        return cls(digest, len(persons), _sketch(persons, key), members)


def _sketch(persons: NDArray[np.uint64], key: bytes) -> Sketch:
    """Two sets differ in at least as many persons as their sketches do, summed over the buckets."""
    odd = np.uint64(int.from_bytes(hmac.digest(key, b"sketch", "sha256")[:8]) | 1)
    buckets = ((persons * odd) >> _SHIFT).astype(np.int64)
    return np.bincount(buckets, minlength=BUCKETS).astype(np.int32)
