"""GROUP BY, HAVING and ORDER BY of a query with counts."""

from collections.abc import Container, Iterable, Sequence
from itertools import combinations
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.counts import MAX_COUNTS, is_count
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Selection
from schemas.sql.trees import copied, put, references, without_locations

_MAX_CLAUSE = 20


def title(target: Any, position: int) -> str:
    """Return what a key is called: its alias, its column, or its place."""
    return str(target.res_target.name.strip() or last_name(target.res_target.val) or f"key_{position}")


def last_name(node: Any) -> str:
    fields = node.column_ref.fields
    return str(fields[-1].string.sval) if fields else ""


def check_groups(statement: Any, targets: list[Any], keys: list[Any], selection: Selection, most: int) -> None:
    """Refuse keys that are not grouped by; more columns in GROUP BY only split what is put together again."""
    _check_identifiers(statement, selection)
    if len(keys) > most:
        raise RefusedQueryError(RefusalCode.GROUPING, f"Group by at most {most} columns.")
    if max(len(statement.group_clause), len(statement.sort_clause)) > _MAX_CLAUSE:
        raise RefusedQueryError(RefusalCode.GROUPING, f"GROUP BY and ORDER BY may name at most {_MAX_CLAUSE} columns.")
    places = [(at, target.res_target) for at, target in enumerate(targets, 1) if target in keys]
    for at, key in places:
        if not is_grouped(key, at, statement.group_clause):
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                "Each selected column beside a count must stand in GROUP BY.",
                key.location,
            )


def is_grouped(key: Any, position: int, groups: Iterable[Any]) -> bool:
    """Whether a selected column is one of GROUP BY, or is made of columns of it only."""
    if key.val.HasField("a_const") or any(_names_key(group, key, position) for group in groups):
        return True
    names = {last_name(group) for group in groups} - {""}
    own = {last_name(part) for part in references(key.val)}
    return bool(own) and own <= names


def grouping_sets(statement: Any) -> tuple[list[list[Any]], Any]:
    """Return what the SELECT groups by, one list for each grouping set, and the SELECT grouped by all of it.

    Raises
    ------
    RefusedQueryError
        ROLLUP, CUBE and GROUPING SETS make more tables than may be asked for at once.
    """
    sets: list[list[Any]] = [[]]
    for group in statement.group_clause:
        more = _sets_of(group)
        if len(sets) * len(more) > MAX_COUNTS:
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                f"ROLLUP, CUBE and GROUPING SETS may make at most {MAX_COUNTS} tables; ask for fewer of them.",
                group.grouping_set.location,
            )
        sets = [[*one, *other] for one in sets for other in more]
    if not any(group.HasField("grouping_set") for group in statement.group_clause):
        return sets, statement
    flat = copied(statement)
    put(flat.group_clause, [group for groups in sets for group in groups][:_MAX_CLAUSE])
    return sets, flat


def _sets_of(node: Any) -> list[list[Any]]:
    if node.HasField("row_expr"):
        return [list(node.row_expr.args)]
    if not node.HasField("grouping_set"):
        return [[node]]
    parts = [_sets_of(part) for part in node.grouping_set.content]
    match grammar.GroupingSetKind.Name(node.grouping_set.kind):
        case "GROUPING_SET_SETS":
            return [one for part in parts for one in part]
        case "GROUPING_SET_ROLLUP":
            return [_joined(parts[:length]) for length in range(len(parts), -1, -1)]
        case "GROUPING_SET_CUBE" if len(parts) <= MAX_COUNTS:
            chosen = [kept for length in range(len(parts), -1, -1) for kept in combinations(parts, length)]
            return [_joined(kept) for kept in chosen]
        case "GROUPING_SET_EMPTY":
            return [[]]
    return [[]] * (MAX_COUNTS + 1)


def _joined(parts: Iterable[list[list[Any]]]) -> list[Any]:
    return [group for part in parts for group in part[0]]


def _check_identifiers(statement: Any, selection: Selection) -> None:
    columns = [pair for relation in selection.relations for pair in relation.columns.items()]
    identifiers = {name for name, column in columns if column.identifies}
    for group in statement.group_clause:
        if last_name(group) in identifiers:
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                "Counts can't be grouped by an identifier; count the rows of each person in a subquery.",
                group.column_ref.location,
            )


def _names_key(group: Any, key: Any, position: int) -> bool:
    if group.HasField("a_const"):
        return bool(group.a_const.ival.ival == position)
    reference = last_name(group)
    return bool(reference and reference in (key.name, last_name(key.val))) or _same(group, key.val)


def _same(one: Any, other: Any) -> bool:
    return bool(without_locations(one) == without_locations(other))


def read_threshold(statement: Any) -> int:
    """Return the least number of persons that HAVING asks for.

    Raises
    ------
    RefusedQueryError
        HAVING asks for more than that: for many numbers, one after another, it would find the true number.
    """
    if not statement.HasField("having_clause"):
        return 0
    clause = statement.having_clause
    joined = clause.HasField("bool_expr") and grammar.BoolExprType.Name(clause.bool_expr.boolop) == "AND_EXPR"
    return max(read_bound(part) for part in (clause.bool_expr.args if joined else [clause]))


def read_bound(part: Any) -> int:
    expression = part.a_expr
    operator = expression.name[0].string.sval if expression.name else ""
    number = expression.rexpr.a_const
    if operator not in (">", ">=") or not number.HasField("ival") or not is_count(expression.lexpr):
        raise RefusedQueryError(
            RefusalCode.GROUPING,
            "HAVING with counts may only ask for a least number, such as count(*) >= 10.",
            expression.location or None,
        )
    return int(number.ival.ival) + (operator == ">")


def read_order(statement: Any, columns: Sequence[str], counts: Container[int], targets: Iterable[Any] = ()) -> bool:
    """Return whether the largest counts come first; by the true counts, so it is done again after release.

    `columns`: what is selected; `counts`: the places of those that are counts; `targets`: the expressions.
    """
    first = False
    for at, item in enumerate(statement.sort_clause):
        node = item.sort_by.node
        plain = node.WhichOneof("node") in ("column_ref", "a_const") or _selected(node, targets)
        if not plain and statement.HasField("limit_count"):
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                "With LIMIT, order counts by a selected column or by count(*).",
                item.sort_by.location if item.sort_by.location > 0 else None,
            )
        falling = grammar.SortByDir.Name(item.sort_by.sortby_dir) == "SORTBY_DESC"
        first |= at == 0 and falling and _is_counted(node, columns, counts)
    return first


def _selected(node: Any, targets: Iterable[Any]) -> bool:
    return is_count(node) or any(_same(node, target.res_target.val) for target in targets)


def _is_counted(node: Any, columns: Sequence[str], counts: Container[int]) -> bool:
    place = node.a_const.ival.ival - 1
    named = [at for at, name in enumerate(columns) if last_name(node) == name != ""]
    return is_count(node) or any(at in counts for at in [place, *named])
