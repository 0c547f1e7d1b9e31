"""A statistic that was asked for: the SQL of its cells' persons, and how its keys are told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from schemas.sql.tabulation import Tabulation
from trust_node.cohort.release import Cell, Key

Labels = tuple[str, ...]
Told = Callable[[tuple[Key, ...]], tuple[Labels, ...]]

NOT_KNOWN = "not known"


def as_text(key: tuple[Key, ...]) -> Labels:
    return tuple(NOT_KNOWN if part is None else str(part) for part in key)


def itself(key: tuple[Key, ...]) -> tuple[Labels, ...]:
    return (as_text(key),)


@dataclass(frozen=True, slots=True)
class Asked:
    """``sql`` selects ``width`` key columns, then person_id: each person once, so that nobody is in two cells.

    ``keys`` title the labels of a cell; ``told`` gives a key's labels: more than one where a cell counts for several.
    ``unit`` is of numeric labels.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    sql: str
    width: int = 1
    unit: str | None = None
    told: Told = itself

    @property
    def tabulation(self) -> Tabulation:
        return Tabulation(self.sql, tuple(f"key_{at}" for at in range(1, self.width + 1)), disjoint=True)

    def labelled(self, cells: Iterable[Cell]) -> dict[Labels, int]:
        """Return the persons of each label: released numbers, or sums of them."""
        sums: dict[Labels, int] = {}
        for cell in cells:
            for labels in self.told(cell.key):
                sums[labels] = sums.get(labels, 0) + cell.persons
        return sums
