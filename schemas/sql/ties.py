"""Which relations a condition joins, and which it ties to the same person."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import Kind
from schemas.sql.columns import Column, same_person
from schemas.sql.expressions import parts_of
from schemas.sql.scope import Relation, Scope


def tie_all(node: Any, scope: Scope, *, filters: bool) -> None:
    """Note what a condition's parts, all of which hold, say of the relations; `filters`: of each row that is left."""
    for part in _conjuncts(node):
        edge = _edge(part, scope)
        if edge:
            scope.edges.append(edge)
        ends = [_end(side, scope) for side in (part.a_expr.lexpr, part.a_expr.rexpr)]
        if ends[0] and ends[1] and same_person(ends[0][1], ends[1][1]) and _is_equality(part.a_expr):
            scope.tie(ends[0][0], ends[1][0])
        if filters and grammar.NullTestType.Name(part.null_test.nulltesttype) == "IS_NOT_NULL":
            _note_present(part.null_test.arg, scope)


def _note_present(node: Any, scope: Scope) -> None:
    end = _end(node, scope)
    if end:
        scope.present.add((id(end[0]), parts_of(node.column_ref)[-1]))


def _conjuncts(node: Any) -> Iterator[Any]:
    if not node.HasField("bool_expr"):
        yield node
    elif grammar.BoolExprType.Name(node.bool_expr.boolop) == "AND_EXPR":
        for part in node.bool_expr.args:
            yield from _conjuncts(part)
    else:
        yield node


def _edge(part: Any, scope: Scope) -> set[int]:
    """Return the relations (by id) that an equality joins, or each of several equalities with OR."""
    if part.HasField("bool_expr"):
        if grammar.BoolExprType.Name(part.bool_expr.boolop) != "OR_EXPR":
            return set()
        return set.intersection(*(_edge_of_all(branch, scope) for branch in part.bool_expr.args))
    if not _is_equality(part.a_expr, "AEXPR_OP", "AEXPR_IN"):
        return set()
    sides = [_relations_in(side, scope) for side in (part.a_expr.lexpr, part.a_expr.rexpr)]
    return sides[0] | sides[1] if all(sides) else set()


def _edge_of_all(branch: Any, scope: Scope) -> set[int]:
    return set().union(*(_edge(part, scope) for part in _conjuncts(branch)))


def _relations_in(node: Any, scope: Scope) -> set[int]:
    """Return the relations whose columns an expression is made of."""
    match node.WhichOneof("node"):
        case "column_ref":
            names = parts_of(node.column_ref)
            return {id(relation) for relation, _ in scope.lookup(names[-1], names[0] if names[1:] else None)}
        case "func_call":
            parts = node.func_call.args
        case "coalesce_expr":
            parts = node.coalesce_expr.args
        case "list":
            parts = node.list.items
        case "type_cast":
            parts = [node.type_cast.arg]
        case _:
            return set()
    return set().union(*(_relations_in(part, scope) for part in parts))


def _is_equality(expression: Any, *kinds: str) -> bool:
    plain = grammar.A_Expr_Kind.Name(expression.kind) in (kinds or ("AEXPR_OP",))
    return plain and [name.string.sval for name in expression.name] == ["="]


def _end(node: Any, scope: Scope) -> tuple[Relation, Column] | None:
    if not node.HasField("column_ref"):
        return None
    names = parts_of(node.column_ref)
    relation, column = scope.find(names[-1], names[0] if names[1:] else None)
    return (relation, column) if column.kind is not Kind.KEY else None
