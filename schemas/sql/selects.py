"""Reading a SELECT: its sources, its conditions, and whether everything in it is about one person at a time.

A subquery that is not tied to the row's person would let a count of many tell whether one person exists,
so each relation with persons has to be joined by person_id or by the row id of one person's record.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import ONE_PERSON, TABLES, Kind
from schemas.sql.columns import Column, blend
from schemas.sql.constants import whole
from schemas.sql.counts import is_count
from schemas.sql.expressions import condition, read
from schemas.sql.joins import add_source, bind, derived, require_one_person
from schemas.sql.outputs import read_outputs
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Relation, Scope, Selection
from schemas.sql.ties import tie_all
from schemas.sql.unread import check_read
from schemas.sql.windows import define_windows

MAX_COLUMNS = 100
MAX_CLAUSE = 100
_MAX_LIMIT = 1_000_000
_OF_VALUES = frozenset({"values_lists", "with_clause", "op", "limit_option"})


def read_subquery(statement: Any, parent: Scope | None, named: Mapping[str, Relation]) -> Selection:
    """Read a SELECT inside another; a limit is refused where it would choose among persons."""
    selection = read_select(statement, parent, named)
    if not statement.HasField("limit_count"):
        return selection
    counted = grammar.LimitOption.Name(statement.limit_option) == "LIMIT_OPTION_COUNT"
    if not counted or not whole(statement.limit_count, 1, _MAX_LIMIT) or (selection.clinical and not selection.tied):
        raise RefusedQueryError(
            RefusalCode.LIMIT,
            "LIMIT in a subquery may only choose among the rows of one person; use min, max or row_number per person.",
            statement.limit_count.a_const.location,
        )
    return selection


def read_select(statement: Any, parent: Scope | None, named: Mapping[str, Relation]) -> Selection:
    """Read a SELECT or a set operation of several.

    Raises
    ------
    RefusedQueryError
        Something in it is not allowed.
    """
    scope = Scope(parent, dict(named), read_subquery, depth=parent.depth + 1 if parent else 0)
    for entry in statement.with_clause.ctes:
        _name_query(entry.common_table_expr, scope)
    selection = _read(statement, scope)
    check_read(statement, scope)
    return selection


def _read(statement: Any, scope: Scope) -> Selection:
    if grammar.SetOperation.Name(statement.op) != "SETOP_NONE":
        return _combined(statement, scope)
    if statement.values_lists:
        return _listed(statement, scope)
    return _single(statement, scope)


def name_query(entry: Any, named: Mapping[str, Relation]) -> dict[str, Relation]:
    """Return the named queries with another one, an entry of the outermost WITH."""
    scope = Scope(None, dict(named), read_subquery)
    _name_query(entry, scope)
    return scope.named


def _name_query(entry: Any, scope: Scope) -> None:
    if entry.ctename in TABLES or entry.ctename in scope.named:
        raise RefusedQueryError(
            RefusalCode.NAME,
            f'The WITH name "{entry.ctename}" is taken; choose another.',
            entry.location,
        )
    if entry.ctequery.WhichOneof("node") != "select_stmt":
        raise RefusedQueryError(RefusalCode.NOT_A_SELECT, "WITH may hold only SELECT; nothing is written.")
    inner = read_subquery(entry.ctequery.select_stmt, scope.parent, scope.named)
    scope.outward |= inner.outward
    scope.named[entry.ctename] = derived(entry.ctename, inner, entry.aliascolnames)


def _combined(statement: Any, scope: Scope) -> Selection:
    left, right = (read_subquery(side, scope.parent, scope.named) for side in (statement.larg, statement.rarg))
    if len(left.outputs) != len(right.outputs):
        raise RefusedQueryError(RefusalCode.FORM, "Both sides of a UNION must select the same columns.")
    _check_order(statement, {name for name, _ in left.outputs}, scope)
    pairs = zip(left.outputs, right.outputs, strict=True)
    return Selection(
        tuple((name, _merged(one, other)) for (name, one), (_, other) in pairs),
        (),
        left.clinical or right.clinical,
        all(side.tied or not side.clinical for side in (left, right)),
        grouped=True,
        outward=scope.outward or left.outward or right.outward,
        rows=left.rows + right.rows if left.rows and right.rows else 0,
    )


def _check_order(statement: Any, names: set[str], scope: Scope) -> None:
    """Refuse an order of a set operation by more than its columns: nobody would have read it."""
    for item in statement.sort_clause:
        node = item.sort_by.node
        if _alias(node) not in names and not whole(node, 1, len(names)):
            raise RefusedQueryError(
                RefusalCode.FORM,
                "A UNION is ordered by names or places of its columns; put it in a subquery to order by more.",
                item.sort_by.location if item.sort_by.location > 0 else None,
            )
        scope.note(node)


def _listed(statement: Any, scope: Scope) -> Selection:
    """Read a VALUES list: rows of constants, and nothing else."""
    if any(field.name not in _OF_VALUES for field, _ in statement.ListFields()):
        raise RefusedQueryError(RefusalCode.FORM, "VALUES lists are taken as they are, without ORDER BY or LIMIT.")
    rows = [[read(item, scope) for item in row.list.items] for row in statement.values_lists]
    if any(len(row) != len(rows[0]) or any(column.kind is not Kind.CONSTANT for column in row) for row in rows):
        raise RefusedQueryError(
            RefusalCode.CONSTANT, "VALUES lists hold only constants, and in each row as many as in the first."
        )
    columns = [blend(column) for column in zip(*rows, strict=True)]
    outputs = tuple((f"column{at}", column) for at, column in enumerate(columns, 1))
    return Selection(outputs, (), clinical=False, tied=True, grouped=len(rows) > 1, rows=len(rows))


def _merged(one: Column, other: Column) -> Column:
    if not (one.identifies or other.identifies):
        return blend([one, other])
    if not one.same_as(other):
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            "Both sides of a UNION must select the same identifier.",
        )
    return replace(one, nullable=one.nullable or other.nullable, own=one.own and other.own)


def _single(statement: Any, scope: Scope) -> Selection:
    for source in statement.from_clause:
        bind(add_source(source, scope), scope)
    if statement.HasField("where_clause"):
        condition(statement.where_clause, scope)
        tie_all(statement.where_clause, scope, filters=True)
    define_windows(statement.window_clause, scope, read)
    outputs = tuple(output for target in statement.target_list for output in read_outputs(target.res_target, scope))
    if len(outputs) > MAX_COLUMNS:
        raise RefusedQueryError(RefusalCode.TOO_COMPLEX, f"Select at most {MAX_COLUMNS} columns.")
    _check_rest(statement, scope, outputs)
    _check_joined(statement, scope)
    return Selection(
        outputs,
        tuple(scope.relations),
        # A subquery without tables of its own may still ask about the row around it, which is that row's person.
        bool(scope.clinical),
        tied=len(scope.groups()) == 1,
        grouped=bool(statement.group_clause or statement.HasField("having_clause")),
        outward=scope.outward,
        sided=scope.sided,
        rows=0 if scope.relations else 1,
    )


def _check_joined(statement: Any, scope: Scope) -> None:
    groups = [group - {0} for group in scope.groups()]
    try:
        require_one_person([group for group in groups if group], scope)
        _require_joined(scope)
    except RefusedQueryError as refusal:
        refusal.place(_last_table(statement.from_clause[-1]))
        raise


def _require_joined(scope: Scope) -> None:
    if scope.unjoined():
        raise RefusedQueryError(
            RefusalCode.UNJOINED,
            "Each table must be joined to the others by the equality of a column of each.",
        )


def _last_table(source: Any) -> int:
    if source.HasField("join_expr"):
        return _last_table(source.join_expr.rarg) or _last_table(source.join_expr.larg)
    return int(source.range_var.location)


def _check_rest(statement: Any, scope: Scope, outputs: tuple[tuple[str, Column], ...]) -> None:
    if max(len(statement.group_clause), len(statement.sort_clause)) > MAX_CLAUSE:
        raise RefusedQueryError(RefusalCode.GROUPING, f"GROUP BY and ORDER BY may name at most {MAX_CLAUSE} columns.")
    selected = dict(outputs)
    distinct = [_selected(item, selected, scope) for item in statement.distinct_clause if item.WhichOneof("node")]
    if distinct and not any(_of_one(column) for column in distinct):
        raise RefusedQueryError(RefusalCode.UNLINKED, "DISTINCT ON must name person_id or accession_id.")
    _check_groups(statement, scope, set(selected))
    if statement.HasField("having_clause"):
        condition(statement.having_clause, scope)
    for item in statement.sort_clause:
        _selected(item.sort_by.node, selected, scope)


def _selected(node: Any, selected: Mapping[str, Column], scope: Scope) -> Column:
    """Read an expression; a bare name means what is selected under it, before it means a column of a table."""
    if _alias(node) not in selected:
        return read(node, scope)
    scope.note(node)
    return selected[_alias(node)]


def _of_one(column: Column) -> bool:
    # Of all whose accession number is unknown one row is left: which, depends on others, but it is of one person.
    return not column.outer and (column.kind is Kind.ACCESSION or (column.kind is Kind.PERSON and not column.nullable))


def _check_groups(statement: Any, scope: Scope, names: set[str]) -> None:
    aliases = [key for key in statement.group_clause if _alias(key) in names and not scope.lookup(_alias(key))]
    keys = [read(key, scope) for key in statement.group_clause if key not in aliases]
    for alias in aliases:
        scope.note(alias)
    counted = any(is_count(target.res_target.val) for target in statement.target_list)
    if aliases and scope.stores and not counted and not any(column.kind in ONE_PERSON for column in keys):
        # A table may have a column of that name that we do not list; PostgreSQL would group by it.
        raise RefusedQueryError(
            RefusalCode.NAME,
            f'GROUP BY "{_alias(aliases[0])}" could mean a column of a table; write its place, such as GROUP BY 1.',
            aliases[0].column_ref.location,
        )


def _alias(node: Any) -> str:
    fields = node.column_ref.fields
    return str(fields[0].string.sval) if len(fields) == 1 else ""
