"""What is done to whom, and when: drawn from a seed, so that the same seed plans the same storm again."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from tests.chaos.points import POINTS, Point

Outage = Literal[
    "broker stopped", "broker killed", "database sessions ended", "database crashed", "line cut", "line stalled"
]
OUTAGES: tuple[Outage, ...] = get_args(Outage)

MOST_VISITS: Mapping[Point, int] = {
    "at_start": 1,
    "mid_batch": 150,
    "after_commit": 15,
    "before_offsets": 4,
    "in_relay": 15,
}
T = TypeVar("T")
LONGEST_LIFE_S = 1.5
KILLS_PER_OUTAGE = 10
RANDOM = "at a random moment"


@dataclass(frozen=True, slots=True)
class Kill:
    """At the ``visits``-th visit of a point, or, without one, ``after_s`` seconds after its first effect."""

    point: Point | None
    visits: int
    after_s: float

    @property
    def fuse(self) -> str:
        return f"{self.point}:{self.visits}" if self.point else ""

    @property
    def name(self) -> str:
        return f"kill -9 {self.point or RANDOM}"


@dataclass(frozen=True, slots=True)
class Blow:
    """An outage that begins ``after_s`` seconds after the one before has been recovered from."""

    outage: Outage
    after_s: float
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    kills: Mapping[str, Sequence[Kill]]
    blows: Sequence[Blow]

    @property
    def number_of_kills(self) -> int:
        return sum(map(len, self.kills.values()))


def draw(seed: int, kills: int, speakers: Sequence[str], listeners: Sequence[str]) -> Plan:
    """Share the kills out among those whose relay surely runs and those who may never lead."""
    chance = random.Random(seed)
    members = (*speakers, *listeners)
    shares = Counter(members[number % len(members)] for number in range(kills))
    by_member = {member: _kills(chance, shares[member], speaks=member in speakers) for member in members}
    return Plan(seed, by_member, _blows(chance, max(len(OUTAGES), kills // KILLS_PER_OUTAGE)))


def _kills(chance: random.Random, number: int, *, speaks: bool) -> tuple[Kill, ...]:
    moments = (None, *(point for point in POINTS if speaks or point != "in_relay"))
    return tuple(
        Kill(point, chance.randint(1, MOST_VISITS[point]) if point else 0, chance.uniform(0.0, LONGEST_LIFE_S))
        for point in _equally_often(chance, moments, number)
    )


def _blows(chance: random.Random, number: int) -> tuple[Blow, ...]:
    kinds = _equally_often(chance, OUTAGES, number)
    return tuple(Blow(kind, chance.uniform(0.2, 2.0), chance.uniform(0.1, 3.0)) for kind in kinds)


def _equally_often(chance: random.Random, kinds: Sequence[T], number: int) -> list[T]:
    """Each kind as often as the others, as far as it goes, in any order."""
    chosen = [kind for _ in range(0, number, len(kinds)) for kind in chance.sample(kinds, len(kinds))]
    return chosen[:number]
