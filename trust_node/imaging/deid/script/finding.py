"""Finds the elements of a dataset that a tag path means, at every depth."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from pydicom import DataElement, Dataset

from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.paths import Step, TagPath, TagStep, Wildcard

DEEPEST = 64
_CREATORS = range(0x10, 0x100)
_BLOCK = 0x1000
STEPS_OF_AN_ELEMENT = 4
# Tag, private creator, positions in the path, item.
_Key = tuple[int, str | None, frozenset[int], int | None]


@dataclass(frozen=True, slots=True)
class Found:
    """An element in the dataset or item that owns it, or one of its items; `path` says where, without a value."""

    owner: Dataset
    tag: int
    path: str
    item: int | None = None


@dataclass(frozen=True, slots=True)
class _Walk:
    steps: tuple[Step, ...]
    last_item: int | None
    budget: Budget
    found: list[Found] = field(default_factory=list)
    known: dict[_Key, frozenset[int]] = field(default_factory=dict)

    @property
    def tells_items_apart(self) -> bool:
        return any(isinstance(step, TagStep) and step.item is not None for step in self.steps)


def find(dataset: Dataset, path: TagPath, budget: Budget) -> list[Found]:
    """Return what `path` means in `dataset`, in the order of the file; an empty list where there is nothing.

    A step uses up one element of the way, `.` any one, `+` one or more, `*` any number: wildcards at the end mean
    elements as well.
    """
    walk = _Walk(_without_plus(path), path.item, budget)
    _visit(walk, dataset, _reached(walk.steps, {0}), "")
    return walk.found


def everywhere(dataset: Dataset, budget: Budget) -> list[Found]:
    """Return every element at every depth."""
    return find(dataset, TagPath((Wildcard("+"),)), budget)


def creator_of(dataset: Dataset, tag: int) -> str | None:
    """Return who reserved the block that the private element `tag` is in (PS3.5 7.8.1)."""
    if not (tag >> 16) % 2 or tag & 0xFFFF < _BLOCK:
        return None
    creator = tag & 0xFFFF0000 | (tag & 0xFF00) >> 8
    return str(element_at(dataset, creator).value or "").strip() if creator in dataset else None


def is_private(tag: int) -> bool:
    return (tag >> 16) % 2 == 1


def is_creator(tag: int) -> bool:
    return is_private(tag) and tag & 0xFFFF in _CREATORS


def element_at(dataset: Dataset, tag: int) -> DataElement:
    """Return the element `tag`, read; raises CannotError where its bytes make no sense."""
    try:
        return dataset[tag]
    except Exception:  # noqa: BLE001  hostile bytes break a parser in any way it knows, and it quotes them
        raise CannotError(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) can't be read") from None


def items_of(dataset: Dataset, tag: int) -> list[Dataset]:
    """Return the items of a sequence, an empty list for every other element."""
    if dataset.get_item(tag).VR not in {"SQ", "UN", None}:
        return []
    element = element_at(dataset, tag)
    return list(cast("Iterable[Dataset]", element.value or ())) if element.VR == "SQ" else []


def _without_plus(path: TagPath) -> tuple[Step, ...]:
    plus, expanded = Wildcard("+"), (Wildcard("."), Wildcard("*"))
    return tuple(part for step in path.steps for part in (expanded if step == plus else (step,)))


def _reached(steps: tuple[Step, ...], positions: Iterable[int]) -> frozenset[int]:
    """Add to `positions` those behind a `*`, which may stand for nothing."""
    reached = set(positions)
    for position in range(len(steps)):
        if position in reached and steps[position] == Wildcard("*"):
            reached.add(position + 1)
    return frozenset(reached)


def _visit(walk: _Walk, dataset: Dataset, positions: frozenset[int], prefix: str) -> None:
    if prefix.count("/") > DEEPEST:
        raise CannotError(f"the object is nested deeper than {DEEPEST} levels")
    end = len(walk.steps)
    for tag in _candidates(walk, dataset, positions):
        walk.budget.spend(STEPS_OF_AN_ELEMENT)
        moved = _moved(walk, dataset, tag, positions)
        if end in moved:
            _take(walk, dataset, tag, prefix + _named(tag))
        if moved - {end}:
            for number, item in enumerate(items_of(dataset, tag)):
                inside = _moved(walk, dataset, tag, positions, number) - {end}
                _visit(walk, item, inside, f"{prefix}{_named(tag)}[{number}]/")


def _named(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _candidates(walk: _Walk, dataset: Dataset, positions: frozenset[int]) -> list[int]:
    """Return the tags worth a look: all, unless only named elements can come next."""
    named = [step for step in (walk.steps[at] for at in positions if at < len(walk.steps)) if _is_named(step)]
    if len(named) == sum(at < len(walk.steps) for at in positions):
        return [tag for tag in sorted({step.tag for step in named if isinstance(step, TagStep)}) if tag in dataset]
    return sorted(dataset.keys())


def _is_named(step: Step) -> bool:
    return isinstance(step, TagStep) and step.is_exact and step.creator is None


def _moved(
    walk: _Walk, dataset: Dataset, tag: int, positions: frozenset[int], item: int | None = None
) -> frozenset[int]:
    """Return the positions after the element `tag`, or inside its item number `item`; remembered, for items repeat."""
    key = (tag, creator_of(dataset, tag), positions, item if walk.tells_items_apart else None)
    if key not in walk.known:
        walk.known[key] = _reached(walk.steps, _advance(walk.steps, key))
    return walk.known[key]


def _advance(steps: tuple[Step, ...], key: _Key) -> Iterator[int]:
    tag, creator, positions, item = key
    for at in positions - {len(steps)}:
        step = steps[at]
        if isinstance(step, Wildcard):
            yield at if step.sign == "*" else at + 1
        elif step.fits(tag, creator) and (item is None or step.item in {None, item}):
            yield at + 1


def _take(walk: _Walk, dataset: Dataset, tag: int, here: str) -> None:
    if walk.last_item is None:
        walk.found.append(Found(dataset, tag, here))
    elif walk.last_item < len(items_of(dataset, tag)):
        walk.found.append(Found(dataset, tag, f"{here}[{walk.last_item}]", walk.last_item))
