"""Which column a name means, and which relations a query ties to the same person."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.sql.allowed import COLUMN_NAMES
from schemas.sql.columns import Column
from schemas.sql.refusal import RefusalCode, RefusedQueryError

_OUTSIDE = 0
_PRIVATE = re.compile(
    r"source|birth|_text|_as_string|_uid$|_uri$|path|title|nhs|name|address|location|provider|care_site"
)


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A table or subquery in FROM. `clinical`: its rows depend on persons. `stored`: a real table.

    `single`: one row whatever the data, such as constants that a WITH names.
    """

    name: str
    columns: Mapping[str, Column]
    clinical: bool
    stored: bool
    single: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What a SELECT yields. `tied`: its persons are those of the enclosing query's row.

    `outward`: it names columns of an enclosing query. `sided`: a RIGHT or FULL join may leave its first person empty.
    """

    outputs: tuple[tuple[str, Column], ...]
    relations: tuple[Relation, ...]
    clinical: bool
    tied: bool
    grouped: bool
    outward: bool = False
    sided: bool = False


@dataclass(slots=True)
class Scope:
    """The relations a SELECT sees, innermost first. `depth` counts the subqueries in expressions around it."""

    parent: "Scope | None"
    named: dict[str, Relation]
    select: "Callable[[Any, Scope | None, Mapping[str, Relation]], Selection]"
    depth: int = 0
    relations: list[Relation] = field(default_factory=list)
    ties: list[tuple[Relation, Relation]] = field(default_factory=list)
    edges: list[set[int]] = field(default_factory=list)
    maybe_absent: set[int] = field(default_factory=set)
    present: set[tuple[int, str]] = field(default_factory=set)
    windows: dict[str, Any] = field(default_factory=dict)
    merged: bool = False
    sided: bool = False
    outward: bool = False

    def subquery(self, statement: Any) -> Selection:
        return self.select(statement, self, self.named)

    def add(self, relation: Relation) -> Relation:
        if any(known.name == relation.name for known in self.relations):
            raise RefusedQueryError(
                RefusalCode.NAME,
                f'The name "{relation.name}" stands twice in one FROM; give each table its own alias.',
            )
        self.relations.append(relation)
        return relation

    @property
    def clinical(self) -> list[Relation]:
        return [relation for relation in self.relations if relation.clinical]

    def find(self, name: str, table: str | None = None) -> tuple[Relation, Column]:
        """Return what a reference means; refuse one that is unknown or could mean two things."""
        scope: Scope | None = self
        passed: list[Scope] = []
        while scope is not None:
            found = scope.lookup(name, table)
            if found:
                hidden = any(inner.stores for inner in passed) or (scope.stores and bool(_PRIVATE.search(name)))
                _check_meaning(name, found, hidden=hidden and table is None)
                return found[0][0], replace(found[0][1], outer=_reach_out(passed))
            passed.append(scope)
            scope = scope.parent
        raise RefusedQueryError(
            RefusalCode.COLUMN,
            f'The column "{name}" is not one a cohort query may use here; check its table and spelling.',
        )

    @property
    def stores(self) -> bool:
        return any(relation.stored for relation in self.relations)

    def lookup(self, name: str, table: str | None = None) -> list[tuple[Relation, Column]]:
        named = [relation for relation in self.relations if table in (None, relation.name)]
        if table is not None and named and name not in named[0].columns:
            raise RefusedQueryError(
                RefusalCode.COLUMN,
                f'The column "{name}" of "{table}" is not one a cohort query may use; leave it out.',
            )
        return [(relation, self._seen(relation, name)) for relation in named if name in relation.columns]

    def _seen(self, relation: Relation, name: str) -> Column:
        column = relation.columns[name]
        absent = column.nullable or id(relation) in self.maybe_absent
        return replace(column, nullable=absent and (id(relation), name) not in self.present)

    def tie(self, one: Relation, other: Relation) -> None:
        self.ties.append((one, other))

    def groups(self) -> list[set[int]]:
        """Return the clinical relations (by id) in sets that stand for the same person; 0 is outside."""
        inside = {id(relation) for relation in self.clinical}
        pairs = [{id(end) if id(end) in inside else _OUTSIDE for end in pair} for pair in self.ties]
        return _united(inside | {_OUTSIDE}, pairs)

    def unjoined(self) -> bool:
        """Return whether rows of some relation are put beside all rows of another."""
        inside = {id(relation) for relation in self.relations if not relation.single}
        pairs = [{id(end) if id(end) in inside else _OUTSIDE for end in pair} for pair in self.ties]
        edges = [edge & (inside | {_OUTSIDE}) for edge in self.edges]
        return len([group for group in _united(inside | {_OUTSIDE}, [*pairs, *edges]) if group - {_OUTSIDE}]) > 1


def _reach_out(passed: list[Scope]) -> bool:
    for scope in passed:
        scope.outward = True
    return bool(passed)


def _united(nodes: set[int], edges: Iterable[set[int]]) -> list[set[int]]:
    groups = [{node} for node in nodes]
    for edge in edges:
        touched = [group for group in groups if group & edge]
        if len(touched) > 1:
            groups = [group for group in groups if not group & edge] + [set().union(*touched)]
    return groups


def _check_meaning(name: str, found: list[tuple[Relation, Column]], *, hidden: bool) -> None:
    invented = name not in COLUMN_NAMES and not found[0][0].stored
    alike = all(column.same_as(found[0][1]) for _, column in found)
    if not alike or (invented and hidden):
        # A table may have columns we do not list; PostgreSQL would then take those instead.
        raise RefusedQueryError(
            RefusalCode.NAME,
            f'The name "{name}" could mean more than one column; write it as alias.{name}.',
            qualifier=found[0][0].name if alike and len(found) == 1 and not _PRIVATE.search(name) else "",
        )
