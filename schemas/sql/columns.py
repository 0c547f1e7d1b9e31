"""What is known of a value of a query: its kind, where it comes from, and how far it may reach."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.sql.allowed import IDENTIFIERS, Kind

SPAN = "interval"
"""The origin of a length of time: sums of many may not fit."""


@dataclass(frozen=True, slots=True)
class Column:
    """A value: its kind, and for columns of a table the name it has there.

    `reach`: how many times the stored value it may be, or how large a constant is (infinite for text).
    `terms`: how many values were added up or strung together in it.
    `moment`: a date or time; `written`: as a text that is no more than that. `wide`: of any size. `exact`: of the type
    numeric, whose products always fit; `product`: one of them. `nullable`: an identifier that may be missing.
    `outer`: a column of an enclosing query's row. `own`: the row id of a table's own records, each of one person; that
    of another table may be filled with one number for all records that belong to none.
    """

    kind: Kind
    origin: str = ""
    reach: float = 1.0
    terms: int = 1
    moment: bool = False
    wide: bool = False
    written: bool = False
    exact: bool = False
    product: bool = False
    nullable: bool = False
    outer: bool = False
    own: bool = False

    @property
    def identifies(self) -> bool:
        return self.kind in IDENTIFIERS

    @property
    def computed_origin(self) -> str:
        return SPAN if self.origin == SPAN else ""

    def same_as(self, other: "Column") -> bool:
        return (self.kind, self.origin) == (other.kind, other.origin)


def blend(columns: Iterable[Column]) -> Column:
    """Return what a value is that may be any of these: as restricted as its most restricted part."""
    parts = list(columns)
    kinds = {part.kind for part in parts}
    order = (Kind.PLAIN, Kind.LABEL, Kind.BUCKET, Kind.CODED)
    return Column(
        next((kind for kind in order if kind in kinds), Kind.CONSTANT),
        SPAN if any(part.origin == SPAN for part in parts) else "",
        reach=max(part.reach for part in parts),
        terms=max(part.terms for part in parts),
        moment=any(part.moment for part in parts),
        wide=any(part.wide for part in parts),
        # Beside a time the server takes a written one for a time.
        written=any(part.written for part in parts) and not any(part.moment and not part.written for part in parts),
        # Constants become numeric beside a numeric.
        exact=any(part.exact for part in parts) and all(part.exact or part.kind is Kind.CONSTANT for part in parts),
        product=any(part.product for part in parts),
    )


def same_person(left: Column, right: Column) -> bool:
    """Whether equality of these two ties their rows to one person.

    Accession numbers don't: of many images they may be unknown, and all have the same text then.
    """
    known = left.kind is Kind.PERSON or (left.kind is Kind.LINK and (left.own or right.own))
    return known and left.same_as(right)
