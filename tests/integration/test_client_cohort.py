"""Cohorts by SDK and command: a real broker, the real cohort service, and two trusts that answer as they are told."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bus.speaker import CommandRejected, NoAnswer, Speaker
from bus.uow import new_id
from client.comparing import difference, versions
from client.sdk import Trustflow
from schemas.cohort import CohortEvent, Concept, QueryCancelled, QueryTotalled, TrustAdvanced, TrustCounted
from schemas.message import Message
from schemas.project import ProjectCreated
from schemas.trust import (
    CancelCount,
    CohortCounted,
    ConceptsFound,
    CountAdvanced,
    CountCohort,
    FindConcepts,
    TrustAnnounced,
)
from schemas.views import QueryView, fold_query
from tests.conftest import TRUSTS, Broker
from tests.integration.hub import Voice, service, voice

pytestmark = pytest.mark.integration

ADULTS = "SELECT person_id FROM person WHERE year_of_birth < 2000"
OLDER = "SELECT person_id FROM person WHERE year_of_birth < 1960"
SLOW = "SELECT person_id FROM person WHERE year_of_birth < 1900"


@dataclass(slots=True)
class Trusts:
    """amber counts 340, birch too few; nobody ever finishes `SLOW`."""

    voice: Voice
    working: set[asyncio.Task[None]] = field(default_factory=set)

    def on_message(self, message: Message) -> None:
        answers = self._answers(message)
        if answers:
            task = asyncio.create_task(self.voice.say(*answers))
            self.working.add(task)
            task.add_done_callback(self.working.discard)

    def _answers(self, message: Message) -> list[Message]:
        if isinstance(message, FindConcepts):
            return [self._found(message)]
        if not isinstance(message, CountCohort):
            return []
        about = {"trust_id": message.trust_id, "query_id": message.query_id, "project_id": message.project_id}
        begun = CountAdvanced(**about, done=0, parts=2)
        return [begun] if message.sql == SLOW else [begun, self._counted(about)]

    def _counted(self, about: dict[str, str]) -> CohortCounted:
        if about["trust_id"] == "amber":
            return CohortCounted(**about, outcome="counted", persons=340, studies=400, margin=9)
        return CohortCounted(**about, outcome="suppressed")

    def _found(self, message: FindConcepts) -> ConceptsFound:
        about = {"trust_id": message.trust_id, "search_id": message.search_id, "project_id": message.project_id}
        if message.trust_id == "birch":
            return ConceptsFound(**about, code="empty_vocabulary", reason="No vocabulary is loaded.")
        concept = Concept(
            concept_id=1, name=message.words, code="1", domain="Condition", vocabulary="SNOMED", standard=True
        )
        return ConceptsFound(**about, concepts=(concept,), vocabulary_version="v5.0")


@dataclass(slots=True)
class Stage:
    hub: Trustflow
    voice: Voice
    project_id: str
    env: dict[str, str]


@pytest_asyncio.fixture(scope="module")
async def stage(kafka: Broker, postgres: Any, nginx: Any, tmp_path_factory: Any) -> AsyncIterator[Stage]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("cohorts")
    with service("cohort", kafka, postgres.fresh_database("cohort"), nginx, folder):
        async with voice(kafka) as speaking, Speaker(kafka.login("client")) as speaker:
            speaking.listeners.append(Trusts(speaking).on_message)
            made = Stage(Trustflow(speaker, "ann"), speaking, new_id(), _env(kafka, folder))
            await _told(made)
            yield made


def _env(kafka: Broker, folder: Path) -> dict[str, str]:
    file = folder / "env"
    file.write_text(
        f"export TRUSTFLOW_KAFKA_BOOTSTRAP={kafka.bootstrap}\n"
        f"export TRUSTFLOW_CLIENT_PASSWORD_FILE={kafka.password_file('client')}\n"
    )
    return {**os.environ, "TRUSTFLOW_ENV": str(file), "COLUMNS": "160"}


async def _told(stage: Stage) -> None:
    """The service knows trusts and project; at its start a command may come before them."""
    created = ProjectCreated(project_id=stage.project_id, name="P", description="", dicom_to_nifti=True, owner="ann")
    known = [
        TrustAnnounced(trust_id=trust, approvers=(), small_number_threshold=10, isolation="none", software={})
        for trust in TRUSTS
    ]
    await stage.voice.say(created, *known)
    while True:
        try:
            await _counted(stage.hub.query(stage.project_id, ADULTS, TRUSTS, cohort="adults"))
        except (CommandRejected, NoAnswer):
            continue
        return


async def _counted(events: Any) -> tuple[QueryView, list[CohortEvent]]:
    view, said = None, []
    async with aclosing(events) as stream:
        async for event in stream:
            said.append(event)
            view = fold_query(view, event)
    assert view
    return view, said


async def test_a_query_is_followed_to_its_total(stage: Stage) -> None:
    view, said = await _counted(stage.hub.query(stage.project_id, ADULTS, TRUSTS, cohort="adults"))
    assert {event.trust_id for event in said if isinstance(event, TrustAdvanced)} == set(TRUSTS)
    assert isinstance(said[-1], QueryTotalled)
    assert view.answers["amber"].persons == 340
    assert view.answers["birch"].outcome == "suppressed"
    assert view.total
    assert (view.total.persons, view.total.studies) == (340, 400)
    assert await stage.hub.cohort(view.query_id) == view
    assert await stage.hub.correlation(view.query_id)


async def test_a_text_has_a_version_and_a_repeat_keeps_it(stage: Stage) -> None:
    first, _ = await _counted(stage.hub.query(stage.project_id, ADULTS, TRUSTS, cohort="grown"))
    second, _ = await _counted(stage.hub.query(stage.project_id, OLDER, TRUSTS, cohort="grown"))
    again, _ = await _counted(stage.hub.repeat_query(first.query_id))
    assert (first.version, second.version, again.version) == (1, 2, 1)
    assert again.repeats == first.query_id
    grown = [one for one in versions(await stage.hub.cohorts(stage.project_id)) if one.cohort == "grown"]
    assert [[run.query_id for run in version.runs] for version in grown] == [
        [first.query_id, again.query_id],
        [second.query_id],
    ]
    found = difference(first, second)
    assert (found.total.by, found.total.within) == (0, True)
    assert any("1960" in line for line in found.text)


async def test_a_cancelled_query_is_over_at_once_and_its_trusts_are_told(stage: Stage) -> None:
    query_id = new_id()
    said: list[CohortEvent] = []
    async with aclosing(stage.hub.query(stage.project_id, SLOW, TRUSTS, query_id=query_id)) as events:
        async for event in events:
            said.append(event)
            if isinstance(event, TrustAdvanced) and len(said) == 1 + len(TRUSTS):
                await stage.hub.cancel_query(query_id)
    assert any(isinstance(event, QueryCancelled) for event in said)
    assert [event.code for event in said if isinstance(event, TrustCounted)] == ["cancelled", "cancelled"]
    for trust in TRUSTS:
        await stage.voice.heard(CancelCount, trust_id=trust, query_id=query_id)


async def test_the_hub_refuses_what_the_judge_refuses_and_the_sdk_sends_no_such_text(stage: Stage) -> None:
    before = len(stage.voice.all(Message))
    with pytest.raises(CommandRejected) as here:
        await anext(stage.hub.query(stage.project_id, "SELECT * FROM person", TRUSTS))
    assert len(stage.voice.all(Message)) == before
    with pytest.raises(CommandRejected) as there:
        await anext(stage.hub.query(stage.project_id, "SELECT * FROM person", TRUSTS, check=False))
    assert here.value.code == there.value.code == "star_not_allowed"


async def test_concepts_come_from_each_trust_with_an_empty_vocabulary_named(stage: Stage) -> None:
    told = [event async for event in stage.hub.concepts(stage.project_id, "diabetes", TRUSTS)]
    assert len(told) == 1 + len(TRUSTS)
    answers = {event.trust_id: event for event in told[1:]}
    assert [concept.name for concept in answers["amber"].concepts] == ["diabetes"]
    assert answers["birch"].code == "empty_vocabulary"


async def test_ctrl_c_on_the_command_cancels_at_the_trusts(stage: Stage) -> None:
    begun = len(stage.voice.all(CountCohort, sql=SLOW, trust_id="amber"))
    arguments = ("cohort", "query", stage.project_id, "--trust", "amber", "--sql", SLOW, "--as", "ann", "--json")
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from client.cli import app; app()",
        *arguments,
        env=stage.env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert command.stdout
    submitted = json.loads(await command.stdout.readline())
    await stage.voice.heard(CountCohort, nth=begun + 1, sql=SLOW, trust_id="amber")
    command.send_signal(signal.SIGINT)
    _, complaint = await command.communicate()
    assert command.returncode == 130, complaint
    assert f"Query {submitted['query_id']} is cancelled" in complaint.decode()
    await stage.voice.heard(CancelCount, query_id=submitted["query_id"])
