"""From what was found to what is told: every figure goes through the release, in one transaction with its record."""

from collections.abc import Mapping
from typing import Any, Protocol

from pyroaring import BitMap64

from schemas.cohort import Cell, Spent, Statistic, Step
from schemas.sql.tabulation import Tabulation
from schemas.trust import CohortCounted, CountCohort
from trust_node.cohort import telling
from trust_node.cohort.asking import Question
from trust_node.cohort.concepts import TROUBLES
from trust_node.cohort.finding import Cells, Found
from trust_node.cohort.release import BudgetSpentError, Released, TooFineError
from trust_node.cohort.release import Cell as ReleasedCell
from trust_node.cohort.statistics.asked import Asked, as_text
from trust_node.cohort.statistics.members import lists_images


class Releases(Protocol):
    """What is needed of the release: what may leave of a set, of a table, of the studies of a set."""

    async def number(self, persons: BitMap64) -> Released | None: ...

    async def table(
        self, cells: Cells, limit: int | None = None, *, disjoint: bool = False, counts: int = 1
    ) -> tuple[ReleasedCell, ...]: ...

    async def studies(self, persons: BitMap64, per_person: Mapping[int, int]) -> int | None: ...

    async def spent(self) -> Spent: ...


async def answer(message: CountCohort, asked: Question, found: Found, releasing: Releases) -> CohortCounted:
    """Release the cohort, its studies, its rules and its statistics, in this order.

    Raises
    ------
    BudgetSpentError
        Nothing is left for the cohort; a rule for which nothing is left has no number, a statistic says so itself.
    """
    told = await _cohort(asked, found, releasing)
    told["attrition"] = [await _step(rule.name, left, releasing) for rule, left in found.rules]
    told["statistics"] = await _statistics(found, releasing, hidden=told["outcome"] != "counted")
    told["spent"] = await releasing.spent()
    return telling.counted(message, **told)


async def _cohort(asked: Question, found: Found, releasing: Releases) -> dict[str, Any]:
    if isinstance(found.cohort, BitMap64):
        told = await _number(found.cohort, found.studies, releasing)
        if isinstance(asked.cohort, Tabulation) and (told.get("persons") or 0) < asked.cohort.at_least:
            told = {"outcome": "suppressed"}
    else:
        told = await _table(asked.table, found.cohort, releasing)
    if told["outcome"] == "suppressed" and found.trouble:
        # Known of the vocabulary alone, so it tells nothing of who is hidden.
        return told | {"code": found.trouble, "reason": TROUBLES[found.trouble]}
    return told | _cut(told, asked)


async def _table(asked: Tabulation, cells: Cells, releasing: Releases) -> dict[str, Any]:
    try:
        limit = asked.limit if asked.largest_first else None
        released = await releasing.table(cells, limit, disjoint=asked.disjoint, counts=asked.counts)
    except TooFineError as error:
        return {"outcome": "refused", "code": error.code, "reason": str(error), "keys": asked.keys}
    shown = asked.shown(Cell(keys=as_text(cell.key), persons=cell.persons) for cell in released)
    return {"outcome": "counted" if released else "suppressed", "keys": asked.keys, "cells": shown}


async def _number(persons: BitMap64, per_person: Mapping[int, int] | None, releasing: Releases) -> dict[str, Any]:
    released = await releasing.number(persons)
    if released is None:
        return {"outcome": "suppressed"}
    studies = None if per_person is None else await releasing.studies(persons, per_person)
    return {"outcome": "counted", "persons": released.persons, "margin": released.margin, "studies": studies}


def _cut(told: Mapping[str, Any], asked: Question) -> dict[str, Any]:
    """Return the figures that a list's LIMIT leaves, made of released ones only."""
    rows = asked.cohort
    if isinstance(rows, Tabulation) or rows.limit is None:
        return {}
    figures = ("persons", "studies") if lists_images(rows) else ("persons",)
    return {name: min(told[name], rows.limit) for name in figures if told.get(name) is not None}


async def _step(name: str, left: BitMap64, releasing: Releases) -> Step:
    try:
        released = await releasing.number(left)
    except BudgetSpentError:
        # What has been decided of the cohort stays recorded: taken back, it would have told for nothing.
        released = None
    return Step(name=name, persons=None if released is None else released.persons)


async def _statistics(found: Found, releasing: Releases, *, hidden: bool) -> list[Statistic]:
    """Of a cohort that is hidden itself nothing is asked: no group of it could be told."""
    if hidden:
        return [_told(asked, missing=telling.NO_CELLS) for asked, _ in found.statistics]
    return [await _statistic(asked, cells, releasing) for asked, cells in found.statistics]


async def _statistic(asked: Asked, cells: Cells | None, releasing: Releases) -> Statistic:
    if cells is None:
        return _told(asked, missing=telling.NOT_HELD)
    try:
        released = await releasing.table(cells, disjoint=True)
    except BudgetSpentError:
        return _told(asked, missing=telling.SPENT)
    except TooFineError:
        return _told(asked, missing=telling.TOO_FINE)
    if not released:
        return _told(asked, missing=telling.NO_CELLS)
    labelled = asked.labelled(released)
    return _told(asked, tuple(Cell(keys=labels, persons=persons) for labels, persons in labelled.items()))


def _told(asked: Asked, cells: tuple[Cell, ...] = (), missing: str | None = None) -> Statistic:
    return Statistic(name=asked.name, title=asked.title, keys=asked.keys, unit=asked.unit, cells=cells, missing=missing)
