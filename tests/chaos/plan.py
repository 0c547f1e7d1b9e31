"""What is done to whom, and when: drawn from a seed, so that the same seed plans the same storm again."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

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
    """Share the kills out among those who have a relay to be killed in and those who only listen."""
    chance = random.Random(seed)
    members = (*speakers, *listeners)
    victims = [members[number % len(members)] for number in range(kills)]
    by_member = {
        member: tuple(_kill(chance, speaks=member in speakers) for _ in range(victims.count(member)))
        for member in members
    }
    return Plan(seed, by_member, _blows(chance, max(len(OUTAGES), kills // KILLS_PER_OUTAGE)))


def _kill(chance: random.Random, *, speaks: bool) -> Kill:
    points = [point for point in POINTS if speaks or point != "in_relay"]
    point = chance.choice([None, None, *points])
    return Kill(point, chance.randint(1, MOST_VISITS[point]) if point else 0, chance.uniform(0.0, LONGEST_LIFE_S))


def _blows(chance: random.Random, number: int) -> tuple[Blow, ...]:
    """Each kind equally often, in any order."""
    kinds = [OUTAGES[index % len(OUTAGES)] for index in range(number)]
    chance.shuffle(kinds)
    return tuple(Blow(kind, chance.uniform(0.2, 2.0), chance.uniform(0.1, 3.0)) for kind in kinds)
