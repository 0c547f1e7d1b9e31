"""What each expression of a query is, refusing those that could single a person out or fail by a person's data."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import Kind
from schemas.sql.arithmetic import cast_to
from schemas.sql.columns import Column, blend
from schemas.sql.constants import read_constant
from schemas.sql.functions import read_function
from schemas.sql.operations import misused, plain, read_operation
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope
from schemas.sql.sublinks import read_sublink

MAX_LIST = 1_000
_TRUTH = Column(Kind.BUCKET)
_TODAY = frozenset({"SVFOP_CURRENT_DATE", "SVFOP_CURRENT_TIMESTAMP", "SVFOP_LOCALTIMESTAMP"})


def read(node: Any, scope: Scope) -> Column:
    """Return what the expression is, identifiers included."""
    kind = node.WhichOneof("node")
    reader = _READERS.get(kind)
    if reader is None:
        raise RefusedQueryError(
            RefusalCode.FORM,
            f"The form {kind} is not allowed here; use plain columns and comparisons.",
        )
    scope.note(node)
    part = getattr(node, kind)
    try:
        return reader(part, scope)
    except RefusedQueryError as refusal:
        refusal.place(getattr(part, "location", 0))
        raise


def value(node: Any, scope: Scope) -> Column:
    """Return what the expression is; an identifier is refused."""
    return plain(node, scope, read)


def condition(node: Any, scope: Scope) -> None:
    """Read a filter: rows for which it is unknown are left out like those for which it is false."""
    match node.WhichOneof("node"):
        case "bool_expr" if grammar.BoolExprType.Name(node.bool_expr.boolop) != "NOT_EXPR":
            for part in node.bool_expr.args:
                condition(part, scope)
        case "sub_link":
            scope.note(node)
            read_sublink(node.sub_link, scope, read, filters=True)
        case _:
            value(node, scope)


def parts_of(reference: Any) -> list[str]:
    """Return the names of a column reference, as many as are written; `*` is refused."""
    names = [field.string.sval for field in reference.fields if field.HasField("string")]
    if len(names) != len(reference.fields):
        raise RefusedQueryError(
            RefusalCode.STAR,
            "SELECT * is not allowed on tables of the CDM; name the columns.",
            reference.location,
        )
    return names


def _column(reference: Any, scope: Scope) -> Column:
    names = parts_of(reference)
    if len(names) > 2:  # noqa: PLR2004  a table and a column
        raise RefusedQueryError(
            RefusalCode.COLUMN,
            "Name a column as alias.column; schema names in front of columns are not allowed.",
        )
    return scope.find(names[-1], names[0] if names[1:] else None)[1]


def _constant(constant: Any, _: Scope) -> Column:
    return read_constant(constant)


def _operation(operation: Any, scope: Scope) -> Column:
    return read_operation(operation, scope, read)


def _boolean(expression: Any, scope: Scope) -> Column:
    for part in expression.args:
        value(part, scope)
    return _TRUTH


def _null_test(test: Any, scope: Scope) -> Column:
    read(test.arg, scope)
    return _TRUTH


def _truth_test(test: Any, scope: Scope) -> Column:
    value(test.arg, scope)
    return _TRUTH


def _case(case: Any, scope: Scope) -> Column:
    if case.HasField("arg"):
        value(case.arg, scope)
    for branch in case.args:
        value(branch.case_when.expr, scope)
    results = [branch.case_when.result for branch in case.args]
    results += [case.defresult] if case.HasField("defresult") else []
    return _one_of(results, scope, nullable=True)


def _coalesce(expression: Any, scope: Scope) -> Column:
    return _one_of(list(expression.args), scope, nullable=False)


def _one_of(nodes: list[Any], scope: Scope, *, nullable: bool) -> Column:
    """Return what one of these is; identifiers only where all are the same one of this query's own tables."""
    columns = [read(node, scope) for node in nodes if not node.a_const.isnull]
    named = [column for column in columns if column.identifies]
    if not named:
        return blend(columns or [Column(Kind.CONSTANT)])
    if any(not column.same_as(named[0]) or column.outer for column in columns):
        raise misused(named[0])
    own = all(column.own for column in columns)
    return replace(named[0], nullable=nullable or all(column.nullable for column in columns), own=own)


def _arguments(expression: Any, scope: Scope) -> Column:
    return blend([value(part, scope) for part in expression.args])


def _items(expression: Any, scope: Scope) -> Column:
    nodes = expression.items
    if len(nodes) > MAX_LIST:
        raise RefusedQueryError(
            RefusalCode.TOO_COMPLEX,
            f"A list may hold at most {MAX_LIST} values; use concept_ancestor for all descendants of a concept.",
        )
    return blend([Column(Kind.CONSTANT), *(value(part, scope) for part in nodes)])


def _cast(cast: Any, scope: Scope) -> Column:
    return cast_to(cast, value(cast.arg, scope))


def _today(function: Any, _: Scope) -> Column:
    if grammar.SQLValueFunctionOp.Name(function.op) not in _TODAY:
        raise RefusedQueryError(RefusalCode.FORM, "Of the server's own values only CURRENT_DATE is allowed.")
    return Column(Kind.CONSTANT, reach=0.0, moment=True)


def _sublink(link: Any, scope: Scope) -> Column:
    return read_sublink(link, scope, read, filters=False)


def _function(call: Any, scope: Scope) -> Column:
    return read_function(call, scope, read)


_READERS: Mapping[str, Callable[[Any, Scope], Column]] = MappingProxyType(
    {
        "column_ref": _column,
        "a_const": _constant,
        "a_expr": _operation,
        "bool_expr": _boolean,
        "null_test": _null_test,
        "boolean_test": _truth_test,
        "case_expr": _case,
        "coalesce_expr": _coalesce,
        "min_max_expr": _arguments,
        "list": _items,
        "type_cast": _cast,
        "sub_link": _sublink,
        "func_call": _function,
        "sqlvalue_function": _today,
    },
)
