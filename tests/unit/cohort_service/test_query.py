"""A query's life: asked, answered in any order or never, totalled once."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bus.errors import Late, Rejection
from schemas.cohort import QuerySubmitted, QueryTotalled, SubmitQuery, TrustCounted
from schemas.message import Message
from schemas.project import ProjectApproved
from schemas.trust import CohortCounted, CountCohort
from services.cohort import domain
from services.cohort.domain import Project, Query

TRUSTS = ("amber", "birch", "cedar")
PROJECT = Project(members=("ada",))
SUBMIT = SubmitQuery(actor="ada", query_id="q1", project_id="p1", sql="select 1", trusts=TRUSTS)
OUTCOMES = ("counted", "suppressed", "refused", "failed")


def submitted() -> Query:
    return domain.submit(None, SUBMIT, PROJECT, TRUSTS)[0]


def counted(trust: str, outcome: str = "counted", persons: int | None = None) -> CohortCounted:
    return CohortCounted(trust_id=trust, query_id="q1", project_id="p1", outcome=outcome, persons=persons)


def approved(trust: str = "amber") -> ProjectApproved:
    return ProjectApproved(
        project_id="p1",
        trust_id=trust,
        name="Knees",
        query_id="q1",
        dicom_to_nifti=True,
        approved_by="bob",
        request_digest="ab" * 32,
    )


class TestSubmitting:
    def test_each_trust_is_asked_on_its_own_topic(self) -> None:
        _, said = domain.submit(None, SUBMIT, PROJECT, TRUSTS)
        assert isinstance(said[0], QuerySubmitted)
        assert [message.topic for message in said[1:]] == [f"trust.{trust}.commands" for trust in TRUSTS]
        assert all(isinstance(message, CountCohort) and message.sql == "select 1" for message in said[1:])

    def test_the_text_of_the_query_goes_to_trusts_only(self) -> None:
        _, said = domain.submit(None, SUBMIT, PROJECT, TRUSTS)
        assert b"select 1" not in said[0].to_bytes()

    @pytest.mark.parametrize(
        ("known", "project", "changed", "code"),
        [
            (Query(query_id="q1", project_id="p1", sql="x", trusts=()), PROJECT, {}, "already_exists"),
            (None, None, {}, "unknown_project"),
            (None, PROJECT, {"actor": "eve"}, "not_a_member"),
            (None, PROJECT.model_copy(update={"draft": False}), {}, "not_draft"),
            (None, PROJECT, {"trusts": ()}, "no_trusts"),
            (None, PROJECT, {"trusts": ("amber", "amber")}, "no_trusts"),
            (None, PROJECT, {"trusts": ("amber", "yew")}, "unknown_trust"),
        ],
    )
    def test_each_refusal_has_a_code(
        self, known: Query | None, project: Project | None, changed: dict[str, object], code: str
    ) -> None:
        with pytest.raises((Rejection, Late)) as refusal:
            domain.submit(known, SUBMIT.model_copy(update=changed), project, TRUSTS)
        assert refusal.value.code == code
        assert refusal.value.reason.endswith(".")


class TestFreezing:
    def test_the_trust_gets_the_text_that_was_approved(self) -> None:
        frozen = domain.freeze(submitted(), approved())
        assert (frozen.sql, frozen.approved_by, frozen.topic) == ("select 1", "bob", "trust.amber.commands")

    def test_an_approval_that_overtakes_its_query_waits(self) -> None:
        with pytest.raises(Late):
            domain.freeze(None, approved())


class TestAnswers:
    def test_a_number_that_a_trust_did_not_release_goes_no_further(self) -> None:
        """A node of an older release, or a broken one, may send a number with any outcome."""
        query, said = domain.answer(submitted(), counted("amber", "suppressed", persons=3))
        assert [message.persons for message in said if isinstance(message, TrustCounted)] == [None]
        assert query.answers == {"amber": None}

    def test_without_any_released_number_there_is_no_total(self) -> None:
        query = submitted()
        for trust in TRUSTS:
            query, said = domain.answer(query, counted(trust, "suppressed"))
        assert said[-1] == QueryTotalled(query_id="q1", project_id="p1", persons=None, asked=3, counted=0)

    def test_nobody_is_asked_twice(self) -> None:
        query, _ = domain.answer(submitted(), counted("amber", persons=20))
        assert domain.answer(query, counted("amber", persons=99)) == (query, [])

    def test_the_deadline_closes_with_what_is_there(self) -> None:
        query, _ = domain.answer(submitted(), counted("amber", persons=20))
        query, said = domain.deadline_passed(query)
        assert [(m.trust_id, m.outcome) for m in said if isinstance(m, TrustCounted)] == [
            ("birch", "timed_out"),
            ("cedar", "timed_out"),
        ]
        assert said[-1] == QueryTotalled(query_id="q1", project_id="p1", persons=20, asked=3, counted=1)
        assert query.closed


class QueryMachine(RuleBasedStateMachine):
    """Answers of asked and unasked trusts and deadlines, each any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.query = submitted()
        self.said: list[Message] = []

    def then(self, result: tuple[Query, list[Message]]) -> None:
        if self.query.closed:
            assert result == (self.query, []), "after the end nothing changes"
        self.query = result[0]
        self.said += result[1]

    @rule(
        trust=st.sampled_from((*TRUSTS, "yew")),
        outcome=st.sampled_from(OUTCOMES),
        persons=st.none() | st.integers(0, 10**9),
    )
    def answer(self, trust: str, outcome: str, persons: int | None) -> None:
        self.then(domain.answer(self.query, counted(trust, outcome, persons)))

    @rule()
    def deadline(self) -> None:
        self.then(domain.deadline_passed(self.query))

    def released(self) -> list[TrustCounted]:
        return [message for message in self.said if isinstance(message, TrustCounted)]

    def totals(self) -> list[QueryTotalled]:
        return [message for message in self.said if isinstance(message, QueryTotalled)]

    @invariant()
    def it_is_totalled_once_and_only_at_the_end(self) -> None:
        assert len(self.totals()) == self.query.closed
        assert self.query.closed == (not self.query.silent)

    @invariant()
    def only_asked_trusts_are_heard_and_each_once(self) -> None:
        heard = [message.trust_id for message in self.released()]
        assert len(heard) == len(set(heard))
        assert set(heard) <= set(TRUSTS)

    @invariant()
    def a_number_stands_only_with_counted(self) -> None:
        assert all(message.persons is None for message in self.released() if message.outcome != "counted")

    @invariant()
    def the_total_is_the_sum_of_what_was_released(self) -> None:
        for total in self.totals():
            numbers = [message.persons for message in self.released() if message.persons is not None]
            assert total.persons == (sum(numbers) if numbers else None)
            assert (total.asked, total.counted) == (len(TRUSTS), len(numbers))


TestQueries = QueryMachine.TestCase
