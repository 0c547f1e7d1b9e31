"""The trust's own vocabulary: concepts found by words, and what is missing of it. Nothing here depends on patients."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol

from schemas.cohort import Concept
from trust_node.cohort.warehouse.catalogue import Catalogue

MOST_NEIGHBOURS = 50
# From here on a trust numbers concepts of its own; their names may be of staff or places.
FIRST_LOCAL = 2_000_000_000

Trouble = Literal["empty_vocabulary", "empty_hierarchy"]

# Escaped by PostgreSQL's default, the backslash: an ESCAPE clause needs a function that the reader may not call.
_RANK = """CASE WHEN name = $2 THEN 0 WHEN name LIKE $3 THEN 1 WHEN name LIKE $4 THEN 2
                WHEN name LIKE $5 THEN 3 ELSE 4 END"""
_HAS_WORDS = "{name} ILIKE $10::text AND {name} ILIKE ALL ($1::text[])"
_MEANT = f"""concept_id > 0 AND concept_id < {FIRST_LOCAL} AND (standard_concept = 'S' OR NOT $8::bool)
      AND ($6::text IS NULL OR domain_id = $6) AND ($7::text IS NULL OR vocabulary_id = $7)
      AND invalid_reason IS NULL"""
# The longest word alone comes first: most rows end there, and a trigram index answers it where a trust has one.
# OFFSET 0 keeps apart what is done to rows that are found: their names are made lower once.
FIND = f"""
WITH named AS (
    SELECT concept_id, NULL::text AS synonym, lower(concept_name) AS name
    FROM concept WHERE {_MEANT} AND {_HAS_WORDS.format(name="concept_name")}
  UNION ALL
    SELECT concept_id, concept_synonym_name::text, lower(concept_synonym_name)
    FROM concept_synonym WHERE {_HAS_WORDS.format(name="concept_synonym_name")}
  OFFSET 0
), hit AS (
    SELECT concept_id, synonym, {_RANK} AS place FROM named
  UNION ALL
    SELECT concept_id, NULL, CASE WHEN lower(concept_code) = $2 THEN 0 ELSE 1 END
    FROM concept WHERE $11::bool AND {_MEANT} AND concept_code ILIKE $3
), best AS (
    SELECT hit.*, row_number() OVER (PARTITION BY concept_id ORDER BY place, synonym NULLS FIRST) AS turn FROM hit
)
SELECT concept_id, concept_name, concept_code, domain_id, vocabulary_id, standard_concept, synonym
FROM best JOIN concept USING (concept_id)
WHERE turn = 1 AND {_MEANT}
ORDER BY CASE WHEN standard_concept = 'S' THEN 0 ELSE 1 END, place, concept_name, concept_id LIMIT $9::int"""  # noqa: S608  our own words
_NO_SYNONYMS = "FROM (SELECT 0 AS concept_id, NULL::text AS concept_synonym_name) AS none_here"
WITHOUT_SYNONYMS = FIND.replace("FROM concept_synonym", _NO_SYNONYMS)

_NEIGHBOURS = """
SELECT mine, other FROM (
    SELECT {mine} AS mine, {other} AS other, row_number() OVER (PARTITION BY {mine} ORDER BY {other}) AS turn
    FROM concept_ancestor
    WHERE {mine} = ANY ($1::text[]::int[]) AND min_levels_of_separation = 1 AND {other} < {local}) AS near
WHERE turn <= $2::int ORDER BY mine, other"""
PARENTS = _NEIGHBOURS.format(mine="descendant_concept_id", other="ancestor_concept_id", local=FIRST_LOCAL)
CHILDREN = _NEIGHBOURS.format(mine="ancestor_concept_id", other="descendant_concept_id", local=FIRST_LOCAL)
DESCENDANTS = f"""
SELECT ancestor_concept_id, count(*) FROM concept_ancestor
WHERE ancestor_concept_id = ANY ($1::text[]::int[]) AND min_levels_of_separation > 0
  AND descendant_concept_id < {FIRST_LOCAL}
GROUP BY ancestor_concept_id"""  # noqa: S608  our own words
HAS_CONCEPTS = "SELECT 1 FROM concept WHERE concept_id > 0 LIMIT 1"
HAS_HIERARCHY = "SELECT 1 FROM concept_ancestor WHERE min_levels_of_separation > 0 LIMIT 1"

Neighbours = Mapping[int, tuple[int, ...]]
NONE: Neighbours = MappingProxyType({})
NO_COUNTS: Mapping[int, int] = MappingProxyType({})


class Asked(Protocol):
    """What is needed of the warehouse: fixed texts of ours, their values apart; all raise WarehouseError."""

    def ask(self, sql: str, *values: object) -> Awaitable[list[tuple[Any, ...]]]: ...

    def catalogue(self) -> Awaitable[Catalogue]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; `words` have at least one letter or digit."""

    words: str
    domain: str | None = None
    vocabulary: str | None = None
    standard_only: bool = True
    limit: int = 20

    @property
    def values(self) -> tuple[Any, ...]:
        """The parameters of `FIND`: words are never part of its text."""
        phrase = " ".join(self.words.lower().split())
        plain = _escaped(phrase)
        longest, *rest = sorted((f"%{_escaped(word)}%" for word in phrase.split()), key=len, reverse=True)
        places = (phrase, f"{plain}%", f"% {plain}%", f"%{plain}%")
        told = (self.domain, self.vocabulary, self.standard_only, self.limit)
        # no code is without a digit, or has a blank
        is_code = " " not in phrase and any(letter.isdigit() for letter in phrase)
        return (rest, *places, *told, longest, is_code)


async def search(warehouse: Asked, wanted: Wanted, tables: Mapping[str, frozenset[str]]) -> tuple[Concept, ...]:
    """Return standard concepts first, those that are the words before those that begin with them or hold them.

    `tables` are those of the warehouse; without synonyms or hierarchy the rest is told. Raises WarehouseError.
    """
    found = await warehouse.ask(FIND if "concept_synonym" in tables else WITHOUT_SYNONYMS, *wanted.values)
    # asyncpg asks the catalogue, which the reader may not see, how to send a list of anything but text
    numbers = [str(row[0]) for row in found]
    if "concept_ancestor" not in tables or not numbers:
        return tuple(_concept(row) for row in found)
    parents = _grouped(await warehouse.ask(PARENTS, numbers, MOST_NEIGHBOURS))
    children = _grouped(await warehouse.ask(CHILDREN, numbers, MOST_NEIGHBOURS))
    below: dict[int, int] = dict(await warehouse.ask(DESCENDANTS, numbers))
    return tuple(_concept(row, parents, children, below) for row in found)


async def vocabulary_trouble(warehouse: Asked) -> Trouble | None:
    """Return what is missing of a vocabulary, None if it is whole, which is asked once; raises WarehouseError."""
    if warehouse not in _WHOLE:
        trouble = await _trouble(warehouse, (await warehouse.catalogue()).tables)
        if trouble is not None:
            return trouble
        _WHOLE.append(warehouse)
    return None


_WHOLE: list[Asked] = []
"""A node has one warehouse; it lives as long as the process."""


async def _trouble(warehouse: Asked, tables: Mapping[str, frozenset[str]]) -> Trouble | None:
    if "concept" not in tables or not await warehouse.ask(HAS_CONCEPTS):
        return "empty_vocabulary"
    if "concept_ancestor" not in tables or not await warehouse.ask(HAS_HIERARCHY):
        return "empty_hierarchy"
    return None


def _escaped(words: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in words)


def _grouped(rows: Sequence[Any]) -> dict[int, tuple[int, ...]]:
    near: dict[int, tuple[int, ...]] = {}
    for mine, other in rows:
        near[mine] = (*near.get(mine, ()), other)
    return near


def _cut(text: str | None, length: int) -> str:
    """The CDM's own lengths, which a warehouse need not keep."""
    return (text or "")[:length]


def _concept(
    row: tuple[Any, ...],
    parents: Neighbours = NONE,
    children: Neighbours = NONE,
    below: Mapping[int, int] = NO_COUNTS,
) -> Concept:
    number, name, code, domain, vocabulary, standard, synonym = row
    return Concept(
        concept_id=number,
        name=_cut(name, 255),
        code=_cut(code, 50),
        domain=_cut(domain, 20),
        vocabulary=_cut(vocabulary, 20),
        standard=standard == "S",
        matched=_cut(synonym, 1000) or None,
        parents=parents.get(number, ()),
        children=children.get(number, ()),
        descendants=below.get(number, 0),
    )
