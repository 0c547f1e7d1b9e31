"""Reading a SELECT: its sources, its conditions, and whether everything in it is about one person at a time.

A subquery that is not tied to the row's person would let a count of many tell whether one person exists,
so each relation with persons has to be joined by person_id or by the row id of one person's record.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import CLINICAL_TABLES, IDENTIFIERS, SCHEMA, TABLES, Kind
from schemas.sql.expressions import parts_of, read, value
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Column, Relation, Scope, Selection, blend, same_person


def read_subquery(statement: Any, parent: Scope | None, named: Mapping[str, Relation]) -> Selection:
    """Read a SELECT inside another; sorting and limits are refused there."""
    if statement.sort_clause or statement.HasField("limit_count"):
        raise RefusedQueryError(
            RefusalCode.LIMIT,
            "ORDER BY and LIMIT are not allowed in a subquery; use min, max or row_number per person.",
        )
    return read_select(statement, parent, named)


def read_select(statement: Any, parent: Scope | None, named: Mapping[str, Relation]) -> Selection:
    """Read a SELECT or a set operation of several.

    Raises
    ------
    RefusedQueryError
        Something in it is not allowed.
    """
    scope = Scope(parent, dict(named), read_subquery)
    for entry in statement.with_clause.ctes:
        _name_query(entry.common_table_expr, scope)
    if grammar.SetOperation.Name(statement.op) != "SETOP_NONE":
        return _combined(statement, scope)
    return _single(statement, scope)


def _name_query(entry: Any, scope: Scope) -> None:
    if entry.ctename in TABLES or entry.ctename in scope.named:
        raise RefusedQueryError(
            RefusalCode.NAME,
            f'The WITH name "{entry.ctename}" is taken; choose another.',
        )
    if entry.ctequery.WhichOneof("node") != "select_stmt":
        raise RefusedQueryError(RefusalCode.NOT_A_SELECT, "WITH may hold only SELECT; nothing is written.")
    inner = read_subquery(entry.ctequery.select_stmt, scope.parent, scope.named)
    scope.named[entry.ctename] = _derived(entry.ctename, inner)


def _derived(name: str, inner: Selection) -> Relation:
    return Relation(name, dict(inner.outputs), inner.clinical, stored=False)


def _combined(statement: Any, scope: Scope) -> Selection:
    sides = [read_subquery(side, scope.parent, scope.named) for side in (statement.larg, statement.rarg)]
    left, right = sides
    if len(left.outputs) != len(right.outputs):
        raise RefusedQueryError(RefusalCode.FORM, "Both sides of a UNION must select the same columns.")
    pairs = zip(left.outputs, right.outputs, strict=True)
    return Selection(
        tuple((name, _merged(one, other)) for (name, one), (_, other) in pairs),
        (),
        any(side.clinical for side in sides),
        all(side.tied or not side.clinical for side in sides),
        grouped=True,
    )


def _merged(one: Column, other: Column) -> Column:
    if one == other:
        return one
    if {one.kind, other.kind} & IDENTIFIERS:
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            "Both sides of a UNION must select the same identifier.",
        )
    return blend([one, other])


def _single(statement: Any, scope: Scope) -> Selection:
    for source in statement.from_clause:
        _source(source, scope)
    if statement.HasField("where_clause"):
        value(statement.where_clause, scope)
        _tie_all(statement.where_clause, scope)
    outputs = tuple(_output(target.res_target, scope) for target in statement.target_list)
    _check_rest(statement, scope)
    groups = [group - {0} for group in scope.groups()]
    _require_one_person([group for group in groups if group])
    return Selection(
        outputs,
        tuple(scope.relations),
        _is_clinical(scope),
        tied=_is_tied(scope),
        grouped=bool(statement.group_clause or statement.HasField("having_clause")),
    )


def _check_rest(statement: Any, scope: Scope) -> None:
    if any(item.WhichOneof("node") for item in statement.distinct_clause):
        raise RefusedQueryError(RefusalCode.FORM, "DISTINCT ON is not allowed; use row_number per person.")
    for key in statement.group_clause:
        read(key, scope)
    if statement.HasField("having_clause"):
        value(statement.having_clause, scope)
    for item in statement.sort_clause:
        read(item.sort_by.node, scope)


def _is_clinical(scope: Scope) -> bool:
    # A subquery without tables of its own may still ask about the row around it, which is that row's person.
    return bool(scope.clinical)


def _is_tied(scope: Scope) -> bool:
    return len(scope.groups()) == 1


def _require_one_person(groups: list[set[int]]) -> None:
    if len(groups) > 1:
        raise RefusedQueryError(
            RefusalCode.UNLINKED,
            "Each table with persons must be joined to the others by person_id (or the same row id), with AND.",
        )


def _output(target: Any, scope: Scope) -> tuple[str, Column]:
    column = read(target.val, scope)
    return target.name or _default_name(target.val), column


def _default_name(node: Any) -> str:
    match node.WhichOneof("node"):
        case "column_ref":
            return parts_of(node.column_ref)[-1]
        case "func_call":
            name: str = node.func_call.funcname[-1].string.sval
            return name
    return ""


def _source(node: Any, scope: Scope) -> list[Relation]:
    match node.WhichOneof("node"):
        case "range_var":
            return [scope.add(_table(node.range_var, scope))]
        case "range_subselect":
            subquery = node.range_subselect
            inner = read_subquery(subquery.subquery.select_stmt, scope.parent, scope.named)
            return [scope.add(_derived(subquery.alias.aliasname, inner))]
        case "join_expr":
            return _join(node.join_expr, scope)
    raise RefusedQueryError(RefusalCode.FORM, "FROM may hold only tables, subqueries and joins.")


def _table(table: Any, scope: Scope) -> Relation:
    alias = table.alias.aliasname or table.relname
    named = scope.named.get(table.relname)
    if named and not table.schemaname:
        return Relation(alias, named.columns, named.clinical, stored=False)
    if table.schemaname not in ("", SCHEMA) or table.relname not in TABLES:
        raise RefusedQueryError(
            RefusalCode.TABLE,
            f'The table "{table.relname}" is not allowed; use tables of the OMOP CDM 5.4 or image_occurrence.',
        )
    columns = {name: Column(kind, name) for name, kind in TABLES[table.relname].items()}
    return Relation(alias, columns, table.relname in CLINICAL_TABLES, stored=True)


def _join(join: Any, scope: Scope) -> list[Relation]:
    kind = grammar.JoinType.Name(join.jointype)
    if kind not in ("JOIN_INNER", "JOIN_LEFT"):
        raise RefusedQueryError(RefusalCode.FORM, "Only inner and LEFT joins are allowed; turn the join round.")
    left, right = _source(join.larg, scope), _source(join.rarg, scope)
    before = len(scope.ties)
    for name in join.using_clause:
        _use(name.string.sval, left, right, scope)
    if join.HasField("quals"):
        value(join.quals, scope)
        _tie_all(join.quals, scope)
    if kind == "JOIN_LEFT":
        _keep_outer_tie(left, right, before, scope)
    return left + right


def _use(name: str, left: list[Relation], right: list[Relation], scope: Scope) -> None:
    pairs = [(one, other) for one in left for other in right if name in one.columns and name in other.columns]
    if not pairs or any(one.columns[name] != other.columns[name] for one, other in pairs):
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            f'USING ("{name}") needs the same column of both tables; join with ON instead.',
        )
    if same_person(pairs[0][0].columns[name], pairs[0][1].columns[name]):
        scope.tie(*pairs[0])


def _keep_outer_tie(left: list[Relation], right: list[Relation], before: int, scope: Scope) -> None:
    """Keep one tie across a LEFT JOIN: it doesn't filter the left side, so it can't tie two left tables."""
    ties = scope.ties[before:]
    del scope.ties[before:]
    crossing = [tie for tie in ties if _crosses(tie, left, right)]
    scope.ties += crossing[:1]
    clinical = [any(relation.clinical for relation in side) for side in (left, right)]
    if all(clinical) and not crossing:
        _require_one_person([set(), set()])


def _crosses(tie: tuple[Relation, Relation], left: list[Relation], right: list[Relation]) -> bool:
    return (tie[0] in left and tie[1] in right) or (tie[0] in right and tie[1] in left)


def _tie_all(condition: Any, scope: Scope) -> None:
    for part in _conjuncts(condition):
        ends = [_end(side, scope) for side in (part.a_expr.lexpr, part.a_expr.rexpr)]
        if ends[0] and ends[1] and same_person(ends[0][1], ends[1][1]) and _is_equality(part.a_expr):
            scope.tie(ends[0][0], ends[1][0])


def _conjuncts(node: Any) -> Iterator[Any]:
    if not node.HasField("bool_expr"):
        yield node
    elif grammar.BoolExprType.Name(node.bool_expr.boolop) == "AND_EXPR":
        for part in node.bool_expr.args:
            yield from _conjuncts(part)


def _is_equality(expression: Any) -> bool:
    plain = grammar.A_Expr_Kind.Name(expression.kind) == "AEXPR_OP"
    return plain and [name.string.sval for name in expression.name] == ["="]


def _end(node: Any, scope: Scope) -> tuple[Relation, Column] | None:
    if not node.HasField("column_ref"):
        return None
    names = parts_of(node.column_ref)
    relation, column = scope.find(names[-1], names[0] if names[1:] else None)
    return (relation, column) if column.kind is not Kind.KEY else None
