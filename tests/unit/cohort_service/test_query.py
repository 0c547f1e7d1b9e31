"""A query's life: asked, answered in any order, cancelled or never answered, totalled once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bus.errors import Late, Rejection
from schemas.cohort import CancelQuery, Outcome, QueryCancelled, QueryTotalled, Statistic, TrustAdvanced, TrustCounted
from schemas.message import Message
from schemas.project import ProjectApproved
from schemas.trust import CancelCount, CohortCounted, CountAdvanced
from services.cohort.domain import answering
from services.cohort.domain.freezing import freeze
from services.cohort.domain.state import Query
from tests.unit.cohort_service.ground import PROJECT, SQL, TRUSTS, counted, submitted

OUTCOMES: tuple[Outcome, ...] = ("counted", "suppressed", "refused", "failed")
CANCEL = CancelQuery(actor="ada", query_id="q1")
SEX = {"name": "sex", "title": "Sex", "keys": ("sex",), "cells": ({"keys": ("female",), "persons": 20},)}
NUMBERS = {"persons": 40, "studies": 50, "margin": 5, "cells": SEX["cells"], "keys": ("sex",)}


def advanced(trust: str, **told: object) -> CountAdvanced:
    asked = {"trust_id": trust, "query_id": "q1", "project_id": "p1", "done": 1, "parts": 3}
    return CountAdvanced.model_validate(asked | told)


def approved() -> ProjectApproved:
    return ProjectApproved(
        project_id="p1",
        trust_id="amber",
        name="Knees",
        query_id="q1",
        dicom_to_nifti=True,
        approved_by="bob",
        request_digest="ab" * 32,
    )


def of(kind: type[Any], said: list[Message]) -> list[Any]:
    return [message for message in said if isinstance(message, kind)]


class TestFreezing:
    def test_the_trust_gets_the_text_that_was_approved(self) -> None:
        frozen = freeze(submitted(), approved())
        assert (frozen.sql, frozen.approved_by, frozen.topic) == (SQL, "bob", "trust.amber.commands")

    def test_an_approval_that_overtakes_its_query_waits(self) -> None:
        with pytest.raises(Late):
            freeze(None, approved())


class TestAnswers:
    @pytest.mark.parametrize("outcome", ["suppressed", "refused", "failed"])
    def test_a_number_that_a_trust_did_not_release_goes_no_further(self, outcome: Outcome) -> None:
        """A node of an older release, or a broken one, may send a number with any outcome."""
        query, said = answering.answer(submitted(), counted("amber", outcome, **NUMBERS, statistics=(SEX,)))
        (told,) = of(TrustCounted, said)
        assert (told.persons, told.studies, told.margin, told.cells) == (None, None, None, ())
        assert [cell for statistic in told.statistics for cell in statistic.cells] == []
        assert (query.answers, query.studies) == ({"amber": None}, {})

    def test_what_was_left_before_the_cohort_got_too_small_is_told(self) -> None:
        steps = ({"name": "Index event", "persons": 80}, {"name": "Women"})
        _, said = answering.answer(submitted(), counted("amber", "suppressed", attrition=steps))
        assert [step.persons for step in of(TrustCounted, said)[0].attrition] == [80, None]

    def test_a_statistic_says_why_it_is_empty_even_when_the_cohort_is_hidden(self) -> None:
        why = SEX | {"cells": (), "missing": "Each group is too small to be told."}
        _, said = answering.answer(submitted(), counted("amber", "suppressed", statistics=(why,)))
        assert of(TrustCounted, said)[0].statistics == (Statistic.model_validate(why),)

    def test_everything_that_a_trust_releases_is_passed_on(self) -> None:
        spent = dict.fromkeys(
            ("user_today", "user_daily", "project_today", "project_daily", "project_ever", "project_limit"), 7
        )
        event = counted("amber", **NUMBERS, statistics=(SEX,), attrition=({"name": "All", "persons": 40},), spent=spent)
        _, said = answering.answer(submitted(), event)
        assert of(TrustCounted, said)[0].model_dump() == event.model_dump()

    def test_a_trust_cannot_answer_under_another_project(self) -> None:
        _, said = answering.answer(submitted(), counted("amber", persons=40, project_id="p2"))
        assert of(TrustCounted, said)[0].project_id == "p1"

    def test_nobody_is_heard_twice(self) -> None:
        query, _ = answering.answer(submitted(), counted("amber", persons=20))
        assert answering.answer(query, counted("amber", persons=99)) == (query, [])

    def test_the_deadline_closes_with_what_is_there(self) -> None:
        query, _ = answering.answer(submitted(), counted("amber", persons=20, studies=30))
        query, said = answering.deadline_passed(query)
        assert [(told.trust_id, told.outcome) for told in of(TrustCounted, said)] == [
            ("birch", "timed_out"),
            ("cedar", "timed_out"),
        ]
        assert said[-1] == QueryTotalled(query_id="q1", project_id="p1", persons=20, asked=3, counted=1, studies=30)
        assert query.closed


class TestProgress:
    def test_how_far_a_trust_is_is_passed_on_until_it_has_answered(self) -> None:
        query = submitted()
        assert answering.advanced(query, advanced("amber")) == [
            TrustAdvanced(query_id="q1", project_id="p1", trust_id="amber", done=1, parts=3)
        ]
        query, _ = answering.answer(query, counted("amber", persons=20))
        assert answering.advanced(query, advanced("amber")) == []
        assert answering.advanced(query, advanced("yew")) == []

    def test_waiting_behind_others_is_told(self) -> None:
        (told,) = answering.advanced(submitted(), advanced("birch", done=0, waiting=True))
        assert isinstance(told, TrustAdvanced)
        assert told.waiting


class TestCancelling:
    def test_only_who_has_not_answered_is_stopped_and_the_others_stand(self) -> None:
        query, _ = answering.answer(submitted(), counted("amber", persons=20))
        query, said = answering.cancel(query, CANCEL, PROJECT)
        assert of(QueryCancelled, said) == [QueryCancelled(query_id="q1", project_id="p1", cancelled_by="ada")]
        assert [order.topic for order in of(CancelCount, said)] == ["trust.birch.commands", "trust.cedar.commands"]
        assert [(told.trust_id, told.outcome, told.code) for told in of(TrustCounted, said)] == [
            ("birch", "failed", "cancelled"),
            ("cedar", "failed", "cancelled"),
        ]
        assert said[-1] == QueryTotalled(query_id="q1", project_id="p1", persons=20, asked=3, counted=1)

    def test_an_answer_that_comes_after_it_changes_nothing(self) -> None:
        query, _ = answering.cancel(submitted(), CANCEL, PROJECT)
        assert answering.answer(query, counted("amber", persons=20)) == (query, [])
        assert answering.advanced(query, advanced("amber")) == []

    def test_each_refusal_has_a_code(self) -> None:
        closed, _ = answering.deadline_passed(submitted())
        eve = CANCEL.model_copy(update={"actor": "eve"})
        for query, command, code in (
            (None, CANCEL, "unknown_query"),
            (closed, CANCEL, "already_closed"),
            (submitted(), eve, "not_a_member"),
        ):
            with pytest.raises((Rejection, Late)) as refusal:
                answering.cancel(query, command, PROJECT)
            assert refusal.value.code == code


answers = st.builds(
    counted,
    st.sampled_from((*TRUSTS, "yew")),
    st.sampled_from(OUTCOMES),
    persons=st.none() | st.integers(0, 10**9),
    studies=st.none() | st.integers(0, 10**9),
)


class QueryMachine(RuleBasedStateMachine):
    """Answers of asked and unasked trusts, progress, cancelling and deadlines, each any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.query = submitted()
        self.said: list[Message] = []

    def then(self, result: tuple[Query, list[Message]]) -> None:
        if self.query.closed:
            assert result == (self.query, []), "after the end nothing changes"
        self.query = result[0]
        self.said += result[1]

    @rule(event=answers)
    def answer(self, event: CohortCounted) -> None:
        self.then(answering.answer(self.query, event))

    @rule(trust=st.sampled_from((*TRUSTS, "yew")))
    def advance(self, trust: str) -> None:
        told = answering.advanced(self.query, advanced(trust))
        assert bool(told) == (trust in self.query.silent and not self.query.closed)
        self.said += told

    @rule()
    def deadline(self) -> None:
        self.then(answering.deadline_passed(self.query))

    @rule()
    def cancel(self) -> None:
        if self.query.closed:
            with pytest.raises(Rejection, match="already_closed"):
                answering.cancel(self.query, CANCEL, PROJECT)
        else:
            silent = self.query.silent
            self.then(answering.cancel(self.query, CANCEL, PROJECT))
            assert tuple(order.trust_id for order in of(CancelCount, self.said)) == silent

    def released(self) -> list[TrustCounted]:
        return of(TrustCounted, self.said)

    @invariant()
    def it_is_totalled_once_and_only_at_the_end(self) -> None:
        assert len(of(QueryTotalled, self.said)) == self.query.closed
        assert self.query.closed == (not self.query.silent)

    @invariant()
    def it_is_cancelled_at_most_once(self) -> None:
        assert len(of(QueryCancelled, self.said)) <= self.query.closed

    @invariant()
    def only_asked_trusts_are_heard_and_each_once(self) -> None:
        heard = [message.trust_id for message in self.released()]
        assert len(heard) == len(set(heard))
        assert set(heard) <= set(TRUSTS)

    @invariant()
    def a_number_stands_only_with_counted(self) -> None:
        for told in self.released():
            assert told.outcome == "counted" or (told.persons, told.studies) == (None, None)

    @invariant()
    def the_total_is_what_a_reader_could_sum_from_what_was_shown(self) -> None:
        for total in of(QueryTotalled, self.said):
            persons = [told.persons for told in self.released() if told.persons is not None]
            studies = [told.studies for told in self.released() if told.studies is not None]
            assert total.persons == (sum(persons) if persons else None)
            assert total.studies == (sum(studies) if studies else None)
            assert (total.asked, total.counted) == (len(TRUSTS), len(persons))


TestQueries = QueryMachine.TestCase


@given(shown=st.integers(10, 10**6), hidden=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)))
def test_whatever_a_trust_hides_nothing_that_is_said_depends_on_it(shown: int, hidden: tuple[int, int]) -> None:
    """So no total, alone or against the shown values, tells anything of a hidden trust."""
    stories = []
    for number in hidden:
        query, story = submitted(), []
        for event in (counted("amber", persons=shown), counted("birch", "suppressed", persons=number, studies=number)):
            query, said = answering.answer(query, event)
            story += said
        stories.append([message.to_bytes() for message in (*story, *answering.deadline_passed(query)[1])])
    assert stories[0] == stories[1]
