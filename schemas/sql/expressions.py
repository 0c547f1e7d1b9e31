"""What each expression of a query is, refusing those that could single a person out or fail by a person's data.

Arithmetic is limited to small constants and casts to safe kinds: an error that depends on data answers a question.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import COMPARISONS, IDENTIFIERS, MEASURABLE, PATTERNS, SUMS, TYPES, Kind
from schemas.sql.constants import MAX_ADDED, TIME_TYPES, check_time, is_small, number
from schemas.sql.functions import read_function
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Column, Scope, blend, same_person

_PLAIN = Column(Kind.PLAIN)


def read(node: Any, scope: Scope) -> Column:
    """Return what the expression is, identifiers included."""
    kind = node.WhichOneof("node")
    reader = _READERS.get(kind)
    if reader is None:
        raise RefusedQueryError(
            RefusalCode.FORM,
            f"The form {kind} is not allowed here; use plain columns and comparisons.",
        )
    return reader(getattr(node, kind), scope)


def value(node: Any, scope: Scope) -> Column:
    """Return what the expression is; an identifier is refused."""
    column = read(node, scope)
    if column.kind in IDENTIFIERS:
        raise _misused(column)
    return column


def parts_of(reference: Any) -> list[str]:
    """Return the names of a column reference, as many as are written; `*` is refused."""
    names = [field.string.sval for field in reference.fields if field.HasField("string")]
    if len(names) != len(reference.fields):
        raise RefusedQueryError(
            RefusalCode.STAR,
            "SELECT * is not allowed; name person_id, accession_id or the grouping columns.",
        )
    return names


def _misused(column: Column) -> RefusedQueryError:
    name = column.origin or "an identifier"
    return RefusedQueryError(
        RefusalCode.IDENTIFIER,
        f"{name} may only be selected, counted or set equal to the same column of another table.",
    )


def _column(reference: Any, scope: Scope) -> Column:
    names = parts_of(reference)
    if len(names) > 2:  # noqa: PLR2004  a table and a column
        raise RefusedQueryError(
            RefusalCode.COLUMN,
            "Name a column as alias.column; schema names in front of columns are not allowed.",
        )
    return scope.find(names[-1], names[0] if names[1:] else None)[1]


def _constant(_: Any, __: Scope) -> Column:
    return Column(Kind.CONSTANT)


def _operation(operation: Any, scope: Scope) -> Column:
    operator = operation.name[0].string.sval if len(operation.name) == 1 else ""
    kind = grammar.A_Expr_Kind.Name(operation.kind)
    match kind:
        case "AEXPR_OP" if operator in COMPARISONS:
            return _comparison(operation, operator, scope)
        case "AEXPR_OP" if operator in SUMS:
            return _sum(operation, scope)
        case "AEXPR_OP" if operator == "/":
            return _division(operation, scope)
        case "AEXPR_IN" | "AEXPR_BETWEEN" | "AEXPR_NOT_BETWEEN":
            return _values(operation, scope)
        case "AEXPR_OP_ANY" if operator == "=":
            return _values(operation, scope)
        case "AEXPR_LIKE" | "AEXPR_ILIKE" if operator in PATTERNS:
            return _pattern(operation, scope)
    raise RefusedQueryError(
        RefusalCode.OPERATOR,
        "Only = <> < > <= >= + - / IN BETWEEN and LIKE are allowed as operators, without a schema.",
    )


def _comparison(operation: Any, operator: str, scope: Scope) -> Column:
    left, right = read(operation.lexpr, scope), read(operation.rexpr, scope)
    for column, other in ((left, right), (right, left)):
        if column.kind in IDENTIFIERS and not _joinable(column, other, operator):
            raise _misused(column)
    return _PLAIN


def _joinable(one: Column, other: Column, operator: str) -> bool:
    events = one.origin.endswith("event_id") or other.origin.endswith("event_id")
    both = one.kind in IDENTIFIERS and other.kind in IDENTIFIERS
    return both and operator in ("=", "<>") and (one == other or events)


def _values(operation: Any, scope: Scope) -> Column:
    value(operation.lexpr, scope)
    value(operation.rexpr, scope)
    return _PLAIN


def _pattern(operation: Any, scope: Scope) -> Column:
    value(operation.lexpr, scope)
    if not operation.rexpr.a_const.HasField("sval") or "\\" in operation.rexpr.a_const.sval.sval:
        raise RefusedQueryError(RefusalCode.CONSTANT, "A LIKE pattern must be a text without backslashes.")
    return _PLAIN


def _sum(operation: Any, scope: Scope) -> Column:
    sides = [operation.rexpr] + ([operation.lexpr] if operation.HasField("lexpr") else [])
    return blend([_summand(side, scope) for side in sides])


def _summand(node: Any, scope: Scope) -> Column:
    column = value(node, scope)
    if column.kind in MEASURABLE:
        return column
    if not is_small(node):
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            f"Only numbers and dates can be added, and constants up to {MAX_ADDED}; write times as INTERVAL.",
        )
    return _PLAIN


def _division(operation: Any, scope: Scope) -> Column:
    divisor = number(operation.rexpr)
    if divisor is None or abs(divisor) < 1:
        raise RefusedQueryError(RefusalCode.CONSTANT, "Divide only by a constant number of 1 or more.")
    return _summand(operation.lexpr, scope)


def _boolean(expression: Any, scope: Scope) -> Column:
    for part in expression.args:
        value(part, scope)
    return _PLAIN


def _null_test(test: Any, scope: Scope) -> Column:
    read(test.arg, scope)
    return _PLAIN


def _truth_test(test: Any, scope: Scope) -> Column:
    value(test.arg, scope)
    return _PLAIN


def _case(case: Any, scope: Scope) -> Column:
    if case.HasField("arg"):
        value(case.arg, scope)
    for branch in case.args:
        value(branch.case_when.expr, scope)
    results = [branch.case_when.result for branch in case.args]
    results += [case.defresult] if case.HasField("defresult") else []
    return blend([value(result, scope) for result in results])


def _arguments(expression: Any, scope: Scope) -> Column:
    return blend([value(part, scope) for part in expression.args])


def _items(expression: Any, scope: Scope) -> Column:
    return blend([value(part, scope) for part in expression.items])


def _elements(expression: Any, scope: Scope) -> Column:
    return blend([value(part, scope) for part in expression.elements])


def _cast(cast: Any, scope: Scope) -> Column:
    names = [name.string.sval for name in cast.type_name.names]
    if names[-1] not in TYPES or names[:-1] not in ([], ["pg_catalog"]):
        raise RefusedQueryError(
            RefusalCode.TYPE,
            f'The type "{names[-1]}" is not allowed; use date, timestamp, interval, a number or text.',
        )
    column = value(cast.arg, scope)
    if names[-1] in TIME_TYPES and cast.arg.HasField("a_const"):
        check_time(names[-1], cast.arg.a_const)
        return _PLAIN
    if column.kind in MEASURABLE or cast.arg.HasField("a_const"):
        return column
    raise RefusedQueryError(
        RefusalCode.TYPE,
        "Codes and labels can't be cast; compare them as they are.",
    )


def _sublink(link: Any, scope: Scope) -> Column:
    match grammar.SubLinkType.Name(link.sub_link_type):
        case "EXISTS_SUBLINK":
            _require_tied(scope.subquery(link.subselect.select_stmt))
            return _PLAIN
        case "ANY_SUBLINK" if _means_in(link):
            return _membership(link, scope)
        case "EXPR_SUBLINK":
            return _scalar(link, scope)
    raise RefusedQueryError(RefusalCode.FORM, "Use a subquery only with EXISTS, IN or as one aggregate value.")


def _means_in(link: Any) -> bool:
    return [name.string.sval for name in link.oper_name] in ([], ["="])


def _membership(link: Any, scope: Scope) -> Column:
    left = read(link.testexpr, scope)
    inner = scope.subquery(link.subselect.select_stmt)
    right = _single_output(inner)
    if {left.kind, right.kind} & IDENTIFIERS and left != right:
        raise _misused(left if left.kind in IDENTIFIERS else right)
    if not same_person(left, right):
        _require_tied(inner)
    return _PLAIN


def _scalar(link: Any, scope: Scope) -> Column:
    inner = scope.subquery(link.subselect.select_stmt)
    target = link.subselect.select_stmt.target_list
    if inner.grouped or len(target) != 1 or not _is_aggregate(target[0].res_target.val):
        raise RefusedQueryError(
            RefusalCode.FORM,
            "A subquery used as a value must select one aggregate without GROUP BY, such as count(*).",
        )
    _require_tied(inner)
    return _single_output(inner)


def _is_aggregate(node: Any) -> bool:
    call = node.func_call
    return (
        bool(call.funcname)
        and not call.HasField("over")
        and call.funcname[-1].string.sval in {"count", "min", "max", "sum", "avg"}
    )


def _single_output(inner: Any) -> Column:
    if len(inner.outputs) != 1:
        raise RefusedQueryError(RefusalCode.FORM, "A subquery in an expression must select one column.")
    column: Column = inner.outputs[0][1]
    return column


def _require_tied(inner: Any) -> None:
    if inner.clinical and not inner.tied:
        raise RefusedQueryError(
            RefusalCode.UNLINKED,
            "A subquery over persons must be about the row's own person; add inner.person_id = outer.person_id.",
        )


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
        "coalesce_expr": _arguments,
        "min_max_expr": _arguments,
        "list": _items,
        "a_array_expr": _elements,
        "type_cast": _cast,
        "sub_link": _sublink,
        "func_call": _function,
    },
)
