"""Subqueries inside expressions: each has to be about the person of the row it stands in, or about no person."""

from collections.abc import Callable
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import Kind
from schemas.sql.columns import Column, same_person
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope, Selection
from schemas.sql.trees import children
from schemas.sql.words import AGGREGATES, COMPARISONS

MAX_DEPTH = 4
_TRUTH = Column(Kind.BUCKET)

Reader = Callable[[Any, Scope], Column]


def read_sublink(link: Any, scope: Scope, read: Reader, *, filters: bool) -> Column:
    """Return what a subquery yields.

    `filters`: it stands where an unknown answer is the same as no.
    """
    try:
        return _read(link, scope, read, filters=filters)
    except RefusedQueryError as refusal:
        refusal.place(link.location)
        raise


def _read(link: Any, scope: Scope, read: Reader, *, filters: bool) -> Column:
    if scope.depth >= MAX_DEPTH:
        raise RefusedQueryError(
            RefusalCode.TOO_DEEP, f"Subqueries may stand in each other {MAX_DEPTH} deep; use WITH or a join."
        )
    match grammar.SubLinkType.Name(link.sub_link_type):
        case "EXISTS_SUBLINK":
            _require_tied(scope.subquery(_without_star(link.subselect.select_stmt)))
            return _TRUTH
        case "ANY_SUBLINK" if _means_in(link):
            return _membership(link, scope, read, filters=filters)
        case "ANY_SUBLINK" | "ALL_SUBLINK":
            return _quantified(link, scope, read)
        case "EXPR_SUBLINK":
            return _scalar(link, scope)
    raise RefusedQueryError(RefusalCode.FORM, "Use a subquery only with EXISTS, IN or as one aggregate value.")


def _without_star(statement: Any) -> Any:
    """Leave `*` out of EXISTS (SELECT * ...), where PostgreSQL does not look at what is selected."""
    fields = [target.res_target.val.column_ref.fields for target in statement.target_list]
    if len(fields) != 1 or not fields[0] or not fields[0][-1].HasField("a_star") or statement.distinct_clause:
        return statement
    copy = type(statement)()
    copy.CopyFrom(statement)
    del copy.target_list[:]
    return copy


def _means_in(link: Any) -> bool:
    return [name.string.sval for name in link.oper_name] in ([], ["="])


def _membership(link: Any, scope: Scope, read: Reader, *, filters: bool) -> Column:
    rows = link.testexpr.row_expr.args if link.testexpr.HasField("row_expr") else [link.testexpr]
    left = [read(part, scope) for part in rows]
    inner = scope.subquery(link.subselect.select_stmt)
    right = [column for _, column in inner.outputs]
    if len(left) != len(right):
        raise RefusedQueryError(RefusalCode.FORM, "A subquery with IN must select as many columns as are compared.")
    pairs = list(zip(left, right, strict=True))
    for one, other in pairs:
        _check_pair(one, other)
    persons = [other for one, other in pairs if same_person(one, other)]
    if not persons:
        _require_tied(inner)
    elif not filters and not inner.tied and all(person.nullable for person in persons):
        raise _may_be_missing(persons[0])
    return _TRUTH


def _check_pair(one: Column, other: Column) -> None:
    if (one.identifies or other.identifies) and not one.same_as(other):
        name = (one if one.identifies else other).origin or "an identifier"
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            f"{name} may only be looked up among the same column of another table.",
        )


def _may_be_missing(person: Column) -> RefusedQueryError:
    # NOT IN a list with one empty value is never true, so one person's empty value would empty everybody's answer.
    return RefusedQueryError(
        RefusalCode.UNLINKED,
        f"Under NOT, {person.origin} of the subquery must not be empty; add WHERE ... IS NOT NULL or use NOT EXISTS.",
    )


def _quantified(link: Any, scope: Scope, read: Reader) -> Column:
    """Read a comparison with each of a person's own values."""
    inner = scope.subquery(link.subselect.select_stmt)
    columns = [read(link.testexpr, scope), *(column for _, column in inner.outputs)]
    operator = [name.string.sval for name in link.oper_name]
    if len(columns) != 2 or operator not in [[name] for name in COMPARISONS]:  # noqa: PLR2004  a value and a column
        raise RefusedQueryError(RefusalCode.FORM, "Compare one value with one column of the subquery.")
    if any(column.identifies for column in columns):
        raise RefusedQueryError(RefusalCode.IDENTIFIER, "Identifiers are only looked up with IN, not compared.")
    _require_tied(inner)
    return _TRUTH


def _scalar(link: Any, scope: Scope) -> Column:
    statement = link.subselect.select_stmt
    inner = scope.subquery(statement)
    if len(inner.outputs) != 1:
        raise RefusedQueryError(RefusalCode.FORM, "A subquery in an expression must select one column.")
    if not _is_one_row(statement, inner):
        raise RefusedQueryError(
            RefusalCode.FORM,
            "A subquery used as a value must select one aggregate without GROUP BY, such as count(*), or end with "
            "LIMIT 1.",
        )
    _require_tied(inner)
    column = inner.outputs[0][1]
    if column.identifies:
        raise RefusedQueryError(RefusalCode.IDENTIFIER, "A subquery used as a value must not select an identifier.")
    return column


def _is_one_row(statement: Any, inner: Selection) -> bool:
    if statement.limit_count.a_const.ival.ival == 1:
        return True
    # More rows than one are an error, and it comes only when a row of the query around it asks: that tells of a person.
    return not inner.grouped and any(_has_aggregate(target.res_target.val) for target in statement.target_list)


def _has_aggregate(node: Any) -> bool:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.DESCRIPTOR.name == "SubLink":
            continue
        if part.DESCRIPTOR.name == "FuncCall" and is_aggregate(part):
            return True
        waiting += children(part)
    return False


def is_aggregate(call: Any) -> bool:
    return not call.HasField("over") and call.funcname[-1].string.sval in AGGREGATES | {"count"}


def _require_tied(inner: Selection) -> None:
    if inner.clinical and not inner.tied:
        raise RefusedQueryError(
            RefusalCode.UNLINKED,
            "A subquery over persons must be about the row's own person; add inner.person_id = outer.person_id.",
        )
