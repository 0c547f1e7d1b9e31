"""The tables and subqueries of FROM, and which of them a condition ties to the same person."""

from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as grammar

from schemas.sql.allowed import CLINICAL_TABLES, SCHEMA, TABLES, WHOLE_COLUMNS, WIDE_COLUMNS, Kind
from schemas.sql.columns import Column, same_person
from schemas.sql.expressions import condition
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Relation, Scope, Selection
from schemas.sql.ties import tie_all

_JOINS = frozenset({"JOIN_INNER", "JOIN_LEFT", "JOIN_RIGHT", "JOIN_FULL"})
# The record of another table that a row belongs to may be unknown.
_ROW_OUTSIDE = Relation("", {}, clinical=False, stored=False)
_OWN_RECORD = "{}_id"
_LEFT_OUT = frozenset({"fact_relationship", "cohort", "cohort_definition", "metadata"})
_PRIVATE_TABLES = frozenset({"location", "care_site", "provider", "cost", "payer_plan_period", "note_nlp"})


def derived(name: str, inner: Selection, titles: Any = ()) -> Relation:
    """Return a subquery as a relation; `titles` rename its columns from the left."""
    if len(titles) > len(inner.outputs):
        raise RefusedQueryError(RefusalCode.NAME, f'"{name}" is given more column names than it has columns.')
    given = [title.string.sval for title in titles]
    names = given + [output for output, _ in inner.outputs[len(given) :]]
    if len(set(names)) != len(names):
        raise RefusedQueryError(RefusalCode.NAME, f'Two columns of "{name}" have the same name; rename one with AS.')
    columns = {name: replace(column, outer=False) for name, (_, column) in zip(names, inner.outputs, strict=True)}
    return Relation(name, columns, inner.clinical, stored=False, rows=inner.rows)


def require_one_person(groups: list[set[int]], scope: Scope) -> None:
    """Refuse relations that stand for more than one person in one row."""
    if len(groups) > 1:
        raise RefusedQueryError(RefusalCode.UNLINKED, _person_besides(scope.weak))


def _person_besides(weak: tuple[str, str, str] | None) -> str:
    if weak is None:
        return "Join each table with persons to the others by person_id, or by the row id of one of the two, with AND."
    one, other, column = weak
    return f"{column} may be the same for many persons; add AND {one}.person_id = {other}.person_id."


def add_source(node: Any, scope: Scope) -> list[Relation]:
    """Read an entry of FROM; return the relations in it."""
    match node.WhichOneof("node"):
        case "range_var":
            return [scope.add(_table(node.range_var, scope))]
        case "range_subselect":
            return [scope.add(_subselect(node.range_subselect, scope))]
        case "join_expr":
            return _join(node.join_expr, scope)
    raise RefusedQueryError(RefusalCode.FORM, "FROM may hold only tables, subqueries and joins.")


def bind(relations: list[Relation], scope: Scope) -> None:
    """Tie LATERAL subqueries to the relation whose person they are about."""
    for relation in relations:
        if id(relation) in scope.anchors:
            scope.tie(relation, scope.anchors.pop(id(relation)))


def _lateral(subquery: Any, scope: Scope) -> Relation:
    """Read a subquery that names columns of the tables before it: rows of their person, or values of their row."""
    inner = scope.subquery(subquery.subquery.select_stmt)
    relation = derived(subquery.alias.aliasname, inner, subquery.alias.colnames)
    groups = [group - {0} for group in scope.groups() if group - {0}]
    if relation.rows:
        return relation
    if scope.parent or len(groups) != 1 or not inner.clinical or not inner.tied:
        raise RefusedQueryError(
            RefusalCode.UNLINKED,
            "LATERAL may take rows of the person of the tables before it: join these by person_id with ON, and add "
            "inner.person_id = outer.person_id.",
        )
    scope.anchors[id(relation)] = scope.clinical[0]
    return relation


def _subselect(subquery: Any, scope: Scope) -> Relation:
    if subquery.lateral:
        return _lateral(subquery, scope)
    inner = scope.select(subquery.subquery.select_stmt, scope.parent, scope.named)
    scope.outward |= inner.outward
    relation = derived(subquery.alias.aliasname, inner, subquery.alias.colnames)
    if scope.parent and inner.clinical and inner.tied:
        scope.tie(relation, _ROW_OUTSIDE)
    return relation


def _table(table: Any, scope: Scope) -> Relation:
    alias = table.alias.aliasname or table.relname
    if table.alias.colnames:
        raise RefusedQueryError(
            RefusalCode.FORM,
            "Column lists after the alias of a table are not allowed; name columns with AS in the SELECT.",
            table.location,
        )
    named = scope.named.get(table.relname)
    if named and not table.schemaname:
        return Relation(alias, named.columns, named.clinical, stored=False, rows=named.rows)
    if table.schemaname not in ("", SCHEMA) or table.relname not in TABLES:
        raise RefusedQueryError(
            RefusalCode.TABLE,
            f'The table "{table.relname}" is not allowed; {_other_table(table)}',
            table.location,
        )
    return Relation(alias, _columns_of(table.relname), table.relname in CLINICAL_TABLES, stored=True)


def _other_table(table: Any) -> str:
    if table.relname in TABLES:
        return "write it without a schema, or with omop."
    if table.relname in _PRIVATE_TABLES:
        return "places, staff and money are private; leave it out."
    if table.relname in _LEFT_OUT:
        return "it has no column of a person's own; write the criteria themselves."
    return "use tables of the OMOP CDM 5.4 or image_occurrence."


def _columns_of(table: str) -> dict[str, Column]:
    row_id = _OWN_RECORD.format(table)
    return {
        name: Column(
            kind,
            name,
            moment=name.endswith(("_date", "_datetime")),
            wide=name in WIDE_COLUMNS,
            exact=name in WIDE_COLUMNS and name not in WHOLE_COLUMNS.get(table, ()),
            nullable=kind is not Kind.PERSON and name != row_id,
            own=name == row_id,
        )
        for name, kind in TABLES[table].items()
    }


def _join(join: Any, scope: Scope) -> list[Relation]:
    kind = grammar.JoinType.Name(join.jointype)
    if kind not in _JOINS:
        raise RefusedQueryError(RefusalCode.FORM, "Only INNER, LEFT, RIGHT and FULL joins are allowed.")
    before = len(scope.ties)
    left, right = add_source(join.larg, scope), add_source(join.rarg, scope)
    bind(left, scope)
    ties, edges = len(scope.ties), len(scope.edges)
    bind(right, scope)
    for name in join.using_clause:
        _use(name.string.sval, left, right, scope)
    if join.HasField("quals"):
        with scope.seeing(left + right):
            condition(join.quals, scope)
            tie_all(join.quals, scope, filters=False)
    if kind != "JOIN_INNER":
        _keep_outer_edge(left, right, edges, scope)
        absent = _mark_absent(kind, left, right, scope)
        alone = any(_leads_out(tie, absent, left + right) for tie in scope.ties[before:ties])
        _keep_outer_tie(left, right, ties, scope, most=0 if alone else 1)
    return left + right


def _mark_absent(kind: str, left: list[Relation], right: list[Relation], scope: Scope) -> list[Relation]:
    """Note and return the relations that the join may leave empty."""
    scope.sided |= kind in ("JOIN_RIGHT", "JOIN_FULL")
    absent = (right if kind in ("JOIN_LEFT", "JOIN_FULL") else []) + (
        left if kind in ("JOIN_RIGHT", "JOIN_FULL") else []
    )
    scope.maybe_absent |= {id(relation) for relation in absent}
    return absent


def _leads_out(tie: tuple[Relation, Relation], absent: list[Relation], joined: list[Relation]) -> bool:
    """Whether it ties the side that may be absent to what is outside the join: nothing for the side that is kept."""
    return any(end in absent for end in tie) and any(end not in joined for end in tie)


def _use(name: str, left: list[Relation], right: list[Relation], scope: Scope) -> None:
    pairs = [(one, other) for one in left for other in right if name in one.columns and name in other.columns]
    if not pairs or any(not one.columns[name].same_as(other.columns[name]) for one, other in pairs):
        raise RefusedQueryError(
            RefusalCode.IDENTIFIER,
            f'USING ("{name}") needs the same column of both tables; join with ON instead.',
        )
    scope.merged = True
    scope.edges.append({id(pairs[0][0]), id(pairs[0][1])})
    if same_person(pairs[0][0].columns[name], pairs[0][1].columns[name]):
        scope.tie(*pairs[0])


def _keep_outer_tie(left: list[Relation], right: list[Relation], before: int, scope: Scope, *, most: int) -> None:
    """Keep one tie across an outer join: it doesn't filter the kept side, so it can't tie two tables of it.

    `most` is 0 where the side that may be absent is tied to what is outside: the kept side needs a tie of its own.
    """
    ties = scope.ties[before:]
    del scope.ties[before:]
    crossing = [tie for tie in ties if _crosses(tie, left, right)]
    scope.ties += crossing[:most]
    clinical = [any(relation.clinical for relation in side) for side in (left, right)]
    if all(clinical) and not crossing:
        require_one_person([set(), set()], scope)


def _keep_outer_edge(left: list[Relation], right: list[Relation], before: int, scope: Scope) -> None:
    sides = [{id(relation) for relation in side} for side in (left, right)]
    crossing = [edge for edge in scope.edges[before:] if all(edge & side for side in sides)]
    scope.edges[before:] = crossing[:1]


def _crosses(tie: tuple[Relation, Relation], left: list[Relation], right: list[Relation]) -> bool:
    return (tie[0] in left and tie[1] in right) or (tie[0] in right and tie[1] in left)
