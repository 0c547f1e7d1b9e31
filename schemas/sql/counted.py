"""One SELECT with counts of its own, as the SELECTs of the persons behind each of its counts."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import postgast

from schemas.sql.allowed import GROUPABLE, Kind
from schemas.sql.columns import Column
from schemas.sql.constants import whole
from schemas.sql.counts import Count, bare, is_count, read_counts
from schemas.sql.grouping import check_groups, grouping_sets, is_grouped, read_order, read_threshold, title
from schemas.sql.outputs import default_name
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Relation, Selection
from schemas.sql.selects import read_select
from schemas.sql.sublinks import is_aggregate
from schemas.sql.trees import absent, children, conjunction, copied, named_target, put

MAX_KEYS = 4
_MAX_LIMIT = 1_000_000
COMPUTED = "A count can't be computed with; select it as it is, and work out shares from the released numbers."


@dataclass(frozen=True, slots=True)
class Counted:
    """One count: SELECTs of the keys and, as the last column, the person; together they are its cells."""

    title: str
    branches: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A query with counts. `columns`: the names of what it selects; `counts`: which of these are which count.

    `texts`: places of keys that are texts, dates or times. The rest is what it says of its own counts, for after
    release.
    """

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Mapping[int, int]
    counted: tuple[Counted, ...]
    at_least: int = 0
    largest_first: bool = False
    limit: int | None = None
    texts: frozenset[int] = frozenset()


def read_counted(statement: Any, named: Mapping[str, Relation]) -> Table:
    """Read a SELECT that has counts of its own; `named`: the queries of WITH.

    Raises
    ------
    RefusedQueryError
        It isn't of the form: grouping columns, counts of persons.
    """
    sets, flat = grouping_sets(statement)
    selection = read_select(flat, None, named)
    targets = list(flat.target_list)
    keys = [(at, target) for at, target in enumerate(targets, 1) if not is_count(target.res_target.val)]
    _check_keys(targets, selection)
    check_groups(flat, targets, [key for _, key in keys], selection, MAX_KEYS)
    counts = read_counts(targets, selection)
    titles = tuple(title(key, at) for at, (_, key) in enumerate(keys, 1))
    columns = tuple(target.res_target.name or default_name(target.res_target.val) for target in targets)
    places = [at for at, target in enumerate(targets) if is_count(target.res_target.val)]
    counts_at = {place: at for at, place in enumerate(places)}
    return Table(
        titles,
        columns,
        counts_at,
        tuple(
            Counted(_title(count, names), (_branch(flat, shown, titles, count),))
            for shown, names in _groupings(keys, titles, sets)
            for count in counts
        ),
        read_threshold(flat),
        read_order(flat, columns, counts_at, targets),
        limit_of(flat),
        frozenset(place for place, (at, _) in enumerate(keys) if _is_text(selection.outputs[at - 1][1])),
    )


def _is_text(column: Column) -> bool:
    return column.moment or column.kind is Kind.LABEL or math.isinf(column.reach)


def limit_of(statement: Any) -> int | None:
    """Return the number of rows that the query asks for; of the released cells, so many are shown."""
    if not statement.HasField("limit_count"):
        return None
    constant = statement.limit_count.a_const
    option = postgast.pg_query_pb2.LimitOption.Name(statement.limit_option)
    if not whole(statement.limit_count, 1, _MAX_LIMIT) or option != "LIMIT_OPTION_COUNT":
        raise RefusedQueryError(RefusalCode.LIMIT, "LIMIT takes a plain number.", constant.location)
    return int(constant.ival.ival)


def _check_keys(targets: list[Any], selection: Selection) -> None:
    if len(targets) != len(selection.outputs):
        raise RefusedQueryError(RefusalCode.STAR, "Name the columns to group by; * can't stand beside a count.")
    for target, (_, column) in zip(targets, selection.outputs, strict=True):
        if not is_count(target.res_target.val):
            _check_key(target.res_target, column)


def _check_key(target: Any, column: Column) -> None:
    if column.kind is Kind.PERSON:
        raise RefusedQueryError(
            RefusalCode.OUTPUT,
            "Counts of each person can't be selected; for a list select person_id alone, with the count in HAVING.",
            target.location,
        )
    if has_count(target.val):
        raise RefusedQueryError(RefusalCode.OUTPUT, COMPUTED, target.location)
    if any(is_aggregate(call) for call in _calls(target.val)):
        raise RefusedQueryError(
            RefusalCode.GROUPING,
            "Means, sums and extremes come as statistics of the cohort; beside counts, group by bands of the value.",
            target.location,
        )
    if column.kind not in GROUPABLE or _has_window(target.val):
        raise RefusedQueryError(
            RefusalCode.OUTPUT if column.identifies else RefusalCode.GROUPING,
            "Group only by concepts, their names, year_of_birth, or a date or number made coarse by "
            "extract(year from ...) or floor(...); statistics of values come with the cohort.",
            target.location,
        )


def has_count(node: Any) -> bool:
    return any(is_count(bare(call)) for call in _calls(node))


def _has_window(node: Any) -> bool:
    return any(call.HasField("over") for call in _calls(node))


def _calls(node: Any) -> list[Any]:
    """Return the calls in an expression, without those in subqueries of it."""
    found, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        if part.DESCRIPTOR.name == "FuncCall":
            found.append(part)
        waiting += [] if part.DESCRIPTOR.name == "SubLink" else children(part)
    return found


def _groupings(
    keys: list[tuple[int, Any]], titles: tuple[str, ...], sets: list[list[Any]]
) -> Iterator[tuple[list[Any], list[str] | None]]:
    """Yield the keys of each grouping set, where those that it leaves out are empty, and the names of the others."""
    if len(sets) == 1:
        yield [key for _, key in keys], None
        return
    for groups in sets:
        kept = [is_grouped(key.res_target, at, groups) for at, key in keys]
        shown = [key if keep else absent(key.res_target.val) for keep, (_, key) in zip(kept, keys, strict=True)]
        yield shown, [name for keep, name in zip(kept, titles, strict=True) if keep]


def _title(count: Count, names: list[str] | None) -> str:
    if names is None:
        return count.title
    return f"{count.title} by {', '.join(names)}" if names else f"{count.title} of all"


def _branch(statement: Any, keys: list[Any], titles: tuple[str, ...], count: Count) -> Any:
    branch = copied(statement)
    named = [named_target(key, name) for key, name in zip(keys, titles, strict=True)]
    put(branch.target_list, [*named, named_target(count.person, "person_id")])
    put(branch.distinct_clause, [postgast.pg_query_pb2.Node()])
    for clause in (branch.group_clause, branch.sort_clause):
        put(clause, [])
    for clause in ("having_clause", "limit_count", "limit_option", "with_clause"):
        branch.ClearField(clause)
    branch.limit_option = postgast.pg_query_pb2.LimitOption.Value("LIMIT_OPTION_DEFAULT")
    if count.condition is not None:
        branch.where_clause.CopyFrom(conjunction(statement, count.condition))
    return branch
