"""Counts of distinct persons per cell, whatever the query's own counts were.

Counting rows would let one person's many rows pass the threshold, or carry a person's value out as a number. So the
query is rewritten to select each cell's persons, and the trust counts them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import postgast

from schemas.cohort import Cell
from schemas.sql.allowed import GROUPABLE
from schemas.sql.columns import Column
from schemas.sql.counts import Count, bare, is_count, read_counts
from schemas.sql.grouping import check_groups, read_order, read_threshold, title
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Selection
from schemas.sql.shape import Parsed, check_nodes
from schemas.sql.trees import conjunction, copied, named_target, put, text_target, union_of

MAX_KEYS = 4
MEASURE = "count_of"
"""The key that tells several counts of one query apart."""


@dataclass(frozen=True, slots=True)
class Tabulation:
    """Counts of distinct persons. `sql` selects the keys first, then the person: a row for each of a cell's persons.

    What the query says of its own counts is for after release, on released counts only: `at_least` (HAVING),
    `largest_first` (ORDER BY a count, falling) and `limit`. `shown` does all three.
    """

    sql: str
    keys: tuple[str, ...]
    at_least: int = 0
    largest_first: bool = False
    limit: int | None = None

    def shown(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """Return the released cells that the query asks for, in its order."""
        kept = [cell for cell in cells if not self.at_least or (cell.persons or 0) >= self.at_least]
        if self.largest_first:
            kept.sort(key=lambda cell: -(cell.persons or 0))
        return tuple(kept[: self.limit])


def tabulate(parsed: Parsed, selection: Selection) -> Tabulation:
    """Turn a checked query with counts into one that selects the persons behind each cell.

    Raises
    ------
    RefusedQueryError
        The query isn't of the form: grouping columns, counts of persons.
    """
    statement = parsed.select
    targets = list(statement.target_list)
    keys = [target for target in targets if not is_count(target.res_target.val)]
    _check_keys(targets, selection)
    check_groups(statement, targets, keys, selection, MAX_KEYS)
    counts = read_counts(targets, selection)
    sql = _rewritten(parsed.tree, keys, counts)
    titles = [title(key, at) for at, key in enumerate(keys, 1)] + [MEASURE] * (len(counts) > 1)
    return Tabulation(
        sql,
        tuple(titles),
        read_threshold(statement),
        read_order(statement, targets),
        _limit(statement),
    )


def _limit(statement: Any) -> int | None:
    if not statement.HasField("limit_count"):
        return None
    constant = statement.limit_count.a_const
    option = postgast.pg_query_pb2.LimitOption.Name(statement.limit_option)
    if not constant.HasField("ival") or option != "LIMIT_OPTION_COUNT":
        raise RefusedQueryError(RefusalCode.LIMIT, "LIMIT takes a plain number.", constant.location)
    return int(constant.ival.ival)


def _check_keys(targets: list[Any], selection: Selection) -> None:
    if len(targets) != len(selection.outputs):
        raise RefusedQueryError(RefusalCode.STAR, "Name the columns to group by; * can't stand beside a count.")
    for target, (_, column) in zip(targets, selection.outputs, strict=True):
        if not is_count(target.res_target.val):
            _check_key(target.res_target, column)


def _check_key(target: Any, column: Column) -> None:
    if column.kind not in GROUPABLE or _has_window_or_aggregate(target.val):
        raise RefusedQueryError(
            RefusalCode.OUTPUT if column.identifies else RefusalCode.GROUPING,
            "Group only by concepts, their names, year_of_birth, or a date or number made coarse by "
            "extract(year from ...) or floor(...); statistics of values come with the cohort.",
            target.location,
        )


def _has_window_or_aggregate(node: Any) -> bool:
    if node.HasField("sub_link"):
        return False
    calls = [part for _, part in postgast.walk(node) if part.DESCRIPTOR.name == "FuncCall"]
    return any(call.HasField("over") or is_count(bare(call)) for call in calls)


def _rewritten(tree: Any, keys: list[Any], counts: list[Count]) -> str:
    whole = copied(tree)
    statement = whole.stmts[0].stmt.select_stmt
    branches = [_branch(statement, keys, count, measured=len(counts) > 1) for count in counts]
    with_clause = copied(statement.with_clause) if statement.HasField("with_clause") else None
    for branch in branches:
        branch.ClearField("with_clause")
    union = union_of(branches)
    if with_clause:
        union.with_clause.CopyFrom(with_clause)
    statement.CopyFrom(union)
    check_nodes(whole.stmts[0].stmt)
    return str(postgast.deparse(whole))


def _branch(statement: Any, keys: list[Any], count: Count, *, measured: bool) -> Any:
    branch = copied(statement)
    named = [named_target(key, title(key, at)) for at, key in enumerate(keys, 1)]
    measure = [text_target(count.title, MEASURE)] if measured else []
    put(branch.target_list, [*named, *measure, named_target(count.person, "person_id")])
    put(branch.distinct_clause, [postgast.pg_query_pb2.Node()])
    for clause in (branch.group_clause, branch.sort_clause):
        put(clause, [])
    for clause in ("having_clause", "limit_count", "limit_option"):
        branch.ClearField(clause)
    branch.limit_option = postgast.pg_query_pb2.LimitOption.Value("LIMIT_OPTION_DEFAULT")
    if count.condition is not None:
        branch.where_clause.CopyFrom(conjunction(statement, count.condition))
    return branch
