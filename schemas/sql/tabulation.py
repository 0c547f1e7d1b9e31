"""Counts of distinct persons per cell, whatever the query's own counts were.

Counting rows would let one person's many rows pass the threshold, or carry a person's value out as a number. So the
query is rewritten to select each cell's persons, and the trust counts them.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Any

import postgast

from schemas.cohort import Cell
from schemas.sql.composed import Composing
from schemas.sql.counted import Counted, Table
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.shape import Parsed, check_nodes
from schemas.sql.trees import alike, copied, put, short_text, text_target, union_of

MEASURE = "count_of"
"""The key that tells several counts of one query apart."""


@dataclass(frozen=True, slots=True)
class Tabulation:
    """Counts of distinct persons. `sql` selects the keys first, then the person: a row for each of a cell's persons.

    What the query says of its own counts is for after release, on released counts only: `at_least` (HAVING),
    `largest_first` (ORDER BY a count, falling) and `limit`. `shown` does all three. `counts`: how many there are, so
    in how many cells a person may be by that alone. `disjoint`: nobody is in two, by the form of the query.
    """

    sql: str
    keys: tuple[str, ...]
    at_least: int = 0
    largest_first: bool = False
    limit: int | None = None
    counts: int = 1
    disjoint: bool = False

    def shown(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """Return the released cells that the query asks for, in its order."""
        kept = [cell for cell in cells if not self.at_least or (cell.persons or 0) >= self.at_least]
        if self.largest_first:
            kept.sort(key=lambda cell: -(cell.persons or 0))
        return tuple(kept[: self.limit])


def tabulate(parsed: Parsed) -> Tabulation:
    """Turn a query with counts into one that selects the persons behind each cell.

    Raises
    ------
    RefusedQueryError
        The query isn't of the form: grouping columns, counts of persons.
    """
    composing = Composing()
    table = composing.read(copied(parsed.select))
    counted = _distinct(table.counted)
    measured = len(counted) > 1
    branches = [_released(branch, count, table, measured) for count in counted for branch in count.branches]
    return Tabulation(
        _written(parsed.tree, composing.queries.values(), branches),
        table.keys + (MEASURE,) * measured,
        table.at_least,
        table.largest_first,
        table.limit,
        len(counted),
        len(branches) == 1 and _is_of_person(branches[0], composing.queries),
    )


def _is_of_person(branch: Any, queries: Container[str]) -> bool:
    """Whether a SELECT has one row for each person, because it reads the table `person` and nothing beside it."""
    return [entry.range_var.relname for entry in branch.from_clause] == ["person"] and "person" not in queries


def _distinct(counted: Iterable[Counted]) -> list[Counted]:
    """Return each count once, counts of the same persons are one, and each under a name of its own."""
    found: dict[str, Counted] = {}
    for number, count in enumerate(counted, 1):
        name = count.title.strip() or f"count_{number}"
        while name in found:
            name += f"_{number}"
        if all(count.branches != known.branches for known in found.values()):
            found[name] = replace(count, title=name)
    return list(found.values())


def _released(branch: Any, count: Counted, table: Table, measured: bool) -> Any:
    """Return a branch with the name of its count as another key, if there are several, and texts cut short.

    A day that a driver can't read, or a label of megabytes, would show as an error.
    """
    *keys, person = map(copied, branch.target_list)
    for at in table.texts:
        keys[at].res_target.val.CopyFrom(short_text(keys[at].res_target.val))
    put(branch.target_list, [*keys, *[text_target(count.title, MEASURE)] * measured, person])
    return branch


def _written(tree: Any, queries: Iterable[Any], branches: list[Any]) -> str:
    whole = copied(tree)
    union = union_of(branches)
    put(union.with_clause.ctes, list(queries))
    if not union.with_clause.ctes:
        union.ClearField("with_clause")
    whole.stmts[0].stmt.select_stmt.CopyFrom(union)
    check_nodes(whole.stmts[0].stmt)
    return _deparsed(whole)


def _deparsed(tree: Any) -> str:
    """Return the text of a tree, known to be read as this tree again: the deparser forgets some brackets."""
    text = str(postgast.deparse(tree))
    if not _reads_as(text, tree):
        raise RefusedQueryError(
            RefusalCode.FORM,
            "Brackets around AND or OR are lost before IN, IS or a comparison; write CASE WHEN a OR b THEN 1 END.",
        )
    return text


def _reads_as(text: str, tree: Any) -> bool:
    try:
        again = postgast.parse(text)
    except postgast.PgQueryError:
        return False
    return alike(again.stmts[0].stmt, tree.stmts[0].stmt)
