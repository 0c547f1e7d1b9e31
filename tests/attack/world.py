"""A hospital in memory, and what an attacker knows of it before the first question."""

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TypeVar

from pyroaring import BitMap64

from trust_node.cohort.release.asked import Asked

Item = TypeVar("Item")

PERSONS = 12_000
GROUPS = 12
CRUMBS = 80
ACQUAINTANCES = 29
TARGETS = 8


@dataclass(frozen=True, slots=True)
class World:
    """`groups` part most persons by some attribute; `crumbs` are predicates that few meet; neither's size is known.

    `acquaintances`: one person each, and the attacker knows it. `secrets`: whether each target has the condition, which
    is what the attacker wants to know. Numbers 0 to TARGETS - 1 are the targets.
    """

    secrets: tuple[bool, ...]
    groups: tuple[BitMap64, ...]
    crumbs: tuple[BitMap64, ...]
    acquaintances: tuple[BitMap64, ...]
    everyone: Asked
    key: bytes
    random: Random

    @property
    def hit(self) -> BitMap64:
        """The first target if that has the condition, else nobody."""
        return self.hits([1])

    def hits(self, wanted: list[int]) -> BitMap64:
        """Return who of the wanted targets (0 or 1 each) has the condition."""
        return BitMap64(at for at, is_wanted in enumerate(wanted) if is_wanted and self.secrets[at])

    def coins(self, count: int) -> list[int]:
        return [self.random.randrange(2) for _ in range(count)]

    def shuffled(self, *things: Item) -> list[Item]:
        return self.random.sample(things, len(things))

    def some_groups(self) -> tuple[list[int], BitMap64]:
        """Return which groups are in, 0 or 1 each, and the union of them."""
        chosen = self.coins(len(self.groups))
        return chosen, union(*(group for group, is_in in zip(self.groups, chosen, strict=True) if is_in))


def world(seed: int) -> World:
    random = Random(seed)
    persons = list(range(TARGETS, PERSONS))
    random.shuffle(persons)
    friends, persons = persons[:ACQUAINTANCES], persons[ACQUAINTANCES:]
    crumbs = [BitMap64(_taken(persons, random.choice((0, 1, 1, 2)))) for _ in range(CRUMBS)]
    cuts = sorted([0, *(random.randrange(len(persons)) for _ in range(GROUPS - 1)), len(persons)])
    groups = [BitMap64(persons[start:end]) for start, end in pairwise(cuts)]
    key = seed.to_bytes(8) * 4
    return World(
        _secrets(seed),
        tuple(groups),
        tuple(crumbs),
        tuple(BitMap64([friend]) for friend in friends),
        Asked.of(BitMap64(range(PERSONS)), key),
        key,
        random,
    )


def union(*sets: BitMap64) -> BitMap64:
    return BitMap64().union(*sets)


def _taken(persons: list[int], count: int) -> list[int]:
    return [persons.pop() for _ in range(count)]


def _secrets(seed: int) -> tuple[bool, ...]:
    """Two hospitals in a row have opposite secrets: who guesses the same each time is right in just half of them."""
    coins = Random(seed // 2)
    return tuple(bool(coins.randrange(2)) != bool(seed % 2) for _ in range(TARGETS))
