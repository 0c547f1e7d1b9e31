"""The functions a query may call, and what each yields."""

from collections.abc import Callable
from typing import Any

from schemas.sql.allowed import (
    AGGREGATES,
    DATE_FIELDS,
    DATE_PARTS,
    FUNCTIONS,
    IDENTIFIERS,
    MEASURABLE,
    ONE_PERSON,
    RANKINGS,
    ROUNDINGS,
    Kind,
)
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Column, Scope, blend

Reader = Callable[[Any, Scope], Column]


def read_function(call: Any, scope: Scope, read: Reader) -> Column:
    """Return what the call yields; `read` reads its arguments."""
    name = _name(call)
    if call.HasField("over"):
        _check_window(call.over, scope, read)
    elif name in RANKINGS:
        raise _function_refusal(name, f"{name}() needs OVER (PARTITION BY person_id ...).")
    if name == "count" or name in RANKINGS:
        for argument in call.args:
            read(argument, scope)
        return Column(Kind.PLAIN)
    return _computed(name, call, scope, read)


def _computed(name: str, call: Any, scope: Scope, read: Reader) -> Column:
    if name in DATE_PARTS:
        _check_date_field(name, call)
    columns = [read(argument, scope) for argument in call.args]
    if any(column.kind in IDENTIFIERS for column in columns):
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            f"Identifiers can't be given to {name}(); only count() takes them.",
        )
    if name in DATE_PARTS or (name in ROUNDINGS and columns[0].kind in MEASURABLE):
        return Column(Kind.BUCKET)
    if name in AGGREGATES and call.HasField("over"):
        return blend([*columns, Column(Kind.PLAIN)])
    return blend(columns)


def _name(call: Any) -> str:
    names = [name.string.sval for name in call.funcname]
    if names[-1] not in FUNCTIONS or names[:-1] not in ([], ["pg_catalog"]):
        raise _function_refusal(names[-1], "use count, min, max, sum, avg, extract, age, floor or lower.")
    if not call.args and names[-1] not in RANKINGS and not (call.agg_star and names[-1] == "count"):
        raise _function_refusal(names[-1], "it needs an argument.")
    return str(names[-1])


def _function_refusal(name: str, remedy: str) -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.FUNCTION,
        f'The function "{name}" is not allowed like this: {remedy}',
    )


def _check_date_field(name: str, call: Any) -> None:
    if call.args[0].a_const.sval.sval not in DATE_FIELDS:
        # Any other field is either too fine to release or an error at run time.
        raise RefusedQueryError(
            RefusalCode.CONSTANT,
            f"{name}() takes only the fields {', '.join(sorted(DATE_FIELDS))}.",
        )


def _check_window(window: Any, scope: Scope, read: Reader) -> None:
    partition = [read(part, scope) for part in window.partition_clause]
    for item in window.order_clause:
        read(item.sort_by.node, scope)
    if scope.clinical and not any(column.kind in ONE_PERSON for column in partition):
        raise RefusedQueryError(
            RefusalCode.UNLINKED,
            "A window over persons must stay within one person; add PARTITION BY person_id.",
        )
