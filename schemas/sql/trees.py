"""Small pieces of PostgreSQL's grammar tree, made and copied."""

from functools import cache
from typing import Any

import postgast


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
    test = expression("a IS NOT NULL")
    test.null_test.arg.CopyFrom(node)
    return test


def equals_one(node: Any) -> Any:
    comparison = expression("a = 1")
    comparison.a_expr.lexpr.CopyFrom(node)
    return comparison


def both(one: Any, other: Any) -> Any:
    node = expression("a AND b")
    put(node.bool_expr.args, [one, other])
    return node


def conjunction(statement: Any, condition: Any) -> Any:
    """Return a SELECT's own filter and another one."""
    return both(statement.where_clause, condition) if statement.HasField("where_clause") else condition


def union_of(branches: list[Any]) -> Any:
    """Return the rows of all branches, one after another."""
    whole = branches[0]
    for branch in branches[1:]:
        union = copied(_template("SELECT 1 UNION ALL SELECT 2"))
        union.larg.CopyFrom(whole)
        union.rarg.CopyFrom(branch)
        whole = union
    return whole
