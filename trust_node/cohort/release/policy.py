"""The trust's own setting of what may leave; the hub can't change it."""

from dataclasses import dataclass

MIN_THRESHOLD = 2

Key = str | int | None


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """The trust's own setting; the hub can't change it.

    `threshold`: fewest distinct persons a released number may stand for.
    `rounding`: released numbers are multiples of this; 1 is exact.
    `max_cells`, `max_levels`: most cells of one table, and most levels of one of its keys.
    `noise`: standard deviation, in persons, of what is added to a project's first answer; 0 adds nothing.
    `user_daily`, `project_daily`, `project_limit`: answers that may be given to a user and a project in a day (UTC),
    and to a project in all.
    `failures_daily`: of a user's and a project's questions of a day, how many the warehouse may fail to answer.
    """

    threshold: int = 10
    rounding: int = 5
    max_cells: int = 400
    max_levels: int = 40
    noise: float = 10.0
    user_daily: int = 40
    project_daily: int = 80
    project_limit: int = 400
    failures_daily: int = 10

    def __post_init__(self) -> None:
        if self.threshold < MIN_THRESHOLD:
            raise ValueError(f"threshold must be at least {MIN_THRESHOLD}; set it in the trust's policy file")
        if self.noise < 0:
            raise ValueError("noise must be at least 0; set it in the trust's policy file")
        counts = (
            "rounding",
            "max_cells",
            "max_levels",
            "user_daily",
            "project_daily",
            "project_limit",
            "failures_daily",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; set it in the trust's policy file")


@dataclass(frozen=True, slots=True)
class Cell:
    """One group: its key values as text, whole number or nothing, and its persons as released."""

    key: tuple[Key, ...]
    persons: int


@dataclass(frozen=True, slots=True)
class Released:
    """A number that may leave: distinct persons, and by about how much they may be more or fewer."""

    persons: int
    margin: int
