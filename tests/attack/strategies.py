"""What an attacker tries. Each returns scores of targets: the higher, the more one seems to have the condition.

`SYSTEM`: everything is learnt by asking. `OUTSIDE`: the attacker also knows 29 persons exactly, and can name each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap64

from tests.attack.modes import DEFAULT, Answers
from tests.attack.world import ACQUAINTANCES, PERSONS, TARGETS, World, union
from trust_node.cohort.release import BudgetSpentError
from trust_node.cohort.release.scale import LIFETIME

QUESTIONS = 1000


@dataclass(slots=True)
class Asking:
    """Counts the questions, and ends the attack when they, or the budget, are spent."""

    trust: Answers
    left: int = QUESTIONS
    grows: bool = False
    """Whether later answers are noisier, as the attacker has read in the documents."""

    def weight(self, asked: int) -> float:
        return 1 / (1 + asked / (LIFETIME * DEFAULT.noise**2)) if self.grows else 1.0

    def number(self, *sets: BitMap64) -> int | None:
        self._count()
        return self.trust.number(union(*sets))

    def table(self, cells: dict[tuple[int], BitMap64]) -> dict[tuple[int], int]:
        self._count()
        return self.trust.table(cells)  # type: ignore[arg-type,return-value]  keys are numbers here

    def _count(self) -> None:
        if not self.left:
            raise BudgetSpentError("the attacker's own")
        self.left -= 1


Scores = Sequence[float]
Strategy = Callable[[World, Asking], Scores]


def _until_spent(attempt: Callable[[], None]) -> None:
    try:
        while True:
            attempt()
    except BudgetSpentError:
        return


def pair(world: World, asking: Asking) -> Scores:
    """The cohort with the target and without."""
    _, base = world.some_groups()
    return [_value(asking.number(base, world.hit)) - _value(asking.number(base))]


def complement(world: World, asking: Asking) -> Scores:
    """The cohort without the target, and everybody outside the cohort: with the known total, two ways to one number."""
    _, base = world.some_groups()
    everyone = world.everyone.members
    total = _value(asking.number(everyone))
    outside = _value(asking.number(everyone - union(base, world.hit)))
    return [total - outside - _value(asking.number(base))]


def paraphrases(world: World, asking: Asking) -> Scores:
    """The pair again and again, each time written otherwise: noise that is drawn anew would average out."""
    _, base = world.some_groups()
    found: list[float] = []

    def attempt() -> None:
        found.append(_value(asking.number(base, world.hit)) - _value(asking.number(base)))

    _until_spent(attempt)
    return [float(np.mean(found))]


def regression(world: World, asking: Asking) -> Scores:
    """Random unions of groups with random targets; least squares for the sizes of the groups and each target."""
    fit = _Fit(asking)

    def attempt() -> None:
        chosen, base = world.some_groups()
        wanted = world.coins(TARGETS)
        fit.learn([*chosen, *wanted], asking.number(base, world.hits(wanted)))

    _until_spent(attempt)
    return fit.last(TARGETS)


def slices(world: World, asking: Asking) -> Scores:
    """GROUP BY: tables of random unions of groups, sliced in two, random targets in one of the slices."""
    fit = _Fit(asking)
    half = BitMap64(range(0, PERSONS, 2))

    def attempt() -> None:
        chosen, base = world.some_groups()
        wanted = world.coins(TARGETS)
        told = asking.table({(0,): union(base & half, world.hits(wanted)), (1,): base - half})
        fit.learn([*chosen, *wanted], told.get((0,)))

    _until_spent(attempt)
    return fit.last(TARGETS)


def boundary(world: World, asking: Asking) -> Scores:
    """Walk away from many cohorts person by person, with the target and without: does a value change just there?"""
    changed: list[bool] = []

    def attempt() -> None:
        _, base = world.some_groups()
        for step in range(40):
            pair = [asking.number(base, *world.crumbs[:step], *extra) for extra in world.shuffled((), (world.hit,))]
            changed.append(pair[0] != pair[1])

    _until_spent(attempt)
    return [float(np.mean(changed))]


def between(world: World, asking: Asking) -> Scores:
    """A set half way between two others, one of them with the target: as which of the two is it answered?"""
    like_second: list[float] = []

    def attempt() -> None:
        _, base = world.some_groups()
        paths = world.random.sample(world.crumbs, 24)
        first = asking.number(base, *paths[:12])
        second = asking.number(base, *paths[12:], world.hit)
        middle = asking.number(base, *paths[:6], *paths[12:18], world.hit)
        if first != second:
            like_second.append((middle == second) - (middle == first))

    _until_spent(attempt)
    return [float(np.mean(like_second or [0.0]))]


def floor(world: World, asking: Asking) -> Scores:
    """Unions of about k small predicates with random targets: with whom is the floor passed more often?"""
    fit = _Fit(asking)

    def attempt() -> None:
        wanted = world.coins(4)
        persons = asking.number(*world.random.sample(world.crumbs, 8), world.hits(wanted))
        fit.learn([*wanted], float(persons is not None))

    _until_spent(attempt)
    return fit.last(4)


def edge(world: World, asking: Asking) -> Scores:
    """From how far does the guard answer alike? A cohort, and the same with a padding, with or without the target."""
    return _edge(world, asking, lambda: world.crumbs[:15])


def known_edge(world: World, asking: Asking) -> Scores:
    """The same with a padding of 18 known persons, just where the guard without noise ends."""
    return _edge(world, asking, lambda: world.acquaintances[:18])


def known_floor(world: World, asking: Asking) -> Scores:
    """Nine of the 29 known persons, and the target: released only if the target makes them ten."""
    passed: list[bool] = []

    def attempt() -> None:
        known = world.random.sample(world.acquaintances, 9)
        passed.append(asking.number(*known, world.hit) is not None)

    _until_spent(attempt)
    return [float(np.max(passed))]


def known_padding(world: World, asking: Asking) -> Scores:
    """A cohort with some of the known persons, and with others of them and targets: the known are subtracted."""
    fit = _Fit(asking)

    def attempt() -> None:
        chosen, base = world.some_groups()
        known = world.random.sample(world.acquaintances, world.random.randrange(ACQUAINTANCES + 1))
        wanted = world.coins(TARGETS)
        persons = asking.number(base, *known, world.hits(wanted))
        fit.learn([*chosen, *wanted], None if persons is None else persons - len(known))

    _until_spent(attempt)
    return fit.last(TARGETS)


def all_but_one(world: World, asking: Asking) -> Scores:
    """The worst case: everybody's size is known but the target's bit; each answer's error is averaged."""
    errors: list[float] = []

    def attempt() -> None:
        _, base = world.some_groups()
        known = world.random.sample(world.acquaintances, world.random.randrange(ACQUAINTANCES + 1))
        persons = asking.number(base, *known, world.hit)
        if persons is not None:
            errors.append(persons - len(union(base, *known)))

    _until_spent(attempt)
    weights = [asking.weight(at) ** 2 for at in range(len(errors))]
    return [float(np.average(errors, weights=weights))]


def _edge(world: World, asking: Asking, padding: Callable[[], Sequence[BitMap64]]) -> Scores:
    fit = _Fit(asking)

    def attempt() -> None:
        _, base = world.some_groups()
        wanted = world.coins(1)
        first = asking.number(base)
        then = asking.number(base, *padding(), world.hits(wanted))
        fit.learn([*wanted], float(first != then))

    _until_spent(attempt)
    return fit.last(1)


def _value(persons: int | None) -> float:
    return 0.0 if persons is None else float(persons)


@dataclass(slots=True)
class _Fit:
    """Weighted least squares of what was answered."""

    asking: Asking
    rows: list[list[float]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    asked: int = 0

    def learn(self, row: list[float], value: float | None) -> None:
        weight = self.asking.weight(self.asked)
        self.asked += 1
        if value is not None:
            self.rows.append([weight, *(weight * part for part in row)])
            self.values.append(weight * value)

    def last(self, count: int) -> Scores:
        if not self.rows:
            return [0.0] * count
        found, *_ = np.linalg.lstsq(np.array(self.rows), np.array(self.values), rcond=None)
        return [float(part) for part in found[-count:]]


SYSTEM: dict[str, Strategy] = {
    "pair": pair,
    "complement": complement,
    "paraphrases": paraphrases,
    "padded regression": regression,
    "five colluding users": regression,
    "GROUP BY slices": slices,
    "walking a boundary": boundary,
    "between two cohorts": between,
    "floor": floor,
    "edge of the guard": edge,
}
OUTSIDE: dict[str, Strategy] = {
    "29 known as padding": known_padding,
    "edge, 18 known": known_edge,
    "floor, 9 known": known_floor,
    "everybody but one known": all_but_one,
}
STRATEGIES = SYSTEM | OUTSIDE

_SEVERAL = {regression: TARGETS, slices: TARGETS, known_padding: TARGETS, floor: 4}


def targets_of(strategy: str) -> int:
    """Return how many targets the attack decides in one hospital."""
    return _SEVERAL.get(STRATEGIES[strategy], 1)
