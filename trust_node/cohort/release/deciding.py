"""What a set of persons is answered, given every set asked about before: pure, the heart of the release."""

from collections.abc import Iterator, Sequence
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

    def answer(self, asked: Asked, earlier: Sequence[Earlier]) -> Answer:
        """Answer as the nearest set within whose radius `asked` or its complement lies, or anew where there is none.

        The nearest, not the earliest: of two sets that differ in one person, the one asked second is answered as the
        first was, wherever the edges of other sets run.
        """
        same = [row for row in earlier if row.digest == asked.digest]
        if same:
            return self._shared(asked, max(same, key=lambda row: row.told))
        near = sorted(self._near(asked, earlier), key=lambda found: (found[0], found[2].asked_id))
        if not near:
            return self._new(asked, asked.size)
        _, opposite, row = near[0]
        return self._new(asked, max(self.population.size - row.basis, 0)) if opposite else self._shared(asked, row)

    def _near(self, asked: Asked, earlier: Sequence[Earlier]) -> Iterator[tuple[int, bool, Earlier]]:
        """Yield how many persons apart, whether it is the complement that is near, and from which set."""
        for row in earlier:
            apart = asked.members.symmetric_difference_cardinality(row.members)
            for distance, opposite in ((apart, False), (self.population.size - apart, True)):
                if distance <= row.radius:
                    yield distance, opposite, row

    def _shared(self, asked: Asked, row: Earlier) -> Answer:
        if row.told:
            return Answer(asked, row.basis, row.persons, self._radius(asked, row.basis), row.root)
        return self._new(asked, row.basis)

    def _new(self, asked: Asked, basis: int) -> Answer:
        persons = self.scale.number(basis, self.drawn(b"noise", asked.digest))
        return Answer(asked, basis, persons, self._radius(asked, basis))

    def _radius(self, asked: Asked, basis: int) -> float:
        return self.scale.radius(self.drawn(b"edge", asked.digest), abs(basis - asked.size))

    def drawn(self, what: bytes, of: bytes) -> float:
        """Draw from 0 to 1 for one purpose, always the same for the same set of this project."""
        return fraction(self.key, what, self.project_id.encode(), of)
