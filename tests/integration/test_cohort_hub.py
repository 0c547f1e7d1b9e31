"""The hub's part of cohort discovery on a real broker: two services as processes; only the hospitals are played."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from bus.uow import new_id
from schemas.cohort import (
    CancelQuery,
    CohortCommandRejected,
    CohortFrozen,
    CohortShrunk,
    FrozenRecord,
    QueryCancelled,
    QuerySubmitted,
    QueryTotalled,
    RepeatQuery,
    SearchConcepts,
    SearchDeadlinePassed,
    SubmitCriteria,
    SubmitQuery,
    TrustAdvanced,
    TrustConcepts,
    TrustCounted,
)
from schemas.message import Accepted, Answer, Command
from schemas.project import CloseProject, CreateProject, ProjectStaged, StageProject
from schemas.trust import (
    CancelCount,
    CohortCounted,
    CohortFixed,
    ConceptsFound,
    CountAdvanced,
    CountCohort,
    FindConcepts,
    FrozenShrunk,
    TrustAnnounced,
)
from tests.conftest import TRUSTS, Broker, Database
from tests.integration.hub import Voice, voice
from tests.integration.process import our_process

pytestmark = pytest.mark.integration

SQL = "select person_id from omop.person where year_of_birth < 1960"
REWORDED = "SELECT person_id\nFROM person\nWHERE year_of_birth < 1960"
OTHER = "select person_id from person where year_of_birth < 1950"
CRITERIA = '{"PrimaryCriteria": {"CriteriaList": [{"VisitOccurrence": {}}]}}'
DIGEST = "ab" * 32


@dataclass(slots=True)
class Hub:
    """The services, and a draft project of ada's."""

    voice: Voice
    project_id: str

    async def ask(self, command: Command) -> Answer:
        await self.voice.say(command)
        return await self.voice.heard(Answer, subject=command.key)

    async def refused(self, command: Command) -> CohortCommandRejected:
        answer = await self.ask(command)
        assert isinstance(answer, CohortCommandRejected)
        return answer

    async def submit(self, sql: str = SQL, **asked: object) -> str:
        query_id = new_id()
        assert isinstance(await self.ask(self.query(sql, query_id=query_id, **asked)), Accepted)
        return query_id

    def query(self, sql: str = SQL, **asked: object) -> SubmitQuery:
        about = {"actor": "ada", "query_id": new_id(), "project_id": self.project_id, "sql": sql, "trusts": TRUSTS}
        return SubmitQuery.model_validate(about | asked)

    async def count(self, query_id: str, trust: str, persons: int | None = 120) -> None:
        """The trust answers with so many persons, or that they are too few."""
        outcome = "suppressed" if persons is None else "counted"
        about = {"trust_id": trust, "query_id": query_id, "project_id": self.project_id}
        await self.voice.say(CohortCounted.model_validate(about | {"outcome": outcome, "persons": persons}))
        await self.voice.heard(TrustCounted, query_id=query_id, trust_id=trust)


@pytest.fixture(scope="module")
async def speaking(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voice]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("cohort-hub")
    async with AsyncExitStack() as stack:
        starting = [
            stack.enter_async_context(
                our_process(f"services.{name}", name, kafka, postgres.fresh_database(name), folder)
            )
            for name in ("project", "cohort")
        ]
        await asyncio.gather(*starting)
        said = await stack.enter_async_context(voice(kafka))
        await said.say(*(_announced(trust) for trust in TRUSTS))
        yield said


@pytest.fixture
async def hub(speaking: Voice) -> Hub:
    hub = Hub(speaking, new_id())
    await hub.ask(CreateProject(actor="ada", project_id=hub.project_id, name="Knees"))
    return hub


def _announced(trust: str) -> TrustAnnounced:
    return TrustAnnounced(
        trust_id=trust, approvers=(f"{trust}-approver",), small_number_threshold=10, isolation="none", software={}
    )


async def test_a_query_is_told_of_live_and_totalled_from_what_was_released(hub: Hub) -> None:
    query_id = await hub.submit(statistics=("sex",))
    order = await hub.voice.heard(CountCohort, query_id=query_id, trust_id="amber")
    assert (order.sql, order.asked_by, order.statistics) == (SQL, "ada", ("sex",))
    assert order.deadline_at is not None
    about = {"trust_id": "amber", "query_id": query_id, "project_id": hub.project_id}
    await hub.voice.say(CountAdvanced(**about, done=1, parts=2))
    assert (await hub.voice.heard(TrustAdvanced, query_id=query_id)).done == 1
    await hub.count(query_id, "amber")
    await hub.count(query_id, "birch", persons=None)
    total = await hub.voice.heard(QueryTotalled, query_id=query_id)
    assert (total.persons, total.counted, total.asked) == (120, 1, 2)


async def test_texts_of_a_cohort_are_its_versions_and_a_repeat_keeps_its_own(hub: Hub) -> None:
    queries = [await hub.submit(sql, cohort="elders") for sql in (SQL, OTHER, REWORDED)]
    told = [await hub.voice.heard(QuerySubmitted, query_id=query_id) for query_id in queries]
    assert [(one.cohort, one.version) for one in told] == [("elders", 1), ("elders", 2), ("elders", 1)]
    repeat = RepeatQuery(
        actor="ada", query_id=new_id(), project_id=hub.project_id, repeats=queries[1], trusts=("birch",)
    )
    await hub.ask(repeat)
    again = await hub.voice.heard(QuerySubmitted, query_id=repeat.query_id)
    assert (again.repeats, again.cohort, again.version, again.sql) == (queries[1], "elders", 2, OTHER)
    assert (await hub.voice.heard(CountCohort, query_id=repeat.query_id)).trust_id == "birch"


async def test_a_cancelled_query_stops_the_silent_trusts_and_hears_nobody_any_more(hub: Hub) -> None:
    query_id = await hub.submit()
    await hub.count(query_id, "amber")
    await hub.voice.say(CancelQuery(actor="ada", query_id=query_id))
    assert (await hub.voice.heard(CancelCount, query_id=query_id)).trust_id == "birch"
    assert (await hub.voice.heard(QueryCancelled, query_id=query_id)).cancelled_by == "ada"
    assert (await hub.voice.heard(TrustCounted, query_id=query_id, trust_id="birch")).code == "cancelled"
    assert (await hub.voice.heard(QueryTotalled, query_id=query_id)).persons == 120
    await hub.voice.say(
        CohortCounted(trust_id="birch", query_id=query_id, project_id=hub.project_id, outcome="counted", persons=77)
    )
    await hub.count(await hub.submit(trusts=("birch",)), "birch")
    assert len(hub.voice.all(TrustCounted, query_id=query_id)) == len(TRUSTS)


async def test_what_no_trust_would_run_is_never_sent(hub: Hub) -> None:
    refused = await hub.refused(hub.query("select person_id from person\nwhere pg_sleep(9) is null"))
    assert refused.code == "function_not_allowed"
    assert refused.reason.startswith("line 2, column ")
    bad = SubmitCriteria(actor="ada", query_id=new_id(), project_id=hub.project_id, criteria="{}", trusts=TRUSTS)
    assert (await hub.refused(bad)).code == "bad_criteria"
    await hub.submit()
    assert [hub.voice.all(CountCohort, query_id=id_) for id_ in (refused.subject, bad.query_id)] == [[], []]


async def test_criteria_are_asked_as_one_select_with_its_attrition(hub: Hub) -> None:
    command = SubmitCriteria(
        actor="ada", query_id=new_id(), project_id=hub.project_id, criteria=CRITERIA, trusts=TRUSTS, attrition=True
    )
    await hub.ask(command)
    told = await hub.voice.heard(QuerySubmitted, query_id=command.query_id)
    order = await hub.voice.heard(CountCohort, query_id=command.query_id)
    assert (told.criteria, order.sql) == (CRITERIA, told.sql)
    assert [rule.name for rule in order.rules] == ["Index event"]


async def test_concepts_are_sought_at_each_trust_and_silence_is_told(hub: Hub) -> None:
    search = SearchConcepts(
        actor="ada", search_id=new_id(), project_id=hub.project_id, words="knee", trusts=TRUSTS, limit=5
    )
    await hub.ask(search)
    order = await hub.voice.heard(FindConcepts, search_id=search.search_id, trust_id="amber")
    about = {"search_id": search.search_id, "project_id": hub.project_id}
    await hub.voice.say(ConceptsFound(trust_id="amber", **about, code="empty_vocabulary", reason="It is empty."))
    told = await hub.voice.heard(TrustConcepts, search_id=search.search_id, trust_id="amber")
    await hub.voice.say(SearchDeadlinePassed(**about))
    silent = await hub.voice.heard(TrustConcepts, search_id=search.search_id, trust_id="birch")
    assert (order.words, order.limit, told.code, silent.code) == ("knee", 5, "empty_vocabulary", "timed_out")


async def test_approvers_see_the_text_and_only_that_is_repeated_after_staging(hub: Hub) -> None:
    record, other = await hub.submit(cohort="elders"), await hub.submit(OTHER)
    await hub.count(record, "amber")
    stage = StageProject(actor="ada", project_id=hub.project_id, query_id=record, trusts=("amber",))
    await hub.voice.say(stage)
    staged = await hub.voice.heard(ProjectStaged, project_id=hub.project_id)
    assert (staged.sql, staged.cohort, staged.version) == (SQL, "elders", 1)
    asked = {"actor": "ada", "project_id": hub.project_id}
    assert (await hub.refused(hub.query(OTHER))).code == "not_draft"
    assert (await hub.refused(RepeatQuery(**asked, query_id=new_id(), repeats=other))).code == "not_draft"
    assert isinstance(await hub.ask(RepeatQuery(**asked, query_id=new_id(), repeats=record)), Accepted)
    await hub.voice.say(CloseProject(actor="ada", project_id=hub.project_id))
    await _until_closed(hub, record)


async def _until_closed(hub: Hub, record: str) -> None:
    """Until the cohort service has read that the project is closed, repeats are accepted."""
    async with asyncio.timeout(30):
        command = RepeatQuery(actor="ada", project_id=hub.project_id, query_id=new_id(), repeats=record)
        while isinstance(answer := await hub.ask(command), Accepted):
            command = command.model_copy(update={"query_id": new_id()})
    assert isinstance(answer, CohortCommandRejected)
    assert answer.code == "project_closed"


async def test_a_frozen_cohort_is_told_with_its_record_and_when_it_shrinks(hub: Hub) -> None:
    about = {"trust_id": "amber", "project_id": hub.project_id, "query_id": new_id(), "digest": DIGEST}
    record = FrozenRecord(sql_sha256=DIGEST, software="trustflow 1", cdm_version="5.4", vocabulary_version="v5.0")
    await hub.voice.say(CohortFixed(**about, persons=120, record=record))
    assert (await hub.voice.heard(CohortFrozen, project_id=hub.project_id)).record == record
    await hub.voice.say(FrozenShrunk(**about, usable=False))
    shrunk = await hub.voice.heard(CohortShrunk, project_id=hub.project_id)
    assert (shrunk.persons, shrunk.usable) == (None, False)
