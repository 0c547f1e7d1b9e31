"""What number may leave the trust: at least the threshold, rounded, or nothing at all."""

from collections.abc import Iterable
from dataclasses import dataclass

MIN_THRESHOLD = 2

Key = str | int | None


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """The trust's own setting; the hub can't change it.

    `threshold`: fewest distinct persons a released number may stand for.
    `rounding`: released numbers are multiples of this; 1 is exact.
    `max_cells`: most cells of one table.
    """

    threshold: int = 10
    rounding: int = 5
    max_cells: int = 400

    def __post_init__(self) -> None:
        if self.threshold < MIN_THRESHOLD:
            raise ValueError(f"threshold must be at least {MIN_THRESHOLD}; set it in the trust's policy file")
        if self.rounding < 1:
            raise ValueError("rounding must be at least 1; set it in the trust's policy file")
        if self.max_cells < 1:
            raise ValueError("max_cells must be at least 1; set it in the trust's policy file")


@dataclass(frozen=True, slots=True)
class Cell:
    """One group: its key values as text, whole number or nothing, and its persons as released."""

    key: tuple[Key, ...]
    persons: int


def release(persons: int, policy: ReleasePolicy) -> int | None:
    """Return the number that may leave, or None: none and too few look the same.

    The nearest multiple of `rounding` (half up), and never below the threshold.
    """
    if persons < policy.threshold:
        return None
    step = policy.rounding
    nearest = (persons + step // 2) // step * step
    lowest = -(-policy.threshold // step) * step
    return max(nearest, lowest)


def release_cells(cells: Iterable[tuple[tuple[Key, ...], int]], policy: ReleasePolicy) -> tuple[Cell, ...]:
    """Return the cells that may leave, by key; a hidden cell is absent, as an empty one is."""
    released = ((key, release(persons, policy)) for key, persons in cells)
    kept = [Cell(key, persons) for key, persons in released if persons is not None]
    return tuple(sorted(kept, key=lambda cell: [(part is None, str(part)) for part in cell.key]))
