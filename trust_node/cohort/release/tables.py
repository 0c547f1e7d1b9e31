"""A table's cells, and the sums over them that were told before or may be asked for later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyroaring import BitMap64

from trust_node.cohort.release.deciding import Answer, Deciding
from trust_node.cohort.release.errors import TooFineError
from trust_node.cohort.release.hiding import Group, Margin, hidden_besides, hidden_within, margins_of
from trust_node.cohort.release.policy import Cell, ReleasePolicy
from trust_node.cohort.release.scale import CUT, Scale

Sums = Sequence[tuple[tuple[Group, ...], BitMap64]]


def is_sharp(scale: Scale) -> bool:
    """Whether the noise alone does not hide a small cell."""
    return CUT * scale.sigma < scale.policy.threshold


def sums_of(cells: Mapping[Group, BitMap64], scale: Scale) -> Sums:
    """Return the sums to look after; none where the noise alone hides a small cell."""
    if not is_sharp(scale):
        return []
    return [(groups, BitMap64.union(*(cells[group] for group in groups))) for groups in margins_of(cells)]


@dataclass(frozen=True, slots=True)
class Table:
    """`answers` by cell as they would be alone; `sums`: what their sums would be answered, by their cells."""

    answers: Mapping[Group, Answer]
    sums: Sequence[tuple[tuple[Group, ...], Answer]]
    scale: Scale

    @property
    def is_new(self) -> bool:
        return any(answer.is_new for answer in self.answers.values())

    def hiding(self) -> Mapping[Group, Answer]:
        """Return the answers with those taken out by which a hidden cell could be found; one told before stays."""
        released = {group: answer.persons for group, answer in self.answers.items() if answer.persons is not None}
        told = [Margin(groups, sum_.persons) for groups, sum_ in self.sums if not sum_.is_new and sum_.persons]
        error = self.scale.policy.rounding / 2 + CUT * self.scale.sigma
        hidden = self.answers.keys() - released.keys()
        more = hidden_besides(released, hidden, told, error=error, threshold=self.scale.policy.threshold)
        if is_sharp(self.scale):
            left = {group: self.answers[group].asked.members for group in released.keys() - more}
            more |= hidden_within(left, self.scale.policy.threshold)
        return {group: self._without(group, answer, more) for group, answer in self.answers.items()}

    def _without(self, group: Group, answer: Answer, more: set[Group]) -> Answer:
        return replace(answer, persons=None) if group in more and answer.is_new else answer

    def later_sums(self, answers: Mapping[Group, Answer]) -> list[Answer]:
        """Return the sums not told yet that have a hidden cell: they will be answered from the released cells only."""
        return [
            replace(sum_, basis=sum(answers[group].basis for group in groups if answers[group].persons is not None))
            for groups, sum_ in self.sums
            if sum_.is_new and any(answers[group].persons is None for group in groups)
        ]


def largest(cells: Mapping[Group, BitMap64], deciding: Deciding) -> Mapping[Group, BitMap64]:
    """Keep the cells that a table may have, the largest by their blurred numbers; nothing tells that there are more."""
    most = deciding.scale.policy.max_cells
    if len(cells) <= most:
        return cells
    sizes = {
        group: deciding.scale.blurred(len(persons), deciding.drawn(b"largest", persons.serialize()))
        for group, persons in cells.items()
    }
    return {group: cells[group] for group in sorted(cells, key=lambda group: (-sizes[group], str(group)))[:most]}


def cells_of(answers: Mapping[Group, Answer], policy: ReleasePolicy, most: int | None = None) -> tuple[Cell, ...]:
    """Return the released cells by key, the `most` largest of them; a hidden one is absent, as an empty one is.

    Raises
    ------
    TooFineError
        A key has more than `max_levels` levels among these.
    """
    kept = [Cell(group, answer.persons) for group, answer in answers.items() if answer.persons is not None]
    if most is not None:
        kept = sorted(kept, key=lambda cell: (-cell.persons, _place(cell)))[:most]
    if any(len(set(levels)) > policy.max_levels for levels in zip(*(cell.key for cell in kept), strict=True)):
        raise TooFineError(
            f"A key of the table has over {policy.max_levels} levels: group more coarsely, or ask for the largest by "
            f"ORDER BY the count DESC and LIMIT {policy.max_levels}."
        )
    return tuple(sorted(kept, key=_place))


def _place(cell: Cell) -> list[tuple[bool, bool, int, str]]:
    return [_order(part) for part in cell.key]


def _order(part: str | int | None) -> tuple[bool, bool, int, str]:
    return (part is None, isinstance(part, str), part if isinstance(part, int) else 0, str(part))
