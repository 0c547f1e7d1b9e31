"""Ask the warehouse all that a question asks, part by part; what is found stays in the trust."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pyroaring import BitMap64

from schemas.sql.judge import Frame, Listing
from schemas.sql.tabulation import Tabulation
from trust_node.cohort.asking import Question, Rule
from trust_node.cohort.release import Key
from trust_node.cohort.statistics.asked import Asked
from trust_node.cohort.vocabulary import Asked as AsksVocabulary
from trust_node.cohort.vocabulary import Trouble, vocabulary_trouble
from trust_node.cohort.warehouse.faults import AWAY, BY_QUERY, TooManyCellsError, WarehouseError

OF_VOCABULARY = re.compile(r"\bconcept(_ancestor|_relationship|_synonym)?\b", re.IGNORECASE)

Cells = Mapping[tuple[Key, ...], BitMap64]
Advanced = Callable[[], Awaitable[None]]


class AsksWarehouse(AsksVocabulary, Protocol):
    """What is needed of the warehouse. All raise WarehouseError, `cells` TooManyCellsError over its limit."""

    def persons(self, rows: Listing | Frame) -> Awaitable[BitMap64]: ...

    def studies(self, rows: Listing | Frame) -> Awaitable[Mapping[int, int]]: ...

    def cells(self, table: Tabulation, limit: int) -> Awaitable[Cells]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """`studies`: by person; None for a table of counts. `statistics`: None where the warehouse cannot tell.

    `trouble`: what is missing of the vocabulary that the query asks of. `failed`: a statistic's query failed.
    """

    cohort: BitMap64 | Cells
    studies: Mapping[int, int] | None = None
    rules: tuple[tuple[Rule, BitMap64], ...] = ()
    statistics: tuple[tuple[Asked, Cells | None], ...] = ()
    trouble: Trouble | None = None
    failed: bool = False


async def find(question: Question, warehouse: AsksWarehouse, max_cells: int, advanced: Advanced) -> Found:
    """Ask one part after the other; `advanced` is awaited after each.

    Raises
    ------
    WarehouseError
        The cohort or a rule could not be counted, or the warehouse is away; a statistic that fails otherwise is one
        that cannot be told.
    TooManyCellsError
        The query's own table is too large; a statistic that is too large is one that cannot be told.
    """
    cohort, studies = await _cohort(question.cohort, warehouse, max_cells)
    await advanced()
    rules = []
    for rule in question.rules:
        rules.append((rule, await warehouse.persons(rule.listing)))
        await advanced()
    statistics: list[tuple[Asked, Cells | None]] = []
    failed = False
    for asked in question.statistics:
        try:
            cells = await _cells(asked, warehouse, max_cells)
        except WarehouseError as error:
            if error.fault in AWAY:
                raise
            cells, failed = None, failed or error.fault in BY_QUERY
        statistics.append((asked, cells))
        await advanced()
    trouble = await _trouble(question.cohort.sql, warehouse)
    return Found(cohort, studies, tuple(rules), tuple(statistics), trouble, failed)


async def _trouble(sql: str, warehouse: AsksWarehouse) -> Trouble | None:
    if not OF_VOCABULARY.search(sql):
        return None
    trouble = await vocabulary_trouble(warehouse)
    return None if trouble == "empty_hierarchy" and "concept_ancestor" not in sql.lower() else trouble


async def _cohort(
    asked: Listing | Frame | Tabulation, warehouse: AsksWarehouse, max_cells: int
) -> tuple[BitMap64 | Cells, Mapping[int, int] | None]:
    if isinstance(asked, Tabulation):
        cells = await warehouse.cells(asked, max_cells)
        return (cells if asked.keys else cells.get((), BitMap64())), None
    return await warehouse.persons(asked), await warehouse.studies(asked)


async def _cells(asked: Asked, warehouse: AsksWarehouse, max_cells: int) -> Cells | None:
    try:
        return await warehouse.cells(asked.tabulation, max_cells)
    except TooManyCellsError:
        return None
