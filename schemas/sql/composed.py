"""Counts that stand in several SELECTs: sides of a UNION, subqueries as values, counts read out of a subquery.

Each is turned into SELECTs with counts of their own, and those are judged and released like any other (`counted`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import postgast
from postgast import pg_query_pb2 as grammar

from schemas.sql.counted import COMPUTED, Counted, Table, has_count, limit_of, read_counted
from schemas.sql.counts import MAX_COUNTS, MAX_SIDES, is_count
from schemas.sql.grouping import read_bound, read_order
from schemas.sql.outlines import Outlines, Source, alias_of, source_of
from schemas.sql.outputs import default_name
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Relation
from schemas.sql.selects import name_query
from schemas.sql.ties import conjuncts
from schemas.sql.trees import (
    all_of,
    column_of,
    copied,
    count_of,
    named_target,
    put,
    references,
    subquery,
    union_of,
    without_locations,
)

MAX_LEVELS = 2
_LISTED = {"person_id", "accession_id"}


def check_computed(statement: Any) -> None:
    """Refuse a query, known to be neither list nor frame, that computes with a count.

    Raises
    ------
    RefusedQueryError
        A selected expression has a count in it and is more than that.
    """
    outlines = Outlines()
    for entry in statement.with_clause.ctes:
        outlines.name(entry.common_table_expr)
    sources = [source for source in outlines.sources(statement) if not _LISTED & set(source.outline.columns)]
    for target in statement.target_list if not _LISTED & set(outlines.of(statement).columns) else []:
        value = target.res_target.val
        plain = is_count(value) or source_of(value, sources)
        read_out = any(source_of(reference, sources) for reference in references(value))
        if not plain and (has_count(value) or read_out or (not statement.from_clause and _has_counting(value))):
            raise _computed(target.res_target.location)


def _has_counting(node: Any) -> bool:
    """Whether an expression is made of subqueries that count, and is no such subquery itself."""
    links = [part for _, part in postgast.walk(node) if part.DESCRIPTOR.name == "SubLink"]
    return not node.HasField("sub_link") and any(Outlines().of(link.subselect.select_stmt).counts for link in links)


def is_composed(statement: Any) -> bool:
    """Whether counts are selected, by the form of the query, that are not just counts of its own SELECT."""
    outline = Outlines().of(statement)
    sets = any(group.HasField("grouping_set") for group in statement.group_clause)
    return bool(outline.counts) and (sets or not outline.own)


@dataclass(slots=True)
class Composing:
    """What is known while a query with counts is read: the queries of its WITH."""

    queries: dict[str, Any] = field(default_factory=dict)
    named: dict[str, Relation] = field(default_factory=dict)
    outlines: Outlines = field(default_factory=Outlines)
    level: int = 0

    def read(self, statement: Any) -> Table:
        """Read a query with counts.

        Raises
        ------
        RefusedQueryError
            It counts nothing, or not in a form that can be released cell by cell.
        """
        self._name_queries(statement)
        if statement.HasField("larg"):
            table = self._union(statement)
        elif self.outlines.of(statement).own:
            table = read_counted(statement, self.named)
        elif statement.from_clause:
            table = self._read_out(statement)
        else:
            table = self._values(statement)
        if len(table.counted) > MAX_COUNTS or sum(len(count.branches) for count in table.counted) > MAX_SIDES:
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                f"Ask for at most {MAX_COUNTS} counts, and {MAX_SIDES} sides of a UNION with labels, at once.",
            )
        return table

    def _name_queries(self, statement: Any) -> None:
        for entry in statement.with_clause.ctes:
            query = entry.common_table_expr
            self.named = name_query(query, self.named)
            self.outlines.name(query)
            self.queries[query.ctename] = entry
        statement.ClearField("with_clause")

    def _union(self, statement: Any) -> Table:
        union = grammar.SetOperation.Name(statement.op) == "SETOP_UNION"
        tables = [self.read(side) for side in (statement.larg, statement.rarg)]
        first = tables[0]
        if not union or _form(tables[1]) != _form(first) or first.limit is not None:
            raise RefusedQueryError(
                RefusalCode.GROUPING,
                "Counts are put together only by UNION, of sides with the same columns and HAVING; LIMIT comes last.",
            )
        return replace(
            first,
            counted=_together(tables) if _labelled(tables) else tables[0].counted + tables[1].counted,
            largest_first=read_order(statement, first.columns, first.counts),
            limit=limit_of(statement),
            texts=tables[0].texts | tables[1].texts,
        )

    def _values(self, statement: Any) -> Table:
        """Read subqueries as values, each one count of everybody, beside constants."""
        columns = self.outlines.of(statement).columns
        if statement.HasField("where_clause") or statement.HasField("having_clause") or statement.group_clause:
            raise _computed(0)
        targets = [target.res_target for target in statement.target_list]
        labels = {at: target.val for at, target in enumerate(targets) if target.val.HasField("a_const")}
        found = {at: self._value(target) for at, target in enumerate(targets) if at not in labels}
        named = [named_target(label, columns[at]) for at, label in labels.items()]
        counted = tuple(
            Counted(columns[at], tuple(_labelled_by(named, branch) for branch in count.branches))
            for at, count in found.items()
        )
        keys = tuple(columns[at].strip() or f"key_{at + 1}" for at in labels)
        texts = frozenset(place for place, label in enumerate(labels.values()) if label.a_const.HasField("sval"))
        return Table(keys, columns, {at: place for place, at in enumerate(found)}, counted, texts=texts)

    def _value(self, target: Any) -> Counted:
        if target.val.HasField("sub_link"):
            table = self.read(target.val.sub_link.subselect.select_stmt)
            if len(table.counted) == 1 and not table.keys and not table.at_least:
                return table.counted[0]
        raise _computed(target.location)

    def _read_out(self, statement: Any) -> Table:
        """Read counts of subqueries in FROM that are selected as they are."""
        sources = list(self.outlines.sources(statement))
        targets = [
            target for entry in statement.target_list for target in _selected(entry.res_target, statement, sources)
        ]
        owners = [source_of(target.val, sources) for target in targets]
        keys = [target for target, owner in zip(targets, owners, strict=True) if owner is None]
        _check_keys(statement, keys, sources)
        least, filters = _split(statement, sources)
        if len(sources) > 1:
            _check_beside(statement, keys, filters, sources)
        tables = {source.alias: self._table(source) for source in sources if source in owners}
        counted: list[Counted] = []
        for target, owner in zip(targets, owners, strict=True):
            if owner is not None:
                persons = _persons(owner, tables[owner.alias], target)
                alone = len(sources) > 1
                source = [persons] if alone else [_replaced(entry, persons) for entry in statement.from_clause]
                read = read_counted(_part(statement, keys, target, filters, source), self.named)
                counted.append(Counted(target.name, read.counted[0].branches))
        if not counted:
            raise _computed(0)
        columns = tuple(target.name for target in targets)
        places = [at for at, owner in enumerate(owners) if owner is not None]
        counts = {at: place for place, at in enumerate(places)}
        limits = [
            limit for limit in (limit_of(statement), *(table.limit for table in tables.values())) if limit is not None
        ]
        return Table(
            read.keys,
            columns,
            counts,
            tuple(counted),
            max(least, *(table.at_least for table in tables.values())),
            read_order(statement, columns, counts) or any(table.largest_first for table in tables.values()),
            min(limits, default=None),
            read.texts,
        )

    def _table(self, source: Source) -> Table:
        if self.level == MAX_LEVELS:
            raise RefusedQueryError(
                RefusalCode.TOO_DEEP, f"Counts may be read out of each other {MAX_LEVELS} deep; count in one SELECT."
            )
        self.level += 1
        table = self.read(copied(source.statement))
        self.level -= 1
        return table


class _Selected(NamedTuple):
    """A selected column: the name it has, the expression, and where it stands."""

    name: str
    val: Any
    location: int


def _selected(target: Any, statement: Any, sources: list[Source]) -> list[_Selected]:
    """Return the column, or those that `*` of a source stands for."""
    names = [part.string.sval for part in target.val.column_ref.fields]
    if names and target.val.column_ref.fields[-1].HasField("a_star"):
        meant = [source for source in sources if names[:-1] == [source.alias] or len(_leaves(statement)) == 1]
        named = [(source.alias, name) for source in meant for name in source.outline.columns]
        found = [_Selected(name, column_of(alias, name), target.location) for alias, name in named]
        return found or [_Selected("", target.val, target.location)]
    return [_Selected(target.name or default_name(target.val), target.val, target.location)]


def _leaves(statement: Any) -> list[Any]:
    """Return the tables and subqueries of FROM."""
    found, waiting = [], list(statement.from_clause)
    while waiting:
        entry = waiting.pop()
        if entry.HasField("join_expr"):
            waiting += [entry.join_expr.larg, entry.join_expr.rarg]
        else:
            found.append(entry)
    return found


def _check_keys(statement: Any, keys: list[_Selected], sources: list[Source]) -> None:
    computed = [key for key in keys if any(source_of(part, sources) for part in references(key.val))]
    if computed or statement.group_clause or statement.HasField("having_clause"):
        raise _computed(computed[0].location if computed else 0)


def _split(statement: Any, sources: list[Source]) -> tuple[int, list[Any]]:
    """Return the least number of persons that WHERE asks for, and its conditions of anything else."""
    least, filters = 0, []
    for part in conjuncts(statement.where_clause) if statement.HasField("where_clause") else []:
        if any(source_of(reference, sources) for reference in references(part)):
            bound = copied(part)
            if source_of(part.a_expr.lexpr, sources):
                bound.a_expr.lexpr.CopyFrom(count_of(part.a_expr.lexpr))
            least = max(least, read_bound(bound))
        else:
            filters.append(part)
    return least, filters


def _persons(source: Source, table: Table, target: _Selected) -> Any:
    """Return the subquery's keys beside the persons of one count, which has the name of the count."""
    name = target.val.column_ref.fields[-1].string.sval
    place = source.outline.columns.index(name)
    if len(table.counted) != len(table.counts) or place not in table.counts:
        raise _computed(target.location)
    names = [column for at, column in enumerate(source.outline.columns) if at not in table.counts] + [name]
    branches = [copied(branch) for branch in table.counted[table.counts[place]].branches]
    for branch in branches:
        put(branch.target_list, [named_target(*pair) for pair in zip(copied(branch).target_list, names, strict=True)])
    return subquery(union_of(branches), source.alias)


def _part(statement: Any, keys: list[_Selected], target: _Selected, filters: list[Any], source: list[Any]) -> Any:
    """Return the SELECT that counts the persons of `source` instead of reading their number."""
    part = copied(statement)
    count = named_target(count_of(target.val, target.location), target.name)
    put(part.target_list, [*(named_target(key.val, key.name) for key in keys), count])
    put(part.group_clause, [key.val for key in keys if not key.val.HasField("a_const")])
    put(part.sort_clause, [])
    put(part.from_clause, source)
    for clause in ("where_clause", "limit_count", "limit_option"):
        part.ClearField(clause)
    if filters:
        part.where_clause.CopyFrom(all_of(filters))
    return part


def _check_beside(statement: Any, keys: list[_Selected], filters: list[Any], sources: list[Source]) -> None:
    """Refuse counts of several subqueries that are joined; put beside each other, each has one row and none matters."""
    joined = any(part.HasField("quals") or part.using_clause for part in _joins(statement))
    labels = all(key.val.HasField("a_const") for key in keys)
    alone = all(len(source.outline.columns) == len(source.outline.counts) for source in sources)
    if joined or filters or not labels or not alone or len(sources) != len(_leaves(statement)):
        raise RefusedQueryError(
            RefusalCode.GROUPING,
            "Counts of several subqueries can't be joined; write count(*) FILTER (WHERE ...) or UNION ALL.",
        )


def _joins(statement: Any) -> Iterator[Any]:
    waiting = list(statement.from_clause)
    while waiting:
        join = waiting.pop().join_expr
        if join.HasField("larg"):
            yield join
            waiting += [join.larg, join.rarg]


def _replaced(entry: Any, persons: Any) -> Any:
    """Return an entry of FROM with the subquery of persons in the place of the one of its alias."""
    alias = persons.range_subselect.alias.aliasname
    if entry.HasField("join_expr"):
        copy = copied(entry)
        copy.join_expr.larg.CopyFrom(_replaced(entry.join_expr.larg, persons))
        copy.join_expr.rarg.CopyFrom(_replaced(entry.join_expr.rarg, persons))
        return copy
    return persons if alias_of(entry) == alias else entry


def _form(table: Table) -> tuple[object, ...]:
    return len(table.keys), tuple(table.counts), table.at_least, table.limit


def _labelled(tables: list[Table]) -> bool:
    """Whether each side has a constant of its own in one of the columns, so that no cell is of two sides."""
    if any(len(table.counted) != len(table.counts) for table in tables):
        return False
    rows = [branch.target_list for table in tables for branch in table.counted[0].branches]
    columns = [[row[at].res_target.val for row in rows] for at in range(len(tables[0].keys))]
    return any(
        all(value.HasField("a_const") for value in column)
        and len({without_locations(value).SerializeToString() for value in column}) == len(rows)
        for column in columns
    )


def _together(tables: list[Table]) -> tuple[Counted, ...]:
    sides = zip(*(table.counted for table in tables), strict=True)
    return tuple(Counted(side[0].title, tuple(branch for count in side for branch in count.branches)) for side in sides)


def _labelled_by(labels: list[Any], branch: Any) -> Any:
    copy = copied(branch)
    put(copy.target_list, [*labels, *branch.target_list])
    return copy


def _computed(at: int) -> RefusedQueryError:
    return RefusedQueryError(RefusalCode.OUTPUT, COMPUTED, at or None)
