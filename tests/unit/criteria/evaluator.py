"""Who is in a cohort, worked out row by row from the JSON and plain tables: the other opinion beside the compiler."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Row = dict[str, Any]
World = dict[str, list[Row]]

SHAPES = {
    "ConditionOccurrence": ("condition_occurrence", "condition_concept_id", "condition_start_date"),
    "ConditionEra": ("condition_era", "condition_concept_id", "condition_era_start_date"),
    "DrugExposure": ("drug_exposure", "drug_concept_id", "drug_exposure_start_date"),
    "DrugEra": ("drug_era", "drug_concept_id", "drug_era_start_date"),
    "ProcedureOccurrence": ("procedure_occurrence", "procedure_concept_id", "procedure_date"),
    "Measurement": ("measurement", "measurement_concept_id", "measurement_date"),
    "Observation": ("observation", "observation_concept_id", "observation_date"),
    "VisitOccurrence": ("visit_occurrence", "visit_concept_id", "visit_start_date"),
    "Death": ("death", "cause_concept_id", "death_date"),
    "ObservationPeriod": ("observation_period", "period_type_concept_id", "observation_period_start_date"),
    "ImageOccurrence": ("image_occurrence", "modality_concept_id", "image_occurrence_date"),
}
_LENGTHS = ("EraLength", "VisitLength", "PeriodLength")
_STARTS = ("OccurrenceStartDate", "EraStartDate", "PeriodStartDate")
_ENDS = ("OccurrenceEndDate", "EraEndDate", "PeriodEndDate")
_OTHER_COLUMNS = {
    "DaysSupply": "days_supply",
    "Unit": "unit_concept_id",
    "Modality": "modality_concept_id",
    "OccurrenceCount": "condition_occurrence_count",
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "!eq": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}


@dataclass(frozen=True)
class Seen:
    person: int
    start: date
    end: date
    since: date
    until: date


class Evaluator:
    def __init__(self, document: dict[str, Any], world: World) -> None:
        self.document, self.world = document, world
        self.found: dict[int, list[tuple[Row, date, date]]] = {}
        self.people = {row["person_id"]: row for row in world["person"]}
        self.visits = {row["visit_occurrence_id"]: row for row in world["visit_occurrence"]}

    def persons(self) -> set[int]:
        return {event.person for event in self.included()}

    def accessions(self) -> set[tuple[int, str]]:
        """The studies handed over: as asked for, or else all of the person's."""
        asked = self.document.get("trustflow", {}).get("HandOver")
        events = self._limited(self.included(), "ExpressionLimit")
        if asked:
            found = ((event, row) for event in events for row in self._around(asked, event))
            return {(e.person, row["accession_id"]) for e, row in found if row["accession_id"] is not None}
        held = {event.person for event in events}
        images = self.world["image_occurrence"]
        return {(r["person_id"], r["accession_id"]) for r in images if r["person_id"] in held and r["accession_id"]}

    def included(self) -> list[Seen]:
        events = self._limited(list(self._index()), "PrimaryCriteriaLimit", self.document["PrimaryCriteria"])
        if "AdditionalCriteria" in self.document:
            events = [event for event in events if self.group(self.document["AdditionalCriteria"], event)]
            events = self._limited(events, "QualifiedLimit")
        rules = [rule["expression"] for rule in self.document.get("InclusionRules", [])]
        return [event for event in events if all(self.group(rule, event) for rule in rules)]

    def _limited(self, events: list[Seen], key: str, holder: dict[str, Any] | None = None) -> list[Seen]:
        limit = (self.document if holder is None else holder).get(key, {}).get("Type", "All")
        if limit == "All":
            return events
        ordered = sorted(events, key=lambda event: (event.start, event.end), reverse=limit == "Last")
        return list({event.person: event for event in reversed(ordered)}.values())

    def _index(self) -> Iterator[Seen]:
        primary = self.document["PrimaryCriteria"]
        listed = primary.get("CriteriaList", []) + primary.get("trustflow", {}).get("CriteriaList", [])
        before, after = (primary.get("ObservationWindow", {}).get(key, 0) for key in ("PriorDays", "PostDays"))
        for criterion in listed:
            for row, start, end in self.rows(criterion):
                for period in self.world["observation_period"]:
                    since, until = period["observation_period_start_date"], period["observation_period_end_date"]
                    inside = since + timedelta(before) <= start and start + timedelta(after) <= until
                    event = Seen(row["person_id"], start, end, since, until)
                    if period["person_id"] == event.person and inside and self._nested(criterion, event):
                        yield event

    def rows(self, criterion: dict[str, Any]) -> list[tuple[Row, date, date]]:
        if id(criterion) not in self.found:
            self.found[id(criterion)] = list(self._find(criterion))
        return self.found[id(criterion)]

    def _find(self, criterion: dict[str, Any]) -> Iterator[tuple[Row, date, date]]:
        (name, given), (table, concept, start) = next(iter(criterion.items())), SHAPES[next(iter(criterion))]
        rows = [row for row in self.world[table] if self._of_set(row[concept], given.get("CodesetId"))]
        if given.get("First"):
            ordered = sorted(rows, key=lambda row: (row[start], row[f"{table}_id"]), reverse=True)
            rows = list({row["person_id"]: row for row in ordered}.values())
        for row in rows:
            end = _end(name, row, row[start])
            if self._fits(given, row, row[start], end):
                yield row, row[start], end

    def _of_set(self, concept: int | None, set_id: int | None) -> bool:
        return set_id is None or concept in self.concepts(set_id)

    def concepts(self, set_id: int) -> set[int]:
        items = next(each for each in self.document["ConceptSets"] if each["id"] == set_id)["expression"]["items"]
        kept, dropped = (
            {concept for item in items if item.get("isExcluded", False) is excluded for concept in self._closure(item)}
            for excluded in (False, True)
        )
        return kept - dropped

    def _closure(self, item: dict[str, Any]) -> set[int]:
        found = {item["concept"]["CONCEPT_ID"]}
        if item.get("includeDescendants"):
            rows = self.world["concept_ancestor"]
            found |= {row["descendant_concept_id"] for row in rows if row["ancestor_concept_id"] in found}
        if item.get("includeMapped"):
            rows = self.world["concept_relationship"]
            found |= {row["concept_id_1"] for row in rows if row["concept_id_2"] in found}
        return found

    def _fits(self, given: dict[str, Any], row: Row, start: date, end: date) -> bool:
        return all(self._attribute(key, value, given, row, (start, end)) for key, value in given.items())

    def _attribute(self, key: str, value: Any, given: dict[str, Any], row: Row, days: tuple[date, date]) -> bool:
        person = self.people[row["person_id"]]
        if key in ("CodesetId", "First", "CorrelatedCriteria") or key.endswith("Exclude"):
            return True
        if key in _STARTS + _ENDS:
            return _ranged(days[key in _ENDS], value)
        if key in _LENGTHS:
            return _ranged((days[1] - days[0]).days, value)
        if key.startswith("Age"):
            return _ranged(days[key == "AgeAtEnd"].year - person["year_of_birth"], value)
        if key.startswith("Gender"):
            return self._coded(person["gender_concept_id"], value)
        if key == "AccessionPresent":
            return (row["accession_id"] is not None) is value
        if key.startswith("VisitType") and "visit_type_concept_id" not in row:
            visit = self.visits.get(row["visit_occurrence_id"])
            return visit is not None and self._coded(visit["visit_concept_id"], value)
        return self._column(key, value, given, row)

    def _column(self, key: str, value: Any, given: dict[str, Any], row: Row) -> bool:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key.removesuffix("CS"))[1:]
        names = (_OTHER_COLUMNS.get(key.removesuffix("CS"), snake), f"{snake}_concept_id")
        held = next(row[name] for name in names if name in row)
        if isinstance(value, dict) and "Op" in value:
            return _ranged(held, value)
        found = self._coded(held, value)
        return held is not None and found is not bool(given.get(f"{key}Exclude"))

    def _coded(self, held: int | None, value: Any) -> bool:
        if held is None:
            return False
        if isinstance(value, dict):
            return (held in self.concepts(value["CodesetId"])) is not value.get("IsExclusion", False)
        return held in {concept["CONCEPT_ID"] for concept in value}

    def _nested(self, criterion: dict[str, Any], event: Seen) -> bool:
        nested = next(iter(criterion.values())).get("CorrelatedCriteria")
        return nested is None or self.group(nested, event)

    def group(self, group: dict[str, Any], event: Seen) -> bool:
        listed = group.get("CriteriaList", []) + group.get("trustflow", {}).get("CriteriaList", [])
        held = [
            *(self._counted(each, event) for each in listed),
            *(self._demographic(each, event) for each in group.get("DemographicCriteriaList", [])),
            *(self.group(each, event) for each in group.get("Groups", [])),
        ]
        wanted = {"ALL": len(held), "ANY": 1}.get(group["Type"], group.get("Count"))
        return not held or (sum(held) <= wanted if group["Type"] == "AT_MOST" else sum(held) >= wanted)

    def _demographic(self, given: dict[str, Any], event: Seen) -> bool:
        person, year = self.people[event.person], event.start.year
        return all(
            (
                _ranged(year - person["year_of_birth"], given["Age"]) if "Age" in given else True,
                self._coded(person["gender_concept_id"], given["Gender"]) if "Gender" in given else True,
                _ranged(event.start, given["OccurrenceStartDate"]) if "OccurrenceStartDate" in given else True,
                _ranged(event.end, given["OccurrenceEndDate"]) if "OccurrenceEndDate" in given else True,
            )
        )

    def _counted(self, counted: dict[str, Any], event: Seen) -> bool:
        rows = list(self._around(counted, event))
        occurrence = counted.get("Occurrence", {"Type": 2, "Count": 1})
        number = len(rows)
        if occurrence.get("IsDistinct"):
            _, concept, start = SHAPES[next(iter(counted["Criteria"]))]
            column = start if occurrence.get("CountColumn") == "START_DATE" else concept
            number = len({row[column] for row in rows} - {None})
        return (number == occurrence["Count"], number <= occurrence["Count"], number >= occurrence["Count"])[
            occurrence["Type"]
        ]

    def _around(self, counted: dict[str, Any], event: Seen) -> Iterator[Row]:
        for row, start, end in self.rows(counted["Criteria"]):
            own = Seen(row["person_id"], start, end, event.since, event.until)
            if own.person == event.person and _placed(counted, own, event) and self._nested(counted["Criteria"], own):
                yield row


def _end(name: str, row: Row, start: date) -> date:
    column = next((key for key in row if key.endswith("_end_date") and name != "ProcedureOccurrence"), None)
    held = row[column] if column else None
    return held if held is not None else start + timedelta(1)


def _ranged(held: Any, given: dict[str, Any]) -> bool:
    if held is None:
        return False
    low, high = (_value(given.get(key)) for key in ("Value", "Extent"))
    if given["Op"] in ("bt", "!bt"):
        return (low <= held <= high) is (given["Op"] == "bt")
    return _COMPARE[given["Op"]](held, low)


def _value(given: Any) -> Any:
    return date.fromisoformat(given) if isinstance(given, str) else given


def _placed(counted: dict[str, Any], own: Seen, event: Seen) -> bool:
    free = bool(counted.get("IgnoreObservationPeriod"))
    inside = free or event.since <= own.start <= event.until
    windows = [("StartWindow", False), ("EndWindow", True)]
    given = [(counted[key], by_end) for key, by_end in windows if key in counted]
    return inside and all(_in_window(window, own, event, by_end=by_end, free=free) for window, by_end in given)


def _in_window(window: dict[str, Any], own: Seen, event: Seen, *, by_end: bool, free: bool) -> bool:
    moment = own.end if window.get("UseEventEnd", by_end) else own.start
    index = event.end if window.get("UseIndexEnd") else event.start
    edges = []
    for key in ("Start", "End"):
        days, side = window[key].get("Days"), window[key]["Coeff"]
        open_end = None if free else event.since if side < 0 else event.until
        edges.append(open_end if days is None else index + timedelta(days * side))
    return (edges[0] is None or moment >= edges[0]) and (edges[1] is None or moment <= edges[1])
