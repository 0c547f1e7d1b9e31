"""What is asked around a judged text, and what its values become."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Protocol

from pyroaring import BitMap64

from schemas.sql.allowed import Kind
from trust_node.cohort.release import Key
from trust_node.cohort.warehouse.faults import WarehouseError, WarehouseFault


class Rows(Protocol):
    """A judged list or training frame."""

    @property
    def sql(self) -> str: ...

    @property
    def columns(self) -> tuple[Kind, ...]: ...


LABEL_BYTES = 255
"""Longer labels of many cells would not fit into a message; one that fails after its release tells of the data."""
_NAMING = frozenset({Kind.PERSON, Kind.ACCESSION})


def persons(rows: Rows) -> str:
    """Return the query of the distinct person_id."""
    listed, names = _listed(rows)
    if "person_id" in names:
        return f"SELECT DISTINCT person_id FROM {listed} WHERE person_id IS NOT NULL"  # noqa: S608  judged text
    return f"SELECT DISTINCT image.person_id FROM {listed} {_IMAGES}"  # noqa: S608  judged text


def members(rows: Rows) -> str:
    """Return the query of the distinct pairs of person and accession; raises ValueError if no image is named."""
    listed, names = _listed(rows)
    if "accession_id" not in names:
        raise ValueError("the list names no images; judge it with needs_accession")
    if "person_id" in names:
        return f"SELECT DISTINCT person_id, accession_id FROM {listed} WHERE person_id IS NOT NULL"  # noqa: S608  judged
    return f"SELECT DISTINCT image.person_id, accession_id FROM {listed} {_IMAGES}"  # noqa: S608  judged text


def studies(listing: Rows) -> str:
    """Return the query of each person's number of distinct accession numbers."""
    pairs = members(listing) if Kind.ACCESSION in listing.columns else _all_of(listing)
    counted = "SELECT person_id, count(DISTINCT accession_id)"
    return f"{counted} FROM ({pairs}) AS pairs WHERE accession_id IS NOT NULL GROUP BY person_id"


def _all_of(listing: Rows) -> str:
    listed, _ = _listed(listing)
    return f"SELECT person_id, accession_id FROM {listed} JOIN image_occurrence USING (person_id)"  # noqa: S608  judged


# A number that several persons share (an empty one, `UNKNOWN`) stands for none of them.
_IMAGES = """JOIN (
  SELECT accession_id, min(person_id) AS person_id FROM image_occurrence
  GROUP BY accession_id HAVING min(person_id) = max(person_id)) AS image USING (accession_id)"""


def _listed(rows: Rows) -> tuple[str, tuple[str, ...]]:
    """Return the judged text as a subquery with known column names, and these."""
    names = columns_of(rows)
    # The line break keeps a comment at the end of the judged text from swallowing the bracket.
    return f"(\n{rows.sql}\n) AS listed({', '.join(names)})", names


def columns_of(rows: Rows) -> tuple[str, ...]:
    """Return a name for each selected column, `person_id` and `accession_id` for those."""
    named = enumerate(rows.columns)
    return tuple(f"{kind.value}_id" if kind in _NAMING else f"column_{place}" for place, kind in named)


def by_key(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[tuple[Key, ...], BitMap64]]:
    """Yield keys and their persons, who stand last in each row. A key may come twice, written as two numbers are."""
    grouped = defaultdict[tuple[Any, ...], list[Any]](list)
    for row in rows:
        grouped[tuple(row[:-1])].append(row[-1])
    for key, persons in grouped.items():
        yield tuple(map(plain, key)), set_of(persons)


def set_of(persons: Iterable[Any]) -> BitMap64:
    """Return who is named; a row of nobody (an outer join's) names nobody."""
    try:
        return BitMap64([int(person) for person in persons if person is not None])
    except OverflowError:
        raise WarehouseError(WarehouseFault.PERSON_ID_UNFIT) from None


def plain(value: Any) -> Key:
    """Return a key's value as text of at most LABEL_BYTES, whole number or nothing."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value):
        return int(value)
    return str(value).encode()[:LABEL_BYTES].decode(errors="ignore")
