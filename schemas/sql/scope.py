"""Which column a name means, and which relations a query ties to the same person."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.sql.allowed import COLUMN_NAMES
from schemas.sql.columns import Column
from schemas.sql.refusal import RefusalCode, RefusedQueryError

MAX_CONSTANT_ROWS = 100
_OUTSIDE = 0
_PRIVATE = re.compile(
    r"source|birth|_text|_as_string|_uid$|_uri$|path|title|nhs|name|address|location|provider|care_site|stop_reason|lot_number|^sig$"
)


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A table or subquery in FROM. `clinical`: its rows depend on persons. `stored`: a real table.

    `rows`: how many rows of constants it has, such as a WITH names; 0 for any other.
    """

    name: str
    columns: Mapping[str, Column]
    clinical: bool
    stored: bool
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """What a SELECT yields. `tied`: its persons are those of the enclosing query's row.

    `outward`: it names columns of an enclosing query. `sided`: a RIGHT or FULL join may leave its first person empty.
    `rows`: how many rows of constants it has; 0 where tables are read.
    """

    outputs: tuple[tuple[str, Column], ...]
    relations: tuple[Relation, ...]
    clinical: bool
    tied: bool
    grouped: bool
    outward: bool = False
    sided: bool = False
    rows: int = 0


@dataclass(slots=True)
class Scope:
    """The relations a SELECT sees, innermost first.

    `depth` counts the subqueries in expressions around it. `anchors`: by id of a LATERAL subquery, whose person its
    rows are of; until they are tied. `visible`: what the ON of a join sees, where one is read. `touched`: how many
    references were found here. `noted`: which parts of the SELECT have been read. `weak`: two relations set equal by a
    column that may be the same for many persons.
    """

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
    anchors: dict[int, Relation] = field(default_factory=dict)
    visible: list[Relation] | None = None
    touched: int = 0
    noted: set[tuple[str, int]] = field(default_factory=set)
    weak: tuple[str, str, str] | None = None

    def note(self, node: Any) -> None:
        """Note that an expression has been read."""
        kind = node.WhichOneof("node")
        part = getattr(node, kind)
        if hasattr(part, "location"):
            self.noted.add((part.DESCRIPTOR.name, part.location))

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

    @contextmanager
    def seeing(self, relations: list[Relation]) -> Iterator[None]:
        """Let names mean these relations of the scope only, as the ON of a join does, or ones outside."""
        before, self.visible = self.visible, relations
        yield
        self.visible = before

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
                scope.touched += 1
                # After USING it may be the one or the other.
                own = all(column.own for _, column in found)
                return found[0][0], replace(found[0][1], own=own, outer=_reach_out(passed))
            passed.append(scope)
            scope = scope.parent
        raise RefusedQueryError(
            RefusalCode.COLUMN,
            _missing(
                name, f'The column "{name}" is not one a cohort query may use here; check its table and spelling.'
            ),
        )

    @property
    def stores(self) -> bool:
        return any(relation.stored for relation in self.relations)

    def lookup(self, name: str, table: str | None = None) -> list[tuple[Relation, Column]]:
        seen = self.relations if self.visible is None else self.visible
        named = [relation for relation in seen if table in (None, relation.name)]
        if table is not None and named and name not in named[0].columns:
            raise RefusedQueryError(
                RefusalCode.COLUMN,
                _missing(name, f'The column "{name}" of "{table}" is not one a cohort query may use; leave it out.'),
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
        """Return whether rows of some relation are put beside all rows of another, unless it is a few constants."""
        few = [relation for relation in self.relations if relation.rows]
        if math.prod(relation.rows for relation in few) > MAX_CONSTANT_ROWS:
            few = [relation for relation in few if relation.rows == 1]
        inside = {id(relation) for relation in self.relations if relation not in few}
        pairs = [{id(end) if id(end) in inside else _OUTSIDE for end in pair} for pair in self.ties]
        edges = [edge & (inside | {_OUTSIDE}) for edge in self.edges]
        return len([group for group in _united(inside | {_OUTSIDE}, [*pairs, *edges]) if group - {_OUTSIDE}]) > 1


def _missing(name: str, unknown: str) -> str:
    """Return what to do without a column."""
    coded = name.removesuffix("value") + "concept_id"
    if name.endswith("_source_value") and coded in COLUMN_NAMES:
        return f'The column "{name}" is private; use {coded}, with concept_code of concept.'
    return f'The column "{name}" is private; leave it out.' if _PRIVATE.search(name) else unknown


def _is_plain(name: str) -> bool:
    """Whether it may be written out which column a name means: names of concepts, not of what a site keeps private."""
    return name.endswith(("_name", "_title")) or not _PRIVATE.search(name)


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
            qualifier=found[0][0].name if alike and len(found) == 1 and _is_plain(name) else "",
        )
