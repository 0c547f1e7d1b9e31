"""The judge: what must hold at every stage once the storm is over. Pure: histories in, faults out."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

Step: TypeAlias = tuple[str, int]
"""A strand and a number on it."""

Kind = Literal["lost", "doubled", "out of order", "not asked for", "inbox", "unsaid", "put aside"]


@dataclass(frozen=True, slots=True)
class Said:
    """A record on a topic: its envelope's id, and the step that it tells of."""

    id: str
    step: Step


@dataclass(frozen=True, slots=True)
class Stage:
    """What one participant left behind.

    ``effects`` in the order of their writing; ``inbox`` the number of its rows, ``unsaid`` those of outbox and
    deferred, ``put_aside`` the dead letters; ``said`` and ``answers`` as they lie on its topic, by partition.
    """

    name: str
    effects: Sequence[Step]
    inbox: int
    unsaid: int
    put_aside: int
    said: Sequence[Said] | None = None
    answers: Sequence[Said] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    where: str
    what: str


def faults(wanted: Mapping[str, int], stage: Stage) -> list[Fault]:
    """Compare a stage with what was asked for: of each strand the numbers from 0 up to the one named, excluded."""
    told = {"said": stage.said, "answers": stage.answers}
    return [
        *_of_steps(wanted, f"{stage.name}: effects", stage.effects),
        *(
            fault
            for what, records in told.items()
            if records is not None
            for fault in _of_steps(wanted, f"{stage.name}: {what}", [said.step for said in each_once(records)])
        ),
        *_of_counts(stage),
    ]


def each_once(records: Sequence[Said]) -> list[Said]:
    """What a reader with an inbox takes: the first of each id."""
    first: dict[str, Said] = {}
    for said in records:
        first.setdefault(said.id, said)
    return list(first.values())


def _of_steps(wanted: Mapping[str, int], where: str, steps: Sequence[Step]) -> Iterator[Fault]:
    by_strand: defaultdict[str, list[int]] = defaultdict(list)
    for strand, number in steps:
        by_strand[strand].append(number)
    for strand in sorted(wanted.keys() | by_strand.keys()):
        for kind, numbers in _of_strand(range(wanted.get(strand, 0)), by_strand[strand]):
            if numbers:
                yield Fault(kind, where, f"{strand}: {len(numbers)}, from {numbers[:5]}")


def _of_strand(wanted: range, numbers: Sequence[int]) -> Iterator[tuple[Kind, list[int]]]:
    seen = Counter(numbers)
    yield "lost", [number for number in wanted if number not in seen]
    yield "doubled", [number for number, times in seen.items() if times > 1]
    yield "out of order", [later for earlier, later in pairwise(seen) if later < earlier]
    yield "not asked for", [number for number in seen if number not in wanted]


def _of_counts(stage: Stage) -> Iterator[Fault]:
    if stage.inbox != len(stage.effects):
        yield Fault("inbox", stage.name, f"{stage.inbox} rows for {len(stage.effects)} effects")
    if stage.unsaid:
        yield Fault("unsaid", stage.name, f"{stage.unsaid} rows are left")
    if stage.put_aside:
        yield Fault("put aside", stage.name, f"{stage.put_aside} records are dead letters")
