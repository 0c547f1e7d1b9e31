"""Concept sets: a list of ids where that is enough, else a named query over the trust's own vocabulary."""

# ruff: noqa: S608  literals are numbers and dates only, names come from the table of domains
from collections.abc import Callable, Iterable, Sequence

from schemas.criteria.cohort import ConceptSet, ConceptSetItem
from schemas.criteria.failure import CriteriaError
from schemas.criteria.ranges import Concept, ConceptSetChoice
from schemas.criteria.text import NEVER, listed

Test = Callable[[ConceptSetItem], bool]


class ConceptSets:
    """Turns "is in concept set 3" into SQL, and remembers which sets need a query of their own."""

    def __init__(self, sets: Sequence[ConceptSet]) -> None:
        self._sets = {each.id: each for each in sets}
        self._queries: dict[int, str] = {}

    @property
    def queries(self) -> list[str]:
        """The WITH entries that the conditions so far refer to, each worked out once."""
        return [f"{_name(at)} AS MATERIALIZED ({self._queries[at]})" for at in sorted(self._queries)]

    def holds(self, column: str, set_id: int) -> str:
        items = self._items(set_id)
        if all(map(_excluded, items)):
            return NEVER
        if not any(item.include_descendants or item.include_mapped for item in items):
            return _in_list(column, _ids(items, _included) - _ids(items, _excluded))
        if set_id not in self._queries:
            self._queries[set_id] = _query(items)
        return f"{column} IN (SELECT s.concept_id FROM {_name(set_id)} s)"

    def chosen(self, column: str, choice: ConceptSetChoice) -> str:
        return _negated(self.holds(column, choice.codeset_id), when=choice.is_exclusion)

    def _items(self, set_id: int) -> Sequence[ConceptSetItem]:
        if set_id not in self._sets:
            raise CriteriaError("$.ConceptSets", f"There is no concept set with the id {set_id}; add it.")
        return self._sets[set_id].expression.items


def one_of(column: str, concepts: Iterable[Concept], *, exclude: bool = False) -> str:
    return _negated(_in_list(column, {each.concept_id for each in concepts}), when=exclude)


def _name(set_id: int) -> str:
    return f"set_{set_id}" if set_id >= 0 else f"set_m{-set_id}"


def _negated(condition: str, *, when: bool) -> str:
    return f"NOT {condition}" if when else condition


def _in_list(column: str, ids: set[int]) -> str:
    return f"{column} IN {listed(ids)}" if ids else NEVER


def _included(item: ConceptSetItem) -> bool:
    return not item.is_excluded


def _excluded(item: ConceptSetItem) -> bool:
    return item.is_excluded


def _ids(items: Iterable[ConceptSetItem], test: Test) -> set[int]:
    return {item.concept.concept_id for item in items if test(item)}


def _query(items: Sequence[ConceptSetItem]) -> str:
    included = _members(items, _included)
    if not any(map(_excluded, items)):
        return included
    return (
        f"SELECT i.concept_id FROM ({included}) i WHERE i.concept_id NOT IN "
        f"(SELECT x.concept_id FROM ({_members(items, _excluded)}) x)"
    )


def _members(items: Sequence[ConceptSetItem], test: Test) -> str:
    wanted = [item for item in items if test(item)]
    mapped = [item for item in wanted if item.include_mapped]
    return " UNION ".join([*_closure(wanted), *(_mapped(part) for part in _closure(mapped))])


def _closure(items: Sequence[ConceptSetItem]) -> list[str]:
    """Return the queries for the concepts themselves and for all below those that ask for it."""
    own, above = _ids(items, lambda _: True), _ids(items, lambda item: item.include_descendants)
    parts = [f"SELECT c.concept_id FROM concept c WHERE c.concept_id IN {listed(own)}"] if own else []
    below = "SELECT a.descendant_concept_id AS concept_id FROM concept_ancestor a WHERE a.ancestor_concept_id IN "
    return [*parts, below + listed(above)] if above else parts


def _mapped(part: str) -> str:
    return (
        "SELECT r.concept_id_1 AS concept_id FROM concept_relationship r WHERE r.relationship_id = 'Maps to' "
        f"AND r.invalid_reason IS NULL AND r.concept_id_2 IN (SELECT t.concept_id FROM ({part}) t)"
    )
