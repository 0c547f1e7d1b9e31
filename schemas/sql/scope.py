"""Which column a name means, and which relations a query ties to the same person."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.sql.allowed import COLUMN_NAMES, ONE_PERSON, Kind
from schemas.sql.refusal import RefusalCode, RefusedQueryError


@dataclass(frozen=True, slots=True)
class Column:
    """A value's kind and, for columns of a table, the name it has there."""

    kind: Kind
    origin: str = ""


def blend(columns: Iterable[Column]) -> Column:
    """Return the kind of a value computed from these: as restricted as its most restricted part."""
    kinds = {column.kind for column in columns}
    if Kind.LABEL in kinds:
        return Column(Kind.LABEL)
    return Column(Kind.CODED if kinds & {Kind.CODED, Kind.CONSTANT} else Kind.PLAIN)


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A table or subquery in FROM. `clinical`: its rows depend on persons. `stored`: a real table."""

    name: str
    columns: Mapping[str, Column]
    clinical: bool
    stored: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """What a SELECT yields. `tied`: its persons are those of the enclosing query's row."""

    outputs: tuple[tuple[str, Column], ...]
    relations: tuple[Relation, ...]
    clinical: bool
    tied: bool
    grouped: bool


@dataclass(slots=True)
class Scope:
    """The relations a SELECT sees, innermost first."""

    parent: "Scope | None"
    named: dict[str, Relation]
    select: "Callable[[Any, Scope | None, Mapping[str, Relation]], Selection]"
    relations: list[Relation] = field(default_factory=list)
    ties: list[tuple[Relation, Relation]] = field(default_factory=list)

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
        stored_seen = False
        while scope is not None:
            stored_seen |= any(relation.stored for relation in scope.relations)
            found = scope.lookup(name, table)
            if found:
                _check_meaning(name, found, hidden=stored_seen and table is None)
                return found[0]
            scope = scope.parent
        raise RefusedQueryError(
            RefusalCode.COLUMN,
            f'The column "{name}" is not one a cohort query may use here; check its table and spelling.',
        )

    def lookup(self, name: str, table: str | None = None) -> list[tuple[Relation, Column]]:
        named = [relation for relation in self.relations if table in (None, relation.name)]
        if table is not None and named and name not in named[0].columns:
            raise RefusedQueryError(
                RefusalCode.COLUMN,
                f'The column "{name}" of "{table}" is not one a cohort query may use; leave it out.',
            )
        return [(relation, relation.columns[name]) for relation in named if name in relation.columns]

    def tie(self, one: Relation, other: Relation) -> None:
        self.ties.append((one, other))

    def groups(self) -> list[set[int]]:
        """Return the clinical relations (by id) in sets that stand for the same person; 0 is outside."""
        inside = {id(relation) for relation in self.clinical}
        groups = [{identity} for identity in inside | {0}]
        for pair in self.ties:
            ends = {id(end) if id(end) in inside else 0 for end in pair}
            touched = [group for group in groups if group & ends]
            groups = [group for group in groups if not group & ends] + [set().union(*touched)]
        return groups


def _check_meaning(name: str, found: list[tuple[Relation, Column]], *, hidden: bool) -> None:
    invented = name not in COLUMN_NAMES and not found[0][0].stored
    if len({column for _, column in found}) > 1 or (invented and hidden):
        # A table may have columns we do not list; PostgreSQL would then take those instead.
        raise RefusedQueryError(
            RefusalCode.NAME,
            f'The name "{name}" could mean more than one column; write it as alias.{name}.',
        )


def same_person(left: Column, right: Column) -> bool:
    """Whether equality of these two ties their rows to one person."""
    return left == right and left.kind in ONE_PERSON
