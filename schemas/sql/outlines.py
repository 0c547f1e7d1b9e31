"""What a SELECT yields by its form alone: the names of its columns, and which of them are counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.sql.counts import is_count
from schemas.sql.outputs import default_name


@dataclass(frozen=True, slots=True)
class Outline:
    """`columns`: names; `counts`: the places of those that are counts. `own`: they are counted by the SELECT itself."""

    columns: tuple[str, ...]
    counts: frozenset[int]
    own: bool = False

    @property
    def counted(self) -> frozenset[str]:
        return frozenset(self.columns[at] for at in self.counts)

    def titled(self, titles: Any) -> "Outline":
        """Return it with other names for its first columns."""
        given = tuple(title.string.sval for title in titles)
        return replace(self, columns=given + self.columns[len(given) :])


@dataclass(frozen=True, slots=True)
class Source:
    """An entry of FROM that yields counts: its alias, and the SELECT that it stands for."""

    alias: str
    statement: Any
    outline: Outline


@dataclass(slots=True)
class Outlines:
    """The SELECTs that WITH names, and their outlines."""

    statements: dict[str, Any] = field(default_factory=dict)
    named: dict[str, Outline] = field(default_factory=dict)

    def name(self, query: Any) -> None:
        """Note an entry of WITH."""
        statement = query.ctequery.select_stmt
        self.named[query.ctename] = self.of(statement).titled(query.aliascolnames)
        self.statements[query.ctename] = statement

    def of(self, statement: Any) -> Outline:
        """Return what a SELECT yields; of a set operation, what its first side yields."""
        inner = Outlines(dict(self.statements), dict(self.named)) if statement.HasField("with_clause") else self
        for entry in statement.with_clause.ctes:
            inner.name(entry.common_table_expr)
        if statement.HasField("larg"):
            return replace(inner.of(statement.larg), own=False)
        sources = list(inner.sources(statement))
        columns = [column for target in statement.target_list for column in _columns(inner, target.res_target, sources)]
        own = any(is_count(target.res_target.val) for target in statement.target_list)
        counts = frozenset(at for at, (_, counted) in enumerate(columns) if counted)
        return Outline(tuple(name for name, _ in columns), counts, own)

    def sources(self, statement: Any) -> Iterator[Source]:
        """Yield the entries of FROM that yield counts."""
        for entry in statement.from_clause:
            yield from self._sources(entry)

    def _sources(self, entry: Any) -> Iterator[Source]:
        if entry.HasField("join_expr"):
            yield from self._sources(entry.join_expr.larg)
            yield from self._sources(entry.join_expr.rarg)
            return
        source = self._source(entry)
        if source and source.outline.counts:
            yield source

    def _source(self, entry: Any) -> Source | None:
        if entry.HasField("range_subselect"):
            part = entry.range_subselect
            statement = part.subquery.select_stmt
            return Source(alias_of(entry), statement, self.of(statement).titled(part.alias.colnames))
        name = entry.range_var.relname
        if name not in self.named:
            return None
        titles = entry.range_var.alias.colnames
        return Source(alias_of(entry), self.statements[name], self.named[name].titled(titles))


def _columns(outlines: Outlines, target: Any, sources: list[Source]) -> list[tuple[str, bool]]:
    """Return the names of a selected column, or of those that `*` stands for, and whether each is a count."""
    fields = target.val.column_ref.fields
    if fields and fields[-1].HasField("a_star"):
        outlined = [source.outline for source in sources]
        return [(name, at in outline.counts) for outline in outlined for at, name in enumerate(outline.columns)]
    link = target.val.sub_link.subselect.select_stmt
    value = target.val.HasField("sub_link") and bool(outlines.of(link).counts)
    counted = value or is_count(target.val) or source_of(target.val, sources) is not None
    return [(target.name or default_name(target.val), counted)]


def alias_of(entry: Any) -> str:
    """Return the name of an entry of FROM; for a subquery without one, a name of ours."""
    return str(
        entry.range_subselect.alias.aliasname or entry.range_var.alias.aliasname or entry.range_var.relname or "counted"
    )


def source_of(node: Any, sources: list[Source]) -> Source | None:
    """Return where a column that is a count comes from."""
    names = [part.string.sval for part in node.column_ref.fields]
    for source in sources:
        if names and names[-1] in source.outline.counted and names[:-1] in ([], [source.alias]):
            return source
    return None
