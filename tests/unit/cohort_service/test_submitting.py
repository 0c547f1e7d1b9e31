"""How a query begins: who may ask, what is judged before it leaves, which version of a cohort it is."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bus.errors import Late, Rejection
from schemas.cohort import QuerySubmitted, RepeatQuery, Rule, SubmitCriteria
from schemas.sql.judge import Listing, judge
from schemas.trust import CountCohort
from services.cohort.domain import submitting
from services.cohort.domain.state import Project, Query
from services.cohort.domain.submitting import Around, Begun
from services.cohort.domain.versions import Cohort, digest
from tests.unit.cohort_service.ground import AROUND, DEADLINE, PROJECT, SQL, SUBMIT, TRUSTS

STAGED = PROJECT.model_copy(update={"draft": False, "record": digest(SQL)})
CLOSED = STAGED.model_copy(update={"closed": True})
REPEAT = RepeatQuery(actor="ada", query_id="q2", project_id="p1", repeats="q1")
EARLIER = submitting.submit(SUBMIT, AROUND).query
OTHER = EARLIER.model_copy(update={"sql": "select person_id from person"})
CRITERIA = json.dumps(
    {
        "ConceptSets": [{"id": 0, "name": "Knee pain", "expression": {"items": [{"concept": {"CONCEPT_ID": 78232}}]}}],
        "PrimaryCriteria": {"CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0}}]},
        "InclusionRules": [{"name": "Women", "expression": {"Type": "ALL", "DemographicCriteriaList": []}}],
    }
)


def submit(around: Around = AROUND, **changed: object) -> Begun:
    return submitting.submit(SUBMIT.model_copy(update=changed), around)


def submit_criteria(**changed: object) -> Begun:
    asked = {"actor": "ada", "query_id": "q1", "project_id": "p1", "criteria": CRITERIA, "trusts": TRUSTS}
    return submitting.submit_criteria(SubmitCriteria.model_validate(asked | changed), AROUND)


def said(begun: Begun) -> QuerySubmitted:
    assert isinstance(begun.said[0], QuerySubmitted)
    return begun.said[0]


def orders(begun: Begun) -> list[CountCohort]:
    return [message for message in begun.said if isinstance(message, CountCohort)]


class TestSubmitting:
    def test_each_trust_is_asked_on_its_own_topic_with_all_that_was_asked(self) -> None:
        rules = (Rule(name="Born before 1960", sql=SQL),)
        begun = submit(statistics=("sex",), rules=rules)
        assert [order.topic for order in orders(begun)] == [f"trust.{trust}.commands" for trust in TRUSTS]
        for order in orders(begun):
            assert (order.sql, order.statistics, order.rules) == (SQL, ("sex",), rules)
            assert (order.asked_by, order.deadline_at) == ("ada", DEADLINE)

    def test_who_reads_the_event_sees_what_was_asked_by_whom(self) -> None:
        event = said(submit(cohort="knees"))
        assert (event.sql, event.sql_sha256, event.submitted_by) == (SQL, digest(SQL), "ada")
        assert (event.cohort, event.version) == ("knees", 1)

    @pytest.mark.parametrize(
        ("around", "changed", "code"),
        [
            (replace(AROUND, known=EARLIER), {}, "already_exists"),
            (replace(AROUND, project=None), {}, "unknown_project"),
            (AROUND, {"actor": "eve"}, "not_a_member"),
            (replace(AROUND, project=STAGED), {}, "not_draft"),
            (replace(AROUND, project=CLOSED), {}, "project_closed"),
            (AROUND, {"trusts": ()}, "no_trusts"),
            (AROUND, {"trusts": ("amber", "amber")}, "no_trusts"),
            (AROUND, {"trusts": ("amber", "yew")}, "unknown_trust"),
            (AROUND, {"rules": tuple(Rule(name=f"rule {n}", sql=SQL) for n in range(31))}, "too_many_rules"),
        ],
    )
    def test_each_refusal_has_a_code(self, around: Around, changed: dict[str, object], code: str) -> None:
        with pytest.raises((Rejection, Late)) as refusal:
            submit(around, **changed)
        assert refusal.value.code == code
        assert refusal.value.reason.endswith(".")


class TestJudging:
    def test_what_every_trust_would_refuse_is_refused_here_with_its_place(self) -> None:
        with pytest.raises(Rejection) as refusal:
            submit(sql="select person_id\nfrom person\nwhere pg_sleep(1) is null")
        assert refusal.value.code == "function_not_allowed"
        assert refusal.value.reason.startswith("line 3, column ")

    def test_a_refused_rule_is_named(self) -> None:
        with pytest.raises(Rejection, match="table_not_allowed") as refusal:
            submit(rules=(Rule(name="Catalogue", sql="select person_id from pg_class"),))
        assert refusal.value.reason.startswith('Rule "Catalogue": line 1, column ')

    def test_a_rule_that_counts_is_no_list_of_who_is_left(self) -> None:
        counts = "select gender_concept_id, count(distinct person_id) from person group by gender_concept_id"
        with pytest.raises(Rejection, match="rule_not_a_list"):
            submit(rules=(Rule(name="By sex", sql=counts),))

    def test_a_stranger_is_turned_away_before_anything_is_judged(self) -> None:
        with pytest.raises(Rejection, match="not_a_member"):
            submit(actor="eve", sql="drop table person")

    def test_a_question_that_fits_into_no_message_is_refused(self) -> None:
        with pytest.raises(Rejection, match="too_large"):
            submit(rules=tuple(Rule(name=f"{n}", sql=SQL + "\n" * 19_900) for n in range(30)), sql=SQL)


class TestVersions:
    def test_versions_count_the_texts_of_a_cohort(self) -> None:
        first = submit()
        second = submit(replace(AROUND, cohort=first.cohort), sql="select person_id from person")
        again = submit(replace(AROUND, cohort=second.cohort))
        assert [said(begun).version for begun in (first, second, again)] == [1, 2, 1]

    def test_layout_comments_case_and_the_schema_make_no_version(self) -> None:
        other = "SELECT person_id -- all of them\n  FROM omop.Person\n WHERE (year_of_birth < 1960);"
        assert said(submit(replace(AROUND, cohort=submit().cohort), sql=other)).version == 1

    @pytest.mark.parametrize(
        "texts",
        [
            [f"select person_id from person where gender_source_value = '{value}'" for value in ("a b", "a  b")],
            [f"select person_id from person limit {number}" for number in (20, 30)],
            ["select person_id from person", "select person_id from death"],
        ],
    )
    def test_what_changes_who_is_in_makes_a_version(self, texts: list[str]) -> None:
        cohort = Cohort()
        numbers = []
        for text in texts:
            cohort, number = cohort.with_text(text)
            numbers.append(number)
        assert numbers == [1, 2]


class TestRepeating:
    def test_the_same_version_is_asked_again_at_the_same_trusts(self) -> None:
        begun = submitting.repeat(REPEAT, EARLIER, replace(AROUND, cohort=submit().cohort))
        assert (said(begun).query_id, said(begun).repeats, said(begun).version) == ("q2", "q1", 1)
        assert [order.trust_id for order in orders(begun)] == list(TRUSTS)

    def test_it_begins_without_the_earlier_answers(self) -> None:
        answered = EARLIER.model_copy(update={"answers": {"amber": 40}, "studies": {"amber": 50}, "closed": True})
        begun = submitting.repeat(REPEAT.model_copy(update={"trusts": ("amber",)}), answered, AROUND)
        assert (begun.query.answers, begun.query.studies, begun.query.silent) == ({}, {}, ("amber",))

    def test_the_text_of_record_is_repeated_after_staging_too(self) -> None:
        assert orders(submitting.repeat(REPEAT, EARLIER, replace(AROUND, project=STAGED)))

    @pytest.mark.parametrize(
        ("earlier", "project", "changed", "code"),
        [
            (None, PROJECT, {}, "unknown_query"),
            (EARLIER.model_copy(update={"project_id": "p2"}), PROJECT, {}, "unknown_query"),
            (EARLIER, PROJECT, {"actor": "eve"}, "not_a_member"),
            (EARLIER, PROJECT, {"trusts": ("yew",)}, "unknown_trust"),
            (OTHER, STAGED, {}, "not_draft"),
            (EARLIER, CLOSED, {}, "project_closed"),
        ],
    )
    def test_each_refusal_has_a_code(
        self, earlier: Query | None, project: Project, changed: dict[str, Any], code: str
    ) -> None:
        with pytest.raises((Rejection, Late)) as refusal:
            submitting.repeat(REPEAT.model_copy(update=changed), earlier, replace(AROUND, project=project))
        assert refusal.value.code == code


class TestCriteria:
    def test_criteria_become_a_list_that_the_judge_accepts(self) -> None:
        begun = submit_criteria()
        event = said(begun)
        assert event.criteria == CRITERIA
        assert isinstance(judge(event.sql or ""), Listing)
        assert {order.sql for order in orders(begun)} == {event.sql}
        assert all(order.rules == () for order in orders(begun))

    def test_an_attrition_has_a_rule_for_each_step(self) -> None:
        assert [rule.name for rule in said(submit_criteria(attrition=True)).rules] == ["Index event", "Women"]

    def test_images_are_handed_over_where_they_are_asked_for(self) -> None:
        assert "accession_id" in (said(submit_criteria(images=True)).sql or "")
        assert "accession_id" not in (said(submit_criteria()).sql or "")

    @pytest.mark.parametrize("criteria", ["{}", "[1", '{"PrimaryCriteria": {"CriteriaList": [{"Spell": {}}]}}'])
    def test_criteria_that_cannot_be_taken_are_refused_with_the_place(self, criteria: str) -> None:
        with pytest.raises(Rejection, match="bad_criteria") as refusal:
            submit_criteria(criteria=criteria)
        assert refusal.value.reason.startswith("$")
