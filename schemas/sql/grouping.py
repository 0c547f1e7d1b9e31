"""GROUP BY, HAVING and ORDER BY of a query with counts."""

from typing import Any

import postgast
from postgast import pg_query_pb2 as grammar

from schemas.sql.counts import is_count
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Selection

_MAX_CLAUSE = 20


def title(target: Any, position: int) -> str:
    """Return what a key is called: its alias, its column, or its place."""
    return str(target.res_target.name or last_name(target.res_target.val) or f"key_{position}")


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
        if key.val.HasField("a_const"):
            continue
        if not any(_names_key(group, key, at) for group in statement.group_clause):
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                "Each selected column beside a count must stand in GROUP BY.",
                key.location,
            )


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
    return bool(_without_locations(one) == _without_locations(other))


def _without_locations(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    for _, part in postgast.walk(copy):
        for name in ("location", "rexpr_list_start", "rexpr_list_end"):
            if name in part.DESCRIPTOR.fields_by_name:
                part.ClearField(name)
    return copy


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
    return max(_bound(part) for part in (clause.bool_expr.args if joined else [clause]))


def _bound(part: Any) -> int:
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


def read_order(statement: Any, targets: list[Any]) -> bool:
    """Return whether the largest counts come first; by the true counts, so it is done again after release."""
    first = False
    for at, item in enumerate(statement.sort_clause):
        node = item.sort_by.node
        if node.WhichOneof("node") not in ("column_ref", "a_const") and not _selected(node, targets):
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                "Order counts by a selected column or by count(*).",
                item.sort_by.location if item.sort_by.location > 0 else None,
            )
        falling = grammar.SortByDir.Name(item.sort_by.sortby_dir) == "SORTBY_DESC"
        first |= at == 0 and falling and _is_counted(node, targets)
    return first


def _selected(node: Any, targets: list[Any]) -> bool:
    return is_count(node) or any(_same(node, target.res_target.val) for target in targets)


def _is_counted(node: Any, targets: list[Any]) -> bool:
    for at, target in enumerate(targets, 1):
        named = last_name(node) == target.res_target.name != ""
        if is_count(target.res_target.val) and (named or node.a_const.ival.ival == at):
            return True
    return is_count(node)
