"""Words looked up in vocabularies: asked of trusts, each answer passed on once, silence told."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bus.errors import Late, Rejection
from schemas.cohort import ConceptsSought, SearchConcepts, TrustConcepts
from schemas.message import Message
from schemas.trust import ConceptsFound, FindConcepts
from services.cohort.domain import searching
from services.cohort.domain.state import Project, Search
from tests.unit.cohort_service.ground import PROJECT, TRUSTS

SEARCH = SearchConcepts(
    actor="ada", search_id="s1", project_id="p1", words="knee pain", trusts=TRUSTS, domain="Condition", limit=5
)
STAGED = PROJECT.model_copy(update={"draft": False})
CLOSED = PROJECT.model_copy(update={"closed": True})


def sought() -> Search:
    return searching.search(None, SEARCH, PROJECT, TRUSTS)[0]


def found(trust: str) -> ConceptsFound:
    return ConceptsFound(trust_id=trust, search_id="s1", project_id="p1", vocabulary_version="v5.0")


@pytest.mark.parametrize("project", [PROJECT, STAGED])
def test_members_search_before_and_after_staging(project: Project) -> None:
    _, said = searching.search(None, SEARCH, project, TRUSTS)
    assert said[0] == ConceptsSought(search_id="s1", project_id="p1", trusts=TRUSTS)
    orders = [message for message in said if isinstance(message, FindConcepts)]
    assert [order.topic for order in orders] == [f"trust.{trust}.commands" for trust in TRUSTS]
    assert {(order.words, order.domain, order.limit) for order in orders} == {("knee pain", "Condition", 5)}


@pytest.mark.parametrize(
    ("known", "project", "changed", "code"),
    [
        (sought(), PROJECT, {}, "already_exists"),
        (None, None, {}, "unknown_project"),
        (None, PROJECT, {"actor": "eve"}, "not_a_member"),
        (None, CLOSED, {}, "project_closed"),
        (None, PROJECT, {"trusts": ()}, "no_trusts"),
        (None, PROJECT, {"trusts": ("yew",)}, "unknown_trust"),
    ],
)
def test_each_refusal_has_a_code(
    known: Search | None, project: Project | None, changed: dict[str, object], code: str
) -> None:
    with pytest.raises((Rejection, Late)) as refusal:
        searching.search(known, SEARCH.model_copy(update=changed), project, TRUSTS)
    assert refusal.value.code == code


def test_who_is_silent_is_told_of_with_the_remedy() -> None:
    search, _ = searching.found(sought(), found("amber"))
    search, said = searching.deadline_passed(search)
    assert [(told.trust_id, told.code) for told in said if isinstance(told, TrustConcepts)] == [
        ("birch", "timed_out"),
        ("cedar", "timed_out"),
    ]
    assert search.closed


class SearchMachine(RuleBasedStateMachine):
    """Answers of asked and unasked trusts and deadlines, each any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.search = sought()
        self.said: list[Message] = []

    def then(self, result: tuple[Search, list[Message]]) -> None:
        if self.search.closed:
            assert result == (self.search, []), "after the end nothing changes"
        self.search = result[0]
        self.said += result[1]

    @rule(trust=st.sampled_from((*TRUSTS, "yew")))
    def answer(self, trust: str) -> None:
        self.then(searching.found(self.search, found(trust)))

    @rule()
    def deadline(self) -> None:
        self.then(searching.deadline_passed(self.search))

    @invariant()
    def each_asked_trust_is_told_of_once(self) -> None:
        told = [message.trust_id for message in self.said if isinstance(message, TrustConcepts)]
        assert len(told) == len(set(told))
        assert set(told) == set(TRUSTS) - set(self.search.silent)
        assert self.search.closed == (not self.search.silent)


TestSearches = SearchMachine.TestCase
