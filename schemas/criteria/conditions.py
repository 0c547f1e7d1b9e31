"""Groups of criteria as one condition about an anchor's person; each subquery is about that person alone."""

# ruff: noqa: S608  literals are numbers and dates only, names come from the table of domains
from collections.abc import Iterator
from itertools import count

from schemas.criteria.cohort import Counted, Demographic, Group
from schemas.criteria.criterion import Anchor, Rows, age, concepts_in, person_with, rows_of
from schemas.criteria.events import Chosen
from schemas.criteria.failure import CriteriaError
from schemas.criteria.ranges import Occurrence
from schemas.criteria.text import ALWAYS, both, in_range
from schemas.criteria.vocabulary import ConceptSets
from schemas.criteria.windows import placed

MAX_EVENTS = 60
_AT_LEAST = 2
_COMPARED = {0: "=", 1: "<=", _AT_LEAST: ">="}
_ORIGINS = {"Gender": "gender_concept_id", "Race": "race_concept_id", "Ethnicity": "ethnicity_concept_id"}


class Conditions:
    """Makes conditions for one query; `sets` collects the concept sets that they name."""

    def __init__(self, sets: ConceptSets) -> None:
        self.sets = sets
        self._numbers = count(1)

    def rows(self, chosen: Chosen) -> Rows:
        """Return the rows of an event under a new alias.

        Raises
        ------
        CriteriaError
            There are too many events in one cohort.
        """
        number = next(self._numbers)
        if number > MAX_EVENTS:
            raise CriteriaError("$", f"There are over {MAX_EVENTS} events in the criteria; use fewer.")
        return rows_of(chosen, f"x{number}", self.sets)

    def nested(self, chosen: Chosen, rows: Rows, anchor: Anchor) -> Iterator[str]:
        """Yield the criteria around each of the rows, which is in the same observation period as the anchor."""
        if chosen.event.correlated_criteria:
            own = Anchor(anchor.person, rows.start, rows.end, anchor.seen_from, anchor.seen_to)
            yield self.group(chosen.event.correlated_criteria, own)

    def group(self, group: Group, anchor: Anchor) -> str:
        conditions = [
            *(self._counted(each, anchor) for each in group.counted),
            *(self._demographic(each, anchor) for each in group.demographic_criteria_list),
            *(self.group(each, anchor) for each in group.groups),
        ]
        if not conditions:
            return ALWAYS
        if group.type in ("ALL", "ANY"):
            return f"({(' AND ' if group.type == 'ALL' else ' OR ').join(conditions)})"
        return _number_of(conditions, group, anchor)

    def _counted(self, counted: Counted, anchor: Anchor) -> str:
        rows = self.rows(counted.chosen)
        where = both([*placed(counted, rows, anchor), *rows.conditions, *self.nested(counted.chosen, rows, anchor)])
        return _occurring(counted.occurrence, rows, f"FROM {rows.source} WHERE {where}")

    def _demographic(self, given: Demographic, anchor: Anchor) -> str:
        tests = [in_range(age(anchor.start), given.age)] if given.age else []
        for name, column in _ORIGINS.items():
            tests += concepts_in(given, name, f"p.{column}", self.sets)
        conditions = [person_with(anchor.person, tests)] if tests else []
        for when, wanted in ((anchor.start, given.occurrence_start_date), (anchor.end, given.occurrence_end_date)):
            conditions += [in_range(when, wanted)] if wanted else []
        return both(conditions)


def _occurring(occurrence: Occurrence, rows: Rows, source: str) -> str:
    if (occurrence.type, occurrence.count) == (_AT_LEAST, 0):
        return ALWAYS
    return f"(SELECT count({_counting(occurrence, rows)}) {source}) {_COMPARED[occurrence.type]} {occurrence.count}"


def _counting(occurrence: Occurrence, rows: Rows) -> str:
    if not occurrence.is_distinct:
        return "*"
    by_day = occurrence.count_column == "START_DATE"
    return f"DISTINCT {rows.start if by_day else f'{rows.alias}.{rows.domain.concept}'}"


def _number_of(conditions: list[str], group: Group, anchor: Anchor) -> str:
    """Count the conditions that hold: each is 1 or 0 rows of the anchor's own person."""
    one = f"(SELECT count(*) FROM person g WHERE g.person_id = {anchor.person} AND "
    total = " + ".join(f"{one}{condition})" for condition in conditions)
    return f"{total} {'>=' if group.type == 'AT_LEAST' else '<='} {group.count}"
