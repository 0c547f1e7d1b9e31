"""Which earlier sets a new one may share its answer with: two cheap bounds first, members last."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap64

from trust_node.cohort.release.asked import BUCKETS, Asked, Sketch

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """All earlier sets without their members, in the order asked. Shapes: (n,), (n,), (n,), (n, BUCKETS)."""

    ids: Numbers
    sizes: Numbers
    radii: NDArray[np.float64]
    sketches: NDArray[np.int32] = field(repr=False)

    @classmethod
    def empty(cls) -> "Book":
        none = np.empty(0, dtype=np.int64)
        return cls(none, none, np.empty(0), np.empty((0, BUCKETS), dtype=np.int32))

    def near(self, asked: Asked, population: Asked) -> list[int]:
        """Return the ids of all sets within whose radius `asked` or its complement may lie."""
        direct = self._like(asked.size, asked.sketch)
        opposite = self._like(population.size - asked.size, population.sketch - asked.sketch)
        return [int(number) for number in self.ids[np.union1d(direct, opposite)]]

    def _like(self, size: int, sketch: Sketch) -> NDArray[np.intp]:
        alike = np.flatnonzero(np.abs(self.sizes - size) <= self.radii)
        apart: Numbers = np.abs(self.sketches[alike] - sketch).sum(axis=1)
        return np.asarray(alike[apart <= self.radii[alike]], dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A set asked about before. `basis`: what its answer was made of; `persons`: the answer, None suppressed.

    `radius`: sets that differ in no more persons share its answer. It belongs to the set, not to the pair: else asking
    again with one person more would draw it anew, and a changed answer would tell of that person.
    """

    asked_id: int
    digest: bytes
    basis: int
    told: bool
    persons: int | None
    root: int
    radius: float
    members: BitMap64 = field(repr=False)
