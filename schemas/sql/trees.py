"""Small pieces of PostgreSQL's grammar tree, made and copied."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import postgast

_LOCATIONS = frozenset({"location", "rexpr_list_start", "rexpr_list_end", "list_start", "list_end"})


def copied(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy


def children(node: Any) -> list[Any]:
    """Return the nodes right below this one."""
    found: list[Any] = []
    for field, value in node.ListFields():
        if field.message_type is not None:
            found += [value] if hasattr(value, "ListFields") else value
    return found


def put(repeated: Any, nodes: list[Any]) -> None:
    """Have exactly these nodes in a repeated field."""
    del repeated[:]
    repeated.extend(nodes)


@cache
def _template(sql: str) -> Any:
    return postgast.parse(sql).stmts[0].stmt.select_stmt


def expression(sql: str) -> Any:
    """Return the first selected expression of a text of ours."""
    return copied(_template(f"SELECT {sql}").target_list[0].res_target.val)


def named_target(target: Any, name: str) -> Any:
    """Return an expression or a selected column under a name."""
    named = copied(_template("SELECT 1 AS a").target_list[0])
    named.res_target.val.CopyFrom(target.res_target.val if target.HasField("res_target") else target)
    named.res_target.name = name
    return named


def text_target(text: str, name: str) -> Any:
    node = expression("'x'")
    node.a_const.sval.sval = text
    return named_target(node, name)


def column_of(relation: str, name: str) -> Any:
    node = expression("a.b")
    for part, written in zip(node.column_ref.fields, (relation, name), strict=True):
        part.string.sval = written
    return node


def coalesce(nodes: list[Any]) -> Any:
    node = expression("coalesce(a, b)")
    put(node.coalesce_expr.args, nodes)
    return node


def not_null(node: Any) -> Any:
    test = expression("coalesce(a) IS NOT NULL")
    put(test.null_test.arg.coalesce_expr.args, [node])
    return test


def equals_one(node: Any) -> Any:
    comparison = expression("a = 1")
    comparison.a_expr.lexpr.CopyFrom(node)
    return comparison


def all_of(nodes: list[Any]) -> Any:
    if len(nodes) == 1:
        return nodes[0]
    node = expression("a AND b")
    put(node.bool_expr.args, nodes)
    return node


def without_locations(node: Any) -> Any:
    """Return a copy that is equal to any node that says the same."""
    copy = copied(node)
    for _, part in postgast.walk(copy):
        for name in _LOCATIONS.intersection(part.DESCRIPTOR.fields_by_name):
            part.ClearField(name)
    return copy


def alike(one: Any, other: Any) -> bool:
    """Whether two trees say the same, wherever their parts stand."""
    waiting = [(one, other)]
    while waiting:
        fields, others = (_said(node) for node in waiting.pop())
        if fields.keys() != others.keys():
            return False
        for name, value in fields.items():
            if hasattr(value, "ListFields"):
                waiting.append((value, others[name]))
            elif isinstance(value, (str, int)):
                if value != others[name]:
                    return False
            elif len(value) != len(others[name]):
                return False
            else:
                waiting += zip(value, others[name], strict=True)
    return True


def _said(node: Any) -> dict[str, Any]:
    return {field.name: value for field, value in node.ListFields() if field.name not in _LOCATIONS}


def references(node: Any) -> Iterator[Any]:
    """Yield the columns that an expression is made of, with those of subqueries in it."""
    for _, part in postgast.walk(node):
        if part.DESCRIPTOR.name == "ColumnRef":
            reference = expression("a")
            reference.column_ref.CopyFrom(part)
            yield reference


def conjunction(statement: Any, condition: Any) -> Any:
    """Return a SELECT's own filter and another one."""
    return all_of([statement.where_clause, condition]) if statement.HasField("where_clause") else condition


def absent(node: Any) -> Any:
    """Return an empty value of the expression's type."""
    case = expression("CASE WHEN false THEN a END")
    case.case_expr.args[0].case_when.result.CopyFrom(node)
    return case


def short_text(node: Any) -> Any:
    """Return the first 200 characters of a value as text."""
    cut = expression('"left"(CAST(a AS text), 200)')
    cut.func_call.args[0].type_cast.arg.CopyFrom(node)
    return cut


def count_of(node: Any, at: int = 0) -> Any:
    """Return count(node); `at`: where the text has it."""
    count = expression("count(a)")
    count.func_call.location = at
    put(count.func_call.args, [node])
    return count


def subquery(statement: Any, alias: str) -> Any:
    """Return a SELECT as an entry of FROM."""
    source = copied(_template("SELECT 1 FROM (SELECT 1) AS a").from_clause[0])
    source.range_subselect.subquery.select_stmt.CopyFrom(statement)
    source.range_subselect.alias.aliasname = alias
    return source


def union_of(branches: list[Any]) -> Any:
    """Return the rows of all branches, one after another."""
    whole = copied(branches[0])
    for branch in branches[1:]:
        union = copied(_template("SELECT 1 UNION ALL SELECT 2"))
        union.larg.CopyFrom(whole)
        union.rarg.CopyFrom(branch)
        whole = union
    return whole
