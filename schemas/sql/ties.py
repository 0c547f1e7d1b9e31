"""Which relations a condition joins, and which it ties to the same person."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import SHARED, Kind
from schemas.sql.columns import Column, same_person
from schemas.sql.expressions import parts_of
from schemas.sql.scope import Relation, Scope


def tie_all(node: Any, scope: Scope, *, filters: bool) -> None:
    """Note what a condition's parts, all of which hold, say of the relations; `filters`: of each row that is left."""
    for part in conjuncts(node):
        edge = _edge(part, scope)
        if edge:
            scope.edges.append(edge)
        ends = [_end(side, scope) for side in (part.a_expr.lexpr, part.a_expr.rexpr)]
        if ends[0] and ends[1] and same_person(ends[0][1], ends[1][1]) and _is_equality(part.a_expr):
            scope.tie(ends[0][0], ends[1][0])
        else:
            scope.weak = _weak(part.a_expr, scope) or scope.weak
        if filters and grammar.NullTestType.Name(part.null_test.nulltesttype) == "IS_NOT_NULL":
            _note_present(part.null_test.arg, scope)


def _weak(expression: Any, scope: Scope) -> tuple[str, str, str] | None:
    """Return two relations that an equality of identifiers joins without a tie, and the identifier."""
    sides = [side.column_ref for side in (expression.lexpr, expression.rexpr) if side.HasField("column_ref")]
    if len(sides) < 2 or not _is_equality(expression):  # noqa: PLR2004  two sides
        return None
    names = [parts_of(side) for side in sides]
    (one, column), (other, second) = (scope.find(name[-1], name[0] if name[1:] else None) for name in names)
    return (one.name, other.name, column.origin) if column.identifies and second.identifies else None


def _note_present(node: Any, scope: Scope) -> None:
    end = _end(node, scope)
    # A name without a table may be of either side of a join with USING: it is known of neither.
    if end and len(_relations_in(node, scope)) == 1:
        scope.present.add((id(end[0]), parts_of(node.column_ref)[-1]))


def conjuncts(node: Any) -> Iterator[Any]:
    if not node.HasField("bool_expr"):
        yield node
    elif grammar.BoolExprType.Name(node.bool_expr.boolop) == "AND_EXPR":
        for part in node.bool_expr.args:
            yield from conjuncts(part)
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
    sides = [part.a_expr.lexpr, part.a_expr.rexpr]
    if all(_is_shared(side, scope) for side in sides):
        return set()
    relations = [_relations_in(side, scope) for side in sides]
    return relations[0] | relations[1] if all(relations) else set()


def _is_shared(node: Any, scope: Scope) -> bool:
    """Whether a column has one of a few values, each in very many rows: joined by it, rows would be multiplied."""
    end = _end(node, scope)
    return end is not None and end[1].origin in SHARED and not end[1].own


def _edge_of_all(branch: Any, scope: Scope) -> set[int]:
    return set().union(*(_edge(part, scope) for part in conjuncts(branch)))


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
