"""Six ways to answer, from everything to our default, behind the same two questions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pyroaring import BitMap64

from tests.attack.memory import Desk
from trust_node.cohort.release import Key, ReleasePolicy
from trust_node.cohort.release.asked import Asked
from trust_node.cohort.release.scale import Scale

Group = tuple[Key, ...]
DEFAULT = ReleasePolicy()
ENDLESS = 10**9


def release(persons: int, policy: ReleasePolicy) -> int | None:
    """The floor and the rounding alone: what the release does where there is no noise."""
    return Scale(replace(policy, noise=0.0), 0).number(persons, 0.5)


class Answers(Protocol):
    """What an attacker sees of a trust: None and absent cells are suppressed."""

    def number(self, persons: BitMap64) -> int | None: ...

    def table(self, cells: Mapping[Group, BitMap64]) -> dict[Group, int]: ...


@dataclass(slots=True)
class Plain:
    """Exact counts, a floor alone, or a floor and rounding: each answer for itself."""

    policy: ReleasePolicy | None

    def number(self, persons: BitMap64) -> int | None:
        return len(persons) if self.policy is None else release(len(persons), self.policy)

    def table(self, cells: Mapping[Group, BitMap64]) -> dict[Group, int]:
        told = {group: self.number(persons) for group, persons in cells.items()}
        return {group: persons for group, persons in told.items() if persons is not None}


GUARD = replace(DEFAULT, noise=0.0, user_daily=ENDLESS, project_daily=ENDLESS, project_limit=ENDLESS)
MODES: Mapping[str, ReleasePolicy | Plain] = {
    "exact": Plain(None),
    "floor": Plain(replace(DEFAULT, rounding=1)),
    "floor, rounding": Plain(DEFAULT),
    "… and guard": GUARD,
    "… and budget": replace(DEFAULT, noise=0.0),
    "default": DEFAULT,
}


def opened(mode: str, everyone: Asked, key: bytes, users: int) -> Answers:
    """Open a trust that has never been asked anything."""
    kind = MODES[mode]
    return kind if isinstance(kind, Plain) else Desk(kind, everyone, key, users)
