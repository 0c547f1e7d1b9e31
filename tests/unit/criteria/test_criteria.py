"""Criteria: what is read, what is refused and where, and that every query made of them passes the judge."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from circe.cohortdefinition import CohortExpression
from hypothesis import HealthCheck, given, settings

from schemas.criteria import CriteriaError, compile_criteria, from_circe, read_circe, to_circe
from schemas.criteria.circe import MAX_CHARACTERS, MAX_DEPTH
from schemas.criteria.compiler import ADDITIONAL_STEP, FIRST_STEP, IMAGES_STEP, MAX_BYTES
from schemas.criteria.domains import ALL_DOMAINS
from schemas.criteria.events import EVENT_MODELS
from schemas.sql.allowed import TABLES, Kind
from schemas.sql.judge import Listing, judge
from tests.unit.criteria.documents import Document, documents

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
by_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)


def _smallest(**more: Any) -> dict[str, Any]:
    return {"PrimaryCriteria": {"CriteriaList": [{"ConditionOccurrence": {}}]}, **more}


def _rule(**group: Any) -> dict[str, Any]:
    return _smallest(InclusionRules=[{"name": "r", "expression": {"Type": "ALL", **group}}])


def _counted(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return _rule(CriteriaList=[{"Criteria": event, **more}])


def _sql(document: dict[str, Any], *, images: bool = False) -> str:
    return compile_criteria(from_circe(json.dumps(document)), images=images).sql


@by_sample
def test_each_query_of_a_sample_passes_the_judge(sample: Path) -> None:
    criteria = from_circe(sample.read_text())
    for images, columns in ((False, (Kind.PERSON,)), (True, (Kind.PERSON, Kind.ACCESSION))):
        compiled = compile_criteria(criteria, images=images)
        verdict = judge(compiled.sql, needs_accession=images)
        assert isinstance(verdict, Listing), verdict
        assert verdict.columns == columns
        assert all(isinstance(judge(sql), Listing) for _, sql in compiled.rules)


@by_sample
def test_what_is_given_back_means_the_same_to_the_tools_of_ohdsi(sample: Path) -> None:
    imported = read_circe(sample.read_text())
    theirs, ours = (_read_by_circe(text) for text in (sample.read_text(), to_circe(imported.criteria)))
    for part in ("concept_sets", "primary_criteria", "additional_criteria", "inclusion_rules", "qualified_limit"):
        assert getattr(theirs, part) == getattr(ours, part)


def _read_by_circe(text: str) -> CohortExpression:
    # Unlike ATLAS, this reader tells "no value" and "the default value" apart, so the defaults are written out.
    return CohortExpression.model_validate_json(json.dumps(_filled(json.loads(text))))


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [_filled(each) for each in value]
    if not isinstance(value, dict):
        return value
    occurrence = {"IsDistinct": False} if {"Type", "Count"} == value.keys() - {"IsDistinct", "CountColumn"} else {}
    return {**occurrence, **{key: _filled(held) for key, held in value.items() if held is not None}}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(documents())
def test_criteria_come_back_as_they_were_and_compile_to_the_same_query(document: Document) -> None:
    criteria = from_circe(json.dumps(document))
    again = from_circe(to_circe(criteria))
    assert again == criteria
    assert compile_criteria(again, images=True) == compile_criteria(criteria, images=True)


def test_the_example_of_the_guide_reads() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "criteria.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    assert from_circe(example).trustflow is not None


def test_what_has_no_effect_on_who_is_in_is_left_out_and_named() -> None:
    ends = {"EndStrategy": {"DateOffset": {"DateField": "EndDate", "Offset": 0}}, "CensorWindow": {}}
    imported = read_circe(json.dumps(_smallest(cdmVersionRange=">=5.0.0", **ends)))
    assert [sentence.split(":")[0] for sentence in imported.left_out] == ["cdmVersionRange", "EndStrategy"]


@pytest.mark.parametrize(
    ("document", "path", "remedy"),
    [
        ({}, "$.PrimaryCriteria", "Field required"),
        ({"PrimaryCriteria": {"CriteriaList": []}}, "$.PrimaryCriteria", "at least one index event"),
        (_smallest(Surprise=1), "$.Surprise", "take it out, or write the cohort as SQL"),
        (_smallest(CensorWindow={"StartDate": "2010-01-01"}), "$.CensorWindow", "OccurrenceStartDate"),
        (
            {"PrimaryCriteria": {"CriteriaList": [{"ConditionOccurrence": {"StopReason": {"Text": "x"}}}]}},
            "$.PrimaryCriteria.CriteriaList[0].ConditionOccurrence.StopReason",
            "free text",
        ),
        (
            _counted({"ImageOccurrence": {}}),
            "$.InclusionRules[0].expression.CriteriaList[0].Criteria.ImageOccurrence",
            "trustflow.CriteriaList",
        ),
        (
            _counted({"Death": {}}, RestrictVisit=True),
            "$.InclusionRules[0].expression.CriteriaList[0].RestrictVisit",
            "StartWindow of 0 days",
        ),
        (
            _counted({"Measurement": {"ValueAsNumber": {"Op": "bt", "Value": 1}}}),
            "$.InclusionRules[0].expression.CriteriaList[0].Criteria.Measurement.ValueAsNumber",
            "Give an Extent",
        ),
        (_counted({"Death": {}, "Measurement": {}}), "$.InclusionRules[0].expression.CriteriaList[0].Criteria", "one"),
        (_rule(Groups=[{"Type": "AT_LEAST"}]), "$.InclusionRules[0].expression.Groups[0]", "Give a Count"),
        (_smallest(ConceptSets=[{"id": 1}, {"id": 1}]), "$", "an id of its own"),
    ],
)
def test_a_refusal_names_the_place_and_the_remedy(document: dict[str, Any], path: str, remedy: str) -> None:
    with pytest.raises(CriteriaError) as error:
        from_circe(json.dumps(document))
    assert error.value.path == path
    assert remedy in error.value.sentence


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{", "line 1, column 2"),
        ("[]", "JSON object"),
        ('{"a": NaN}', "not a number"),
        ('{"a": 1, "a": 2}', "stands twice"),
        (" " * (MAX_CHARACTERS + 1), "over 100000 characters"),
        ("[" * 50_000, "flatten"),
        ('{"a":' * (MAX_DEPTH + 2) + "1" + "}" * (MAX_DEPTH + 2), "flatten"),
    ],
)
def test_a_text_that_is_no_criteria_at_all_is_refused_as_a_whole(text: str, remedy: str) -> None:
    with pytest.raises(CriteriaError, match=remedy) as error:
        from_circe(text)
    assert error.value.path == "$"


def test_a_concept_set_that_is_not_there_is_named() -> None:
    with pytest.raises(CriteriaError, match="no concept set with the id 7"):
        _sql(_counted({"Death": {"CodesetId": 7}}))


def test_a_query_longer_than_the_judge_reads_is_refused() -> None:
    ids = [{"concept": {"CONCEPT_ID": 10**9 + at}} for at in range(1000)]
    sets = [{"id": 0, "expression": {"items": ids}}]
    event = {"ConditionOccurrence": {"CodesetId": 0}}
    assert isinstance(judge(_sql({"ConceptSets": sets, "PrimaryCriteria": {"CriteriaList": [event]}})), Listing)
    with pytest.raises(CriteriaError, match=f"over {MAX_BYTES}"):
        _sql({"ConceptSets": sets, "PrimaryCriteria": {"CriteriaList": [event, event]}})


def test_too_many_events_are_refused() -> None:
    with pytest.raises(CriteriaError, match="use fewer"):
        _sql(_rule(Groups=[{"Type": "ALL", "CriteriaList": [{"Criteria": {"Death": {}}}] * 35}] * 2))


def test_the_attrition_has_a_step_for_each_rule_and_for_images() -> None:
    rules = [{"name": name, "expression": {"Type": "ALL"}} for name in ("adults", "")]
    criteria = from_circe(json.dumps(_smallest(AdditionalCriteria={"Type": "ANY"}, InclusionRules=rules)))
    names = [name for name, _ in compile_criteria(criteria, images=True).rules]
    assert names == [FIRST_STEP, ADDITIONAL_STEP, "adults", "Rule 2", IMAGES_STEP]
    assert compile_criteria(criteria, images=False).rules[-1][1] == compile_criteria(criteria, images=False).sql


@pytest.mark.parametrize("name", ALL_DOMAINS)
def test_each_attribute_of_each_domain_makes_a_condition_that_the_judge_accepts(name: str) -> None:
    sets = [{"id": 0, "expression": {"items": [{"concept": {"CONCEPT_ID": 9}, "includeDescendants": True}]}}]
    for key, value in _attributes(name).items():
        with_it, without = ({"ConceptSets": sets, **_about({name: given})} for given in ({key: value}, {}))
        verdict = judge(_sql(with_it))
        assert isinstance(verdict, Listing), (key, verdict)
        assert verdict.sql != _sql(without)


def _about(event: dict[str, Any]) -> dict[str, Any]:
    holder = {"CriteriaList": [event]}
    return {"PrimaryCriteria": {"trustflow": holder} if "ImageOccurrence" in event else holder}


def _attributes(name: str) -> dict[str, Any]:
    given: dict[str, Any] = {"First": True, "CodesetId": 0}
    for key, field in EVENT_MODELS[name].model_fields.items():
        kind = str(field.annotation)
        if "NumericRange" in kind:
            given[key] = {"Op": "!bt", "Value": 1, "Extent": 2.5}
        elif "DateRange" in kind:
            given[key] = {"Op": "gte", "Value": "2015-02-03"}
        elif "ConceptSetChoice" in kind:
            given[key] = {"CodesetId": 0, "IsExclusion": True}
        elif "Concept" in kind:
            given[key] = [{"CONCEPT_ID": 4}]
    return given


@pytest.mark.parametrize(("name", "domain"), ALL_DOMAINS.items())
def test_each_column_of_a_domain_is_one_that_queries_may_use(name: str, domain: Any) -> None:
    used = {domain.key, domain.concept, domain.start, *domain.codes.values(), *domain.numbers.values()}
    used |= {domain.end or domain.start, domain.source[1] if domain.source else domain.concept}
    assert used <= set(TABLES[domain.table]), name
