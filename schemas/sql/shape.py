"""From text to one SELECT made only of listed grammar nodes; everything not listed is refused.

PostgreSQL's own parser reads the text (`postgast`), so what is judged is what the server will run.
"""

from dataclasses import dataclass
from typing import Any

import postgast
from google.protobuf.message import DecodeError, Message

from schemas.sql.refusal import RefusalCode, RefusedQueryError

MAX_BYTES = 20_000
MAX_BRACKETS = 200

_LISTED = {
    "SelectStmt": "distinct_clause target_list from_clause where_clause group_clause having_clause "
    "sort_clause limit_count limit_option with_clause op all larg rarg",
    "ResTarget": "name val location",
    "ColumnRef": "fields location",
    "A_Star": "",
    "String": "sval",
    "A_Const": "ival fval boolval sval isnull location",
    "Integer": "ival",
    "Float": "fval",
    "Boolean": "boolval",
    "A_Expr": "kind name lexpr rexpr rexpr_list_start rexpr_list_end location",
    "BoolExpr": "boolop args location",
    "NullTest": "arg nulltesttype location",
    "BooleanTest": "arg booltesttype location",
    "SubLink": "sub_link_type testexpr oper_name subselect location",
    "CaseExpr": "arg args defresult location",
    "CaseWhen": "expr result location",
    "CoalesceExpr": "args location",
    "MinMaxExpr": "op args location",
    "FuncCall": "funcname args over agg_star agg_distinct funcformat location",
    "WindowDef": "partition_clause order_clause frame_options location",
    "TypeCast": "arg type_name location",
    "TypeName": "names typemod location",
    "RangeVar": "schemaname relname inh relpersistence alias location",
    "RangeSubselect": "subquery alias",
    "JoinExpr": "jointype larg rarg using_clause quals rtindex",
    "Alias": "aliasname",
    "WithClause": "ctes location",
    "CommonTableExpr": "ctename ctematerialized ctequery location",
    "SortBy": "node sortby_dir sortby_nulls location",
    "List": "items",
    "A_ArrayExpr": "elements list_start list_end location",
}
_FIELDS = {name: frozenset(fields.split()) for name, fields in _LISTED.items()}

_REMEDIES = {
    "into_clause": "SELECT INTO writes a table; leave INTO out.",
    "locking_clause": "FOR UPDATE and FOR SHARE lock rows; leave them out.",
    "values_lists": "VALUES lists are not allowed; select from tables of the CDM.",
    "recursive": "WITH RECURSIVE is not allowed; concept_ancestor holds the hierarchy ready made.",
    "limit_offset": "OFFSET is not allowed; leave it out.",
    "lateral": "LATERAL is not allowed; join by person_id or use EXISTS.",
    "is_natural": "NATURAL JOIN is not allowed; write JOIN ... USING (person_id).",
    "colnames": "Column lists after an alias are not allowed; name columns with AS in the SELECT.",
    "aliascolnames": "Column lists after a WITH name are not allowed; name columns with AS in its SELECT.",
    "agg_filter": "FILTER is not allowed; use CASE inside the aggregate or a WHERE.",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """The exact text of the one statement (no trailing semicolon) and its SELECT node."""

    text: str
    tree: Any
    select: Any


def parse(sql: str) -> Parsed:
    """Read exactly one SELECT.

    Raises
    ------
    RefusedQueryError
        The text is too long, too deep, not one SELECT, or uses a form that is not listed.
    """
    _check_text(sql)
    tree = _tree(sql)
    if len(tree.stmts) != 1:
        raise RefusedQueryError(
            RefusalCode.NOT_ONE_STATEMENT,
            "Send exactly one statement; split the text into separate queries.",
        )
    raw = tree.stmts[0]
    if raw.stmt.WhichOneof("node") != "select_stmt":
        raise RefusedQueryError(
            RefusalCode.NOT_A_SELECT,
            "Only SELECT is allowed; nothing may be written, set or called.",
        )
    _check_nodes(raw.stmt)
    return Parsed(_statement_text(sql, raw), tree, raw.stmt.select_stmt)


def _check_text(sql: str) -> None:
    if len(sql.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise RefusedQueryError(RefusalCode.TOO_LONG, f"The query is over {MAX_BYTES} bytes; shorten it.")
    if any(not (character.isprintable() or character in "\n\r\t ") for character in sql):
        raise RefusedQueryError(
            RefusalCode.BAD_CHARACTER,
            "The query holds a control, invisible or unpaired character; retype it as plain text.",
        )
    if sql.count("(") > MAX_BRACKETS and _bracket_depth(sql) > MAX_BRACKETS:
        raise _too_deep()


def _bracket_depth(sql: str) -> int:
    depth = deepest = 0
    for character in sql:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _tree(sql: str) -> Any:
    try:
        return postgast.parse(sql)
    except postgast.PgQueryError:
        # The parser's own words may quote the query's constants, so they are not passed on.
        raise RefusedQueryError(
            RefusalCode.SYNTAX,
            "PostgreSQL cannot read this query; check its syntax.",
        ) from None
    except DecodeError:
        raise _too_deep() from None


def _too_deep() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.TOO_DEEP,
        "The query is nested too deeply; flatten it or use WITH.",
    )


def _statement_text(sql: str, raw: Any) -> str:
    encoded = sql.encode()
    end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(encoded)
    return encoded[raw.stmt_location : end].decode()


def _check_nodes(root: Message) -> None:
    waiting = [root]
    while waiting:
        waiting += _children(waiting.pop())


def _children(message: Message) -> list[Message]:
    name = message.DESCRIPTOR.name
    listed = _FIELDS.get(name)
    fields = message.ListFields()
    if name != "Node" and listed is None:
        raise _unlisted(name)
    if listed is not None:
        for field, _ in fields:
            if field.name not in listed:
                raise _unlisted(name, field.name)
    return [child for _, value in fields for child in _messages(value)]


def _messages(value: Any) -> list[Message]:
    if isinstance(value, Message):
        return [value]
    if isinstance(value, (str, bytes, int, float)):
        return []
    return [child for child in value if isinstance(child, Message)]


def _unlisted(name: str, field: str = "") -> RefusedQueryError:
    plain = f"{name}.{field}" if field else name
    sentence = _REMEDIES.get(
        field,
        f"The form {plain} is not allowed; use plain SELECT, JOIN, WHERE and GROUP BY.",
    )
    return RefusedQueryError(RefusalCode.FORM, sentence)
