"""What a set of persons is answered, given every set asked about before: pure, the heart of the release."""

from collections.abc import Iterable
from dataclasses import dataclass

from trust_node.cohort.release.asked import Asked
from trust_node.cohort.release.ledger import Earlier
from trust_node.cohort.release.scale import Scale, fraction


@dataclass(frozen=True, slots=True)
class Answer:
    """`persons`: what may leave, None suppressed; `basis`: what it was made of; `root`: whose answer it shares.

    `radius`: how near, in persons, a later set must be to share it.
    """

    asked: Asked
    basis: int
    persons: int | None
    radius: float
    root: int | None = None

    @property
    def is_new(self) -> bool:
        return self.root is None


@dataclass(frozen=True, slots=True)
class Deciding:
    """One question's circumstances: `population` is all persons of the warehouse."""

    scale: Scale
    key: bytes
    project_id: str
    population: Asked

    def answer(self, asked: Asked, earlier: Iterable[Earlier]) -> Answer:
        """Answer as the earliest set that `asked` falls near to was answered, or anew where there is none.

        The earliest, not the nearest: which of two is nearer may hang on one person.
        """
        rows = sorted(earlier, key=lambda row: _turn(row, asked))
        for row in rows:
            apart = asked.members.symmetric_difference_cardinality(row.members)
            if apart <= row.radius:
                return self._shared(asked, row)
            if self.population.size - apart <= row.radius:
                return self._new(asked, max(self.population.size - row.basis, 0))
        return self._new(asked, asked.size)

    def _shared(self, asked: Asked, row: Earlier) -> Answer:
        if row.told:
            return Answer(asked, row.basis, row.persons, self._radius(asked, row.basis), row.root)
        return self._new(asked, row.basis)

    def _new(self, asked: Asked, basis: int) -> Answer:
        persons = self.scale.number(basis, self._drawn(b"noise", asked))
        return Answer(asked, basis, persons, self._radius(asked, basis))

    def _radius(self, asked: Asked, basis: int) -> float:
        return self.scale.radius(self._drawn(b"edge", asked), abs(basis - asked.size))

    def _drawn(self, what: bytes, asked: Asked) -> float:
        return fraction(self.key, what, self.project_id.encode(), asked.digest)


def _turn(row: Earlier, asked: Asked) -> tuple[bool, bool, int]:
    """The same set comes first, as it was told; then the earliest asked."""
    same = row.digest == asked.digest
    return (not same, same and not row.told, row.asked_id)
