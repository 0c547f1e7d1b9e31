"""Queries against each other, by released figures only: versions of a cohort, differences, attrition."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from client.figures import about, joint_margin, standing
from client.labels import Keys, in_order
from client.tables import SideBySide, side_by_side
from schemas.cohort import Step, TrustCounted
from schemas.views import QueryView


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after; None is hidden, or there is none: ``words`` say which.

    ``margin`` is that of the difference; ``within`` says whether chance alone may explain it (None: unknown).
    """

    where: str
    before: int | None
    after: int | None
    margin: int | None
    words: tuple[str, str]

    @property
    def by(self) -> int | None:
        return self.after - self.before if self.before and self.after else None

    @property
    def within(self) -> bool | None:
        if self.by == 0:
            return True
        return None if self.by is None or self.margin is None else abs(self.by) <= self.margin


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What differs in one table that a trust told both times: the cells, in words, before and after."""

    name: str
    title: str
    captions: Keys
    cells: tuple[tuple[Keys, Change], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two queries: figures of each trust that both asked, of all, tables, lines of the text.

    ``total`` sums the trusts that released both figures, so that it compares the same trusts.
    """

    trusts: tuple[Change, ...]
    total: Change
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    tables: tuple[TableDifference, ...]
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a cohort, and its runs, oldest first."""

    cohort: str
    number: int
    runs: tuple[QueryView, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """What a rule took away, by released figures; None where either figure is hidden."""

    rule: str
    left: int | None
    lost: int | None


def difference(before: QueryView, after: QueryView) -> Difference:
    changes = tuple(_change(before, after, trust) for trust in before.trusts if trust in after.trusts)
    return Difference(
        trusts=changes,
        total=_summed([change for change in changes if change.before and change.after]),
        only_before=tuple(trust for trust in before.trusts if trust not in after.trusts),
        only_after=tuple(trust for trust in after.trusts if trust not in before.trusts),
        tables=_tables(before, after),
        text=_text(before, after),
    )


def _tables(before: QueryView, after: QueryView) -> tuple[TableDifference, ...]:
    earlier = {beside.name: beside for beside in side_by_side(before)}
    both = [(earlier[later.name], later) for later in side_by_side(after) if later.name in earlier]
    return tuple(_table(old, new) for old, new in both if old.keys == new.keys)


def _table(old: SideBySide, new: SideBySide) -> TableDifference:
    trusts = [trust for trust in old.told if trust in new.told]
    cells = [
        (new.spoken(keys), Change(trust, was, now, None, (about(was), about(now))))
        for keys in in_order((*old.rows, *new.rows))
        for trust in trusts
        if (was := old.persons(keys, trust)) != (now := new.persons(keys, trust))
    ]
    return TableDifference(new.name, new.title, new.captions, tuple(cells))


def _summed(changes: list[Change]) -> Change:
    before = sum(change.before or 0 for change in changes) or None
    after = sum(change.after or 0 for change in changes) or None
    margin = joint_margin(change.margin for change in changes)
    return Change("both told", before, after, margin, (about(before), about(after)) if changes else ("", ""))


def _change(before: QueryView, after: QueryView, trust: str) -> Change:
    old, new = before.answers.get(trust), after.answers.get(trust)
    return Change(
        trust,
        (old.persons or None) if old else None,
        (new.persons or None) if new else None,
        joint_margin(answer.margin if answer else None for answer in (old, new)),
        (_word(old), _word(new)),
    )


def _word(answer: TrustCounted | None) -> str:
    told = answer is not None and (answer.persons or answer.outcome == "suppressed")
    return about(answer.persons, answer.margin) if answer and told else standing(answer, None)


def _text(before: QueryView, after: QueryView) -> tuple[str, ...]:
    old, new = ((view.sql or "").splitlines() for view in (before, after))
    return tuple(difflib.unified_diff(old, new, before.query_id, after.query_id, lineterm=""))


def versions(views: Iterable[QueryView]) -> tuple[Version, ...]:
    """The queries of a project, in the order they were asked, by cohort and version."""
    runs: dict[tuple[str, int], list[QueryView]] = {}
    for view in views:
        runs.setdefault((view.cohort or "cohort", view.version or 0), []).append(view)
    return tuple(Version(*named, tuple(runs[named])) for named in sorted(runs))


def losses(steps: Iterable[Step]) -> tuple[Loss, ...]:
    """What each rule took from those whom the rule before it left; the first is where counting begins."""
    before: int | None = None
    made: list[Loss] = []
    for step in steps:
        left = step.persons or None
        made.append(Loss(step.name, left, max(0, before - left) if before and left else None))
        before = left
    return tuple(made)


def heaviest(view: QueryView) -> tuple[str, int] | None:
    """The rule that loses most and how many, summed over the trusts that tell both figures; None if nothing is lost."""
    summed: dict[str, int] = {}
    for answer in view.answers.values():
        for loss in losses(answer.attrition):
            summed[loss.rule] = summed.get(loss.rule, 0) + (loss.lost or 0)
    rule = max(summed, key=summed.__getitem__, default=None)
    return (rule, summed[rule]) if rule is not None and summed[rule] else None
