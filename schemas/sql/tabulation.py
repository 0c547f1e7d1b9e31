"""Counts of distinct persons per cell, whatever the query's own counts were.

Counting rows would let one person's many rows pass the threshold, or carry a person's value out as a number.
"""

from dataclasses import dataclass
from typing import Any

import postgast

from schemas.sql.allowed import GROUPABLE, IDENTIFIERS, Kind
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Column, Selection
from schemas.sql.selects import read_select
from schemas.sql.shape import Parsed

MAX_KEYS = 4


@dataclass(frozen=True, slots=True)
class Tabulation:
    """Counts of distinct persons. `sql` selects the keys first, then the persons of each cell."""

    sql: str
    keys: tuple[str, ...]


def is_count(node: Any) -> bool:
    call = node.func_call
    return bool(call.funcname) and call.funcname[-1].string.sval == "count" and not call.HasField("over")


def tabulate(parsed: Parsed) -> Tabulation:
    """Turn a checked query with counts into one that counts distinct persons behind each cell.

    Raises
    ------
    RefusedQueryError
        The query isn't of the form: grouping columns, counts of persons.
    """
    statement = parsed.select
    _check_clauses(statement)
    keys, counts = _targets(statement)
    _check_groups(statement, keys)
    for item in statement.sort_clause:
        _check_order(item.sort_by.node)
    _arrange(statement, keys, counts)
    selection = read_select(statement, None, {})
    _check_keys(selection.outputs[: len(keys)])
    persons = _persons(selection)
    for target in counts:
        _check_count(target.res_target.val.func_call, persons)
    _replace(statement.target_list, [*keys, _count_of(persons[0])])
    return Tabulation(postgast.deparse(parsed.tree), tuple(_title(key, at) for at, key in enumerate(keys, 1)))


def _targets(statement: Any) -> tuple[list[Any], list[Any]]:
    copies = [_copy(target) for target in statement.target_list]
    keys = [target for target in copies if not is_count(target.res_target.val)]
    return keys, [target for target in copies if is_count(target.res_target.val)]


def _arrange(statement: Any, keys: list[Any], counts: list[Any]) -> None:
    _replace(statement.target_list, [*keys, *counts])
    _replace(statement.group_clause, [_target(f"SELECT {at}").res_target.val for at in range(1, len(keys) + 1)])
    # Sorting by the true counts would show what rounding hides; cells are sorted by key after release.
    _replace(statement.sort_clause, [])


def _replace(repeated: Any, nodes: list[Any]) -> None:
    del repeated[:]
    repeated.extend(nodes)


def _target(sql: str) -> Any:
    return postgast.parse(sql).stmts[0].stmt.select_stmt.target_list[0]


def _check_clauses(statement: Any) -> None:
    if statement.HasField("limit_count"):
        raise RefusedQueryError(RefusalCode.LIMIT, "LIMIT is not allowed with counts; cut the answer afterwards.")
    if statement.HasField("having_clause"):
        # HAVING count(*) >= n, asked for many n, finds the exact number behind a rounded one.
        raise RefusedQueryError(RefusalCode.GROUPING, "HAVING is not allowed with counts; filter the answer.")
    if statement.distinct_clause:
        raise RefusedQueryError(RefusalCode.OUTPUT, "DISTINCT is not needed with counts; leave it out.")


def _check_groups(statement: Any, keys: list[Any]) -> None:
    if len(keys) > MAX_KEYS:
        raise RefusedQueryError(RefusalCode.GROUPING, f"Group by at most {MAX_KEYS} columns.")
    placed = [(at, target.res_target) for at, target in enumerate(statement.target_list, 1) if target in keys]
    for group in statement.group_clause:
        if not any(_names_key(group, key, at) for at, key in placed):
            raise _ungrouped()
    if len(statement.group_clause) != len(keys):
        raise _ungrouped()


def _ungrouped() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.GROUPING,
        "Select each GROUP BY column, and group by each selected column.",
    )


def _names_key(group: Any, key: Any, position: int) -> bool:
    if group.HasField("a_const"):
        return bool(group.a_const.ival.ival == position)
    reference = _last_name(group)
    return bool(reference and reference in (key.name, _last_name(key.val))) or _same(group, key.val)


def _last_name(node: Any) -> str:
    fields = node.column_ref.fields
    return fields[-1].string.sval if fields else ""


def _same(one: Any, other: Any) -> bool:
    return bool(_without_locations(one) == _without_locations(other))


def _without_locations(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    for part in postgast.walk(copy):
        found = part[-1] if isinstance(part, tuple) else part
        if "location" in found.DESCRIPTOR.fields_by_name:
            found.ClearField("location")
    return copy


def _check_order(node: Any) -> None:
    if node.WhichOneof("node") not in ("column_ref", "a_const") and not is_count(node):
        raise RefusedQueryError(RefusalCode.GROUPING, "Order counts by a selected column or by count(*).")


def _check_keys(outputs: tuple[tuple[str, Column], ...]) -> None:
    for _, column in outputs:
        if column.kind not in GROUPABLE:
            raise RefusedQueryError(
                RefusalCode.OUTPUT if column.kind in IDENTIFIERS else RefusalCode.GROUPING,
                "Group only by concepts, their names, year_of_birth, or a date or number made coarse by "
                "extract(year from ...) or floor(...).",
            )


def _persons(selection: Selection) -> list[tuple[str, str]]:
    """Return (relation, column) of each person in the rows; all of a row's are the same person."""
    persons = [
        (relation.name, name)
        for relation in selection.relations
        for name, column in relation.columns.items()
        if column.kind is Kind.PERSON
    ]
    if not persons:
        raise RefusedQueryError(
            RefusalCode.NO_PERSON,
            "Counts are of distinct persons, and no table here has person_id; join one that has.",
        )
    return persons


def _check_count(call: Any, persons: list[tuple[str, str]]) -> None:
    name = _last_name(call.args[0]) if call.args else ""
    if not call.agg_star and name not in {column for _, column in persons}:
        raise RefusedQueryError(
            RefusalCode.OUTPUT,
            "Counts are of distinct persons; write count(*) or count(DISTINCT person_id).",
        )


def _count_of(person: tuple[str, str]) -> Any:
    target = _target("SELECT count(DISTINCT a.b) AS persons")
    fields = target.res_target.val.func_call.args[0].column_ref.fields
    for part, name in zip(fields, person, strict=True):
        part.string.sval = name
    return target


def _copy(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy


def _title(target: Any, position: int) -> str:
    return target.res_target.name or _last_name(target.res_target.val) or f"key_{position}"
