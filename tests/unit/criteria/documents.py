"""Hypothesis strategies of criteria as JSON documents, about what stands in the small warehouse."""

from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.unit.criteria import world

Document = dict[str, Any]

_SETS = {0: world.CONDITIONS, 1: world.DRUGS, 2: world.TESTS, 3: world.PROCEDURES}
_SET_OF = {
    "ConditionOccurrence": 0, "ConditionEra": 0, "DrugExposure": 1, "Measurement": 2, "ProcedureOccurrence": 3,
    "Death": 0,
}  # fmt: skip
_DAYS = st.sampled_from([date(2016, 1, 1) + timedelta(n) for n in range(0, 540, 60)]).map(str)
_OPERATORS = st.sampled_from(["lt", "lte", "eq", "!eq", "gt", "gte"])


def concept(*ids: int) -> list[Document]:
    return [{"CONCEPT_ID": each} for each in ids]


def some(ids: Any) -> st.SearchStrategy[list[Document]]:
    return st.lists(st.sampled_from(list(ids)), min_size=1, max_size=3, unique=True).map(lambda found: concept(*found))


def ranges(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    single = st.builds(lambda op, value: {"Op": op, "Value": value}, _OPERATORS, values)
    between = st.builds(
        lambda op, ends: {"Op": op, "Value": min(ends), "Extent": max(ends)},
        st.sampled_from(["bt", "!bt"]),
        st.tuples(values, values),
    )
    return single | between


def concept_sets() -> st.SearchStrategy[list[Document]]:
    return st.tuples(*(_concept_set(number, ids) for number, ids in _SETS.items())).map(list)


def _concept_set(number: int, ids: Any) -> st.SearchStrategy[Document]:
    item = st.builds(
        lambda held, excluded, below, mapped: {
            "concept": {"CONCEPT_ID": held, "CONCEPT_NAME": f"concept {held}"},
            "isExcluded": excluded,
            "includeDescendants": below,
            "includeMapped": mapped,
        },
        st.sampled_from(list(ids)),
        st.sampled_from([False, False, False, True]),
        st.booleans(),
        st.sampled_from([False, False, True]),
    )
    items = st.lists(item, min_size=1, max_size=3)
    return items.map(lambda held: {"id": number, "name": f"set {number}", "expression": {"items": held}})


_AGE = {"Age": ranges(st.integers(15, 80))}
_PERSON = {
    **_AGE,
    "Gender": some((8507, 8532)),
    "OccurrenceStartDate": ranges(_DAYS),
    "OccurrenceEndDate": ranges(_DAYS),
}
_IN_VISIT = {**_PERSON, "VisitType": some(world.VISITS)}
_ATTRIBUTES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "ConditionOccurrence": {**_IN_VISIT, "ConditionType": some(world.TYPES), "ConditionTypeExclude": st.booleans()},
    "ConditionEra": {
        "EraStartDate": ranges(_DAYS),
        "EraEndDate": ranges(_DAYS),
        "EraLength": ranges(st.sampled_from([0, 1, 5, 40])),
        "OccurrenceCount": ranges(st.integers(0, 4)),
        "AgeAtStart": ranges(st.integers(15, 80)),
        "AgeAtEnd": ranges(st.integers(15, 80)),
    },
    "DrugExposure": {
        **_IN_VISIT,
        "DaysSupply": ranges(st.integers(5, 40)),
        "Quantity": ranges(st.sampled_from([1, 2.5, 3])),
        "DrugTypeCS": st.just({"CodesetId": 1, "IsExclusion": True}),
    },
    "ProcedureOccurrence": _IN_VISIT,
    "Measurement": {
        **_IN_VISIT,
        "ValueAsNumber": ranges(st.sampled_from([4.5, 6.5, 8.25])),
        "Unit": some(world.UNITS),
    },
    "VisitOccurrence": {**_PERSON, "VisitLength": ranges(st.integers(0, 6)), "VisitType": some(world.TYPES)},
    "Death": {**_PERSON},
}  # fmt: skip
_IMAGE = {
    **_IN_VISIT,
    "Modality": some(world.MODALITIES),
    "AnatomicSite": some(world.SITES),
    "AccessionPresent": st.booleans(),
}


@st.composite
def _given(
    draw: st.DrawFn, attributes: dict[str, st.SearchStrategy[Any]], keys: st.SearchStrategy[set[str]]
) -> Document:
    return {key: draw(attributes[key]) for key in sorted(draw(keys))}


def _event(name: str, attributes: dict[str, st.SearchStrategy[Any]], depth: int) -> st.SearchStrategy[Document]:
    common: dict[str, st.SearchStrategy[Any]] = {} if name == "Death" else {"First": st.booleans()}
    common |= {"CodesetId": st.just(_SET_OF[name])} if name in _SET_OF else {}
    common |= {"CorrelatedCriteria": groups(depth - 1)} if depth > 0 else {}
    given = _given(attributes, st.sets(st.sampled_from(sorted(attributes)), max_size=2))
    both = st.builds(lambda one, other: {**one, **other}, st.fixed_dictionaries({}, optional=common), given)
    return both.map(lambda held: {name: held})


@cache
def events(depth: int = 0) -> st.SearchStrategy[Document]:
    return st.one_of(*(_event(name, attributes, depth) for name, attributes in _ATTRIBUTES.items()))


@cache
def images(depth: int = 0) -> st.SearchStrategy[Document]:
    return _event("ImageOccurrence", _IMAGE, depth)


@cache
def _windows() -> st.SearchStrategy[Document]:
    bound = st.fixed_dictionaries({"Coeff": st.sampled_from([-1, 1])}, optional={"Days": st.sampled_from([0, 3, 60])})
    flags = {"UseIndexEnd": st.booleans(), "UseEventEnd": st.booleans()}
    return st.fixed_dictionaries({"Start": bound, "End": bound}, optional=flags)


def _occurrences() -> st.SearchStrategy[Document]:
    columns = st.sampled_from(["DOMAIN_CONCEPT", "START_DATE"])
    return st.fixed_dictionaries(
        {"Type": st.integers(0, 2), "Count": st.integers(0, 3)},
        optional={"IsDistinct": st.booleans(), "CountColumn": columns},
    )


def windowed(criteria: st.SearchStrategy[Document], *, counted: bool = True) -> st.SearchStrategy[Document]:
    optional = {"StartWindow": _windows(), "EndWindow": _windows(), "IgnoreObservationPeriod": st.booleans()}
    optional |= {"Occurrence": _occurrences()} if counted else {}
    return st.fixed_dictionaries({"Criteria": criteria}, optional=optional)


def _demographics() -> st.SearchStrategy[Document]:
    keys = ("Age", "Gender", "OccurrenceStartDate", "OccurrenceEndDate")
    return st.fixed_dictionaries({}, optional={key: _PERSON[key] for key in keys})


@cache
def groups(depth: int) -> st.SearchStrategy[Document]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "CriteriaList": st.lists(windowed(events(depth)), max_size=2),
        "DemographicCriteriaList": st.lists(_demographics(), max_size=1),
        "trustflow": st.fixed_dictionaries({"CriteriaList": st.lists(windowed(images()), max_size=1)}),
        **({"Groups": st.lists(groups(depth - 1), max_size=2)} if depth > 0 else {}),
    }
    kinds = st.sampled_from(["ALL", "ANY", "AT_LEAST", "AT_MOST"])
    return st.fixed_dictionaries({"Type": kinds, "Count": st.integers(0, 3)}, optional=optional)


_LIMITS = st.sampled_from(["All", "First", "Last"]).map(lambda name: {"Type": name})


def _primary() -> st.SearchStrategy[Document]:
    days = st.sampled_from([0, 0, 10, 90])
    return st.builds(
        lambda listed, own, optional: {"CriteriaList": listed, "trustflow": {"CriteriaList": own}, **optional},
        st.lists(events(1), min_size=1, max_size=2),
        st.lists(images(), max_size=1),
        st.fixed_dictionaries(
            {"PrimaryCriteriaLimit": _LIMITS},
            optional={"ObservationWindow": st.fixed_dictionaries({"PriorDays": days, "PostDays": days})},
        ),
    )


def documents() -> st.SearchStrategy[Document]:
    rules = st.lists(groups(1), max_size=2)
    return st.fixed_dictionaries(
        {
            "ConceptSets": concept_sets(),
            "PrimaryCriteria": _primary(),
            "InclusionRules": rules.map(
                lambda held: [{"name": f"rule {at}", "expression": each} for at, each in enumerate(held, 1)]
            ),
            "ExpressionLimit": _LIMITS,
        },
        optional={
            "AdditionalCriteria": groups(1),
            "QualifiedLimit": _LIMITS,
            "trustflow": st.fixed_dictionaries({"HandOver": windowed(images(), counted=False)}),
        },
    )
