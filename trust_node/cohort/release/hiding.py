"""Complementary suppression: no cell that is hidden can be found by subtracting released cells from a released sum."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap64

from trust_node.cohort.release.policy import Key

Group = tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Margin:
    """The released `persons` of the union of these cells."""

    groups: tuple[Group, ...]
    persons: int


def margins_of(groups: Collection[Group]) -> list[tuple[Group, ...]]:
    """Return the sums that a reader may ask for: of all cells, and of each level of each of several keys."""
    width = len(next(iter(groups), ()))
    levels = {(at, group[at]) for group in groups for at in range(width)} if width > 1 else set()
    sums = [tuple(group for group in groups if group[at] == level) for at, level in levels]
    return [members for members in (tuple(groups), *sums) if len(members) > 1]


def hidden_besides(
    released: Mapping[Group, int], small: Collection[Group], margins: Sequence[Margin], *, error: float, threshold: int
) -> set[Group]:
    """Return which cells to hide beside the `small` ones, so that each of those may still be 0 to threshold - 1.

    `error`: by how much any released number may differ from the true one. A cell without persons is small too, and
    looks the same: so a sum without a small cell is treated as if it had one. Where several sums of one table are
    told, one can be taken from the other, and no cell is released.
    """
    if len(margins) > 1:
        return set(released)
    shown = dict(released)
    for margin in margins:
        while removable := _narrowing(margin, shown, small, error, threshold):
            del shown[min(removable, key=lambda group: (shown[group], str(group)))]
    return released.keys() - shown.keys()


def hidden_within(members: Mapping[Group, BitMap64], threshold: int) -> set[Group]:
    """Return which released cells to hide, so that none less those within it leaves 1 to threshold - 1 persons.

    `members`: of each released cell; where none has a person of another there is nothing to hide.
    """
    shown = dict(members)
    if shown and sum(map(len, shown.values())) > len(BitMap64.union(*shown.values())):
        while inside := _exposing(shown, threshold):
            del shown[min(inside, key=lambda group: (len(shown[group]), str(group)))]
    return members.keys() - shown.keys()


def _exposing(shown: Mapping[Group, BitMap64], threshold: int) -> list[Group]:
    """Return the cells within one that together leave too few of it, else nothing."""
    for whole in shown.values():
        inside = [group for group, part in shown.items() if part < whole]
        rest = len(whole - BitMap64.union(*(shown[group] for group in inside))) if inside else 0
        if 0 < rest < threshold:
            return inside
    return []


def _narrowing(
    margin: Margin, shown: Mapping[Group, int], small: Collection[Group], error: float, threshold: int
) -> list[Group]:
    """Return the margin's shown cells if together with it they narrow what is hidden, else nothing."""
    inside = [group for group in margin.groups if group in shown]
    rest, slack = margin.persons - sum(shown[group] for group in inside), error * (1 + len(inside))
    alone = len(margin.groups) - len(inside) == 1 and any(group in small for group in margin.groups)
    return inside if rest + slack < threshold - 1 or (alone and rest - slack > 0) else []
