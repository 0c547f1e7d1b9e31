"""What operators do: compare, compute, look up in a list."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import Kind
from schemas.sql.arithmetic import add, divide, join_texts, multiply, remainder
from schemas.sql.columns import Column, blend
from schemas.sql.constants import check_pattern
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope
from schemas.sql.words import COMPARISONS, PATTERNS, SUMS

Reader = Callable[[Any, Scope], Column]

_TRUTH = Column(Kind.BUCKET)
_ARITHMETIC = SUMS | {"*", "/", "%", "||"}


def plain(node: Any, scope: Scope, read: Reader) -> Column:
    """Return what an expression is; an identifier is refused."""
    column = read(node, scope)
    if column.identifies:
        raise misused(column)
    return column


def read_operation(operation: Any, scope: Scope, read: Reader) -> Column:
    """Return what an operator yields; `read` reads its sides."""
    operator = operation.name[0].string.sval if len(operation.name) == 1 else ""
    match grammar.A_Expr_Kind.Name(operation.kind):
        case "AEXPR_OP" if operator in COMPARISONS:
            return _comparison(operation, operator, scope, read)
        case "AEXPR_OP" if operator in _ARITHMETIC:
            return _arithmetic(operation, operator, scope, read)
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT" | "AEXPR_BETWEEN_SYM" | "AEXPR_NOT_BETWEEN_SYM":
            return _values(operation, scope, read)
        case "AEXPR_IN" | "AEXPR_BETWEEN" | "AEXPR_NOT_BETWEEN":
            return _values(operation, scope, read)
        case "AEXPR_OP_ANY" if operator in PATTERNS | {"="}:
            return _any_of(operation, operator, scope, read)
        case "AEXPR_NULLIF":
            left, right = plain(operation.lexpr, scope, read), plain(operation.rexpr, scope, read)
            return replace(blend([left, right]), exact=left.exact)  # the type is that of the left side
        case "AEXPR_LIKE" | "AEXPR_ILIKE" if operator in PATTERNS:
            plain(operation.lexpr, scope, read)
            check_pattern(operation.rexpr)
            return _TRUTH
    raise RefusedQueryError(
        RefusalCode.OPERATOR,
        "Only = <> < > <= >= + - * / % || IN BETWEEN and LIKE are allowed as operators, without a schema.",
    )


def _comparison(operation: Any, operator: str, scope: Scope, read: Reader) -> Column:
    left, right = read(operation.lexpr, scope), read(operation.rexpr, scope)
    if (left.identifies or right.identifies) and not _comparable(left, right, operator):
        raise misused(left if left.identifies else right)
    return _TRUTH


def _comparable(one: Column, other: Column, operator: str) -> bool:
    if one.same_as(other) and one.kind is Kind.LINK:
        return True
    events = {one.origin.endswith("event_id"), other.origin.endswith("event_id")}
    records = {one.kind, other.kind} <= {Kind.LINK, Kind.KEY}
    return operator in ("=", "<>") and (one.same_as(other) or (True in events and records))


def _arithmetic(operation: Any, operator: str, scope: Scope, read: Reader) -> Column:
    right = plain(operation.rexpr, scope, read)
    left = plain(operation.lexpr, scope, read) if operation.HasField("lexpr") else None
    if left is None:
        return add([right])
    match operator:
        case "*":
            return multiply(left, right)
        case "/":
            return divide(left, right, operation.rexpr)
        case "%":
            return remainder(left, operation.rexpr)
        case "||":
            return join_texts([left, right])
    return add([left, right])


def _any_of(operation: Any, operator: str, scope: Scope, read: Reader) -> Column:
    plain(operation.lexpr, scope, read)
    for element in operation.rexpr.a_array_expr.elements:
        # An array of arrays fails where these differ in length.
        if operator in PATTERNS:
            check_pattern(element)
        plain(element, scope, read)
    if not operation.rexpr.HasField("a_array_expr"):
        raise RefusedQueryError(RefusalCode.FORM, "Compare with ANY (ARRAY[1, 2]) of constants, or with IN (1, 2).")
    return _TRUTH


def _values(operation: Any, scope: Scope, read: Reader) -> Column:
    plain(operation.lexpr, scope, read)
    plain(operation.rexpr, scope, read)
    return _TRUTH


def misused(column: Column) -> RefusedQueryError:
    name = column.origin or "an identifier"
    return RefusedQueryError(
        RefusalCode.IDENTIFIER,
        f"{name} may only be selected, counted or set equal to the same column of another table.",
    )
