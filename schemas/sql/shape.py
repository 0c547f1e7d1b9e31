"""From text to one SELECT made only of listed grammar nodes; everything not listed is refused.

PostgreSQL's own parser reads the text (`postgast`), so what is judged is what the server will run.
"""

from dataclasses import dataclass
from typing import Any

import postgast
from google.protobuf.message import DecodeError, Message

from schemas.sql.allowed import SCHEMA
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.source import Source, cut_out, qualifiers
from schemas.sql.stars import stars
from schemas.sql.text import check_spelling, check_text, syntax_error, tokens, too_deep

MAX_NODES = 5_000
MAX_COMPOSED = 1_500
"""Where counts of several SELECTs are put together: each is taken apart, judged and written anew."""
MAX_TABLES = 40

_LISTED = {
    "SelectStmt": "distinct_clause target_list from_clause where_clause group_clause having_clause window_clause "
    "sort_clause limit_count limit_option with_clause values_lists op all larg rarg",
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
    "RowExpr": "args row_format location",
    "SQLValueFunction": "op typmod location",
    "FuncCall": "funcname args agg_filter over agg_star agg_distinct funcformat location",
    "WindowDef": "name refname partition_clause order_clause frame_options start_offset end_offset location",
    "TypeCast": "arg type_name location",
    "TypeName": "names typmods typemod location",
    "RangeVar": "schemaname relname inh relpersistence alias location",
    "RangeSubselect": "lateral subquery alias",
    "JoinExpr": "jointype larg rarg using_clause quals rtindex",
    "Alias": "aliasname colnames",
    "WithClause": "ctes location",
    "CommonTableExpr": "ctename aliascolnames ctematerialized ctequery location",
    "GroupingSet": "kind content location",
    "SortBy": "node sortby_dir sortby_nulls location",
    "List": "items",
    "A_ArrayExpr": "elements list_start list_end location",
}
_FIELDS = {name: frozenset(fields.split()) for name, fields in _LISTED.items()}

_REMEDIES = {
    "into_clause": "SELECT INTO writes a table; leave INTO out.",
    "locking_clause": "FOR UPDATE and FOR SHARE lock rows; leave them out.",
    "recursive": "WITH RECURSIVE is not allowed; concept_ancestor holds the hierarchy ready made.",
    "limit_offset": "OFFSET is not allowed; leave it out.",
    "is_natural": "NATURAL JOIN is not allowed; write JOIN ... USING (person_id).",
    "agg_within_group": "WITHIN GROUP is not allowed; ask for the trust's own quantiles with the cohort.",
    "agg_order": "ORDER BY inside a function is not allowed; use row_number, and statistics for quantiles.",
    "GroupingFunc": "GROUPING() is not allowed; count_of says by what each cell of ROLLUP, CUBE and GROUPING SETS is.",
    "NamedArgExpr": "Named arguments are not allowed; write INTERVAL '14 days'.",
    "RangeTableSample": "TABLESAMPLE is not allowed; a cohort is everybody who fits, LIMIT takes fewer images.",
    "RangeFunction": "Functions in FROM are not allowed; name tables of the CDM.",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A SELECT of so many `parts`, and the text it was read from; `source` knows the text as it was given."""

    source: Source
    tree: Any
    select: Any
    parts: int

    @property
    def text(self) -> str:
        """The statement alone, without a closing semicolon."""
        raw, encoded = self.tree.stmts[0], self.source.text.encode()
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(encoded)
        return encoded[raw.stmt_location : end].decode()


def read_source(sql: str) -> Source:
    """Return the text that may be judged: `omop.` is cut off in front of names.

    Raises
    ------
    RefusedQueryError
        The text is too long or too deep, cannot be read, or has spellings that hide what it says.
    """
    check_text(sql)
    words, encoded = tokens(sql), sql.encode()
    check_spelling(encoded, words)
    if SCHEMA.encode() not in encoded.lower() and b"*" not in encoded:
        return Source(sql, sql)
    tree = _tree(sql)
    return cut_out(sql, qualifiers(tree, encoded, words) + stars(tree, encoded, words))


def parse(source: Source) -> Parsed:
    """Read exactly one SELECT.

    Raises
    ------
    RefusedQueryError
        The text is not one SELECT, or uses a form that is not listed.
    """
    tree = _tree(source.text)
    if len(tree.stmts) != 1:
        raise RefusedQueryError(
            RefusalCode.NOT_ONE_STATEMENT,
            "Send exactly one statement; split the text into separate queries.",
            tree.stmts[1].stmt_location if tree.stmts else None,
        )
    raw = tree.stmts[0]
    if raw.stmt.WhichOneof("node") != "select_stmt":
        raise RefusedQueryError(
            RefusalCode.NOT_A_SELECT,
            "Only SELECT is allowed; nothing may be written, set or called.",
            raw.stmt_location,
        )
    return Parsed(source, tree, raw.stmt.select_stmt, check_nodes(raw.stmt))


def _tree(sql: str) -> Any:
    try:
        return postgast.parse(sql)
    except postgast.PgQueryError as error:
        raise syntax_error(sql, error) from None
    except DecodeError:
        raise too_deep() from None


def check_nodes(root: Message) -> int:
    """Refuse what is not listed, and more forms or tables than a person would write; return how many there are."""
    waiting, seen, tables = [(root, 0)], 0, 0
    while waiting:
        message, at = waiting.pop()
        seen += 1
        name = message.DESCRIPTOR.name
        tables += name == "RangeVar"
        if seen > MAX_NODES or tables > MAX_TABLES:
            raise _too_complex(at)
        if name != "Node":
            at = max(getattr(message, "location", 0), 0) or at
        waiting += [(child, at) for child in _children(message, name, at)]
    return seen


def _too_complex(at: int) -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.TOO_COMPLEX,
        f"The query has over {MAX_NODES} parts or {MAX_TABLES} tables; use concept_ancestor instead of long lists.",
        at,
    )


def _children(message: Message, name: str, at: int) -> list[Message]:
    listed = _FIELDS.get(name)
    if name != "Node" and listed is None:
        raise _unlisted(name, at)
    found: list[Message] = []
    for field, value in message.ListFields():
        if listed is not None and field.name not in listed:
            raise _unlisted(name, at, field.name)
        if field.message_type is None:
            continue
        found += [value] if isinstance(value, Message) else value
    return found


def _unlisted(name: str, at: int, field: str = "") -> RefusedQueryError:
    plain = f"{name}.{field}" if field else name
    sentence = _REMEDIES.get(
        field or name,
        f"The form {plain} is not allowed; use plain SELECT, JOIN, WHERE and GROUP BY.",
    )
    return RefusedQueryError(RefusalCode.FORM, sentence, at)
