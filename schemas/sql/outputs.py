"""What a SELECT yields: its columns and their names."""

from typing import Any

from schemas.sql.columns import Column
from schemas.sql.expressions import parts_of, read
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope


def read_outputs(target: Any, scope: Scope) -> list[tuple[str, Column]]:
    """Return the columns that an entry of a SELECT yields, with their names."""
    fields = target.val.column_ref.fields
    if fields and fields[-1].HasField("a_star"):
        return _all_columns(target, scope)
    column = read(target.val, scope)
    if column.identifies and column.outer:
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            "A subquery must select identifiers of its own tables; name the inner table in front.",
            target.location,
        )
    return [(target.name or _default_name(target.val), column)]


def _all_columns(target: Any, scope: Scope) -> list[tuple[str, Column]]:
    """Return the columns that `*` stands for, where each of them has been named by the query itself."""
    fields = target.val.column_ref.fields
    table = fields[0].string.sval if len(fields) > 1 else None
    meant = [relation for relation in scope.relations if table in (None, relation.name)]
    if not meant or any(relation.stored for relation in meant) or (scope.merged and table is None):
        raise RefusedQueryError(
            RefusalCode.STAR,
            "SELECT * is not allowed on tables of the CDM, nor after USING; name the columns.",
            target.location,
        )
    return [(name, scope.lookup(name, relation.name)[0][1]) for relation in meant for name in relation.columns]


def _default_name(node: Any) -> str:
    match node.WhichOneof("node"):
        case "column_ref":
            return parts_of(node.column_ref)[-1]
        case "func_call":
            return str(node.func_call.funcname[-1].string.sval)
        case "type_cast":
            return _default_name(node.type_cast.arg) or str(node.type_cast.type_name.names[-1].string.sval)
        case "case_expr":
            return _default_name(node.case_expr.defresult) or "case"
        case "coalesce_expr":
            return "coalesce"
    return ""
