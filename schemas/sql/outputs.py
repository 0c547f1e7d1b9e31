"""What a SELECT yields: its columns and their names."""

from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.columns import Column
from schemas.sql.expressions import parts_of, read
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope

NAMELESS = "?column?"
_SUGGESTED = {"coalesce_expr": "coalesce", "a_array_expr": "array", "row_expr": "row"}


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
    return [(target.name or default_name(target.val), column)]


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


def default_name(node: Any) -> str:
    """Return what PostgreSQL calls a selected expression without AS (`FigureColname`): other names may mean it too."""
    return _figured(node)[0] or NAMELESS


def _figured(node: Any) -> tuple[str, bool]:
    """Return the name that an expression suggests, and whether it is a good one: a cast or CASE keeps only those."""
    kind = str(node.WhichOneof("node"))
    match kind:
        case "column_ref":
            return parts_of(node.column_ref)[-1], True
        case "func_call":
            return str(node.func_call.funcname[-1].string.sval), True
        case "type_cast":
            name, good = _figured(node.type_cast.arg)
            return (name, True) if good else (str(node.type_cast.type_name.names[-1].string.sval), False)
        case "case_expr":
            name, good = _figured(node.case_expr.defresult)
            return (name, True) if good else ("case", False)
        case "sub_link":
            return _of_subquery(node.sub_link)
        case "a_expr" if grammar.A_Expr_Kind.Name(node.a_expr.kind) == "AEXPR_NULLIF":
            return "nullif", True
        case "min_max_expr":
            return grammar.MinMaxOp.Name(node.min_max_expr.op).removeprefix("IS_").lower(), True
        case "sqlvalue_function":
            return grammar.SQLValueFunctionOp.Name(node.sqlvalue_function.op).removeprefix("SVFOP_").lower(), True
    return _SUGGESTED.get(kind, ""), kind in _SUGGESTED


def _of_subquery(link: Any) -> tuple[str, bool]:
    match grammar.SubLinkType.Name(link.sub_link_type):
        case "EXISTS_SUBLINK":
            return "exists", True
        case "EXPR_SUBLINK":
            statement = link.subselect.select_stmt
            while statement.HasField("larg"):
                statement = statement.larg
            if statement.values_lists:
                return "column1", True
            targets = [target.res_target for target in statement.target_list]
            return (targets[0].name or default_name(targets[0].val), True) if targets else ("", False)
    return "", False
