"""The same command id sent again has no second effect, and the same answer: at once, at the same time, after a crash.

On the real project service; whoever sends is a UI backend that lost an answer and tries again.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from schemas.message import Message
from schemas.project import (
    AddMember,
    CreateProject,
    EditProject,
    MemberAdded,
    ProjectCommandAccepted,
    ProjectCommandRejected,
    ProjectCreated,
    ProjectEdited,
)
from schemas.topics import BACKEND, HUB_TOPICS
from tests.conftest import Broker, Database
from tests.integration.process import OurProcess, our_process
from tests.integration.records import Raw, Reader, header, raw, send

pytestmark = pytest.mark.integration

EVENTS = next(topic for topic in HUB_TOPICS if topic.name == "project.events")
ANSWERS = {ProjectCommandAccepted.type, ProjectCommandRejected.type}


@dataclass(slots=True)
class World:
    process: OurProcess
    producers: list[AIOKafkaProducer]
    events: Reader

    async def say(self, *commands: Raw) -> None:
        await send(self.producers[0], commands)

    async def said(self, command: Raw, times: int) -> list[Any]:
        """Wait until the command has been answered so often; return what the answers say."""
        answers = await self.events.until(lambda records: _enough(records, command, times))
        return [(header(answer, "ce_type"), json.loads(answer.value)) for answer in answers]

    async def effects(self, wanted: type[Message], key: str) -> list[Any]:
        """Every such event of this key, up to the answer of a command that comes after all of them.

        A relay that is killed may have said its last records already, and says them again under the same ids.
        """
        last = raw(EditProject(actor="ada", project_id=key, description="The last."))
        await self.say(last)
        await self.said(last, 1)
        found = [record for record in self.events.records if _is(record, wanted, key)]
        return [record for record in _each_once(found) if header(record, "ce_correlationid") != last.id]


def _is(record: Any, wanted: type[Message], key: str) -> bool:
    return header(record, "ce_type") == wanted.type and record.key == key.encode()


def _each_once(records: list[Any]) -> list[Any]:
    return list({header(record, "ce_id"): record for record in records}.values())


def _enough(records: list[Any], command: Raw, times: int) -> list[Any]:
    answers = [record for record in records if header(record, "ce_type") in ANSWERS]
    ours = _each_once([answer for answer in answers if json.loads(answer.value)["command_id"] == command.id])
    return ours if len(ours) >= times else []


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    await kafka.provision_federation()
    folder, database = tmp_path_factory.mktemp("idempotency"), postgres.fresh_database("project")
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(
            our_process(
                "services.project", "project", kafka, database, folder, TRUSTFLOW_TRUST_KEYS=str(kafka.trust_keys)
            )
        )
        producers = [
            await stack.enter_async_context(AIOKafkaProducer(**kafka.credentials(BACKEND), enable_idempotence=True))
            for _ in range(5)
        ]
        events = await Reader.of(kafka.credentials(), EVENTS)
        stack.push_async_callback(events.stop)
        yield World(process, producers, events)


def project() -> str:
    return f"p-{secrets.token_hex(4)}"


def create(project_id: str) -> Raw:
    return raw(CreateProject(actor="ada", project_id=project_id, name="Knees"))


async def test_twice_is_once_and_both_are_told_the_same(world: World) -> None:
    mine = project()
    command = create(mine)
    await world.say(command)
    await world.said(command, 1)
    await world.say(command)
    first, second = await world.said(command, 2)
    assert (
        first
        == second
        == (
            ProjectCommandAccepted.type,
            {"command_id": command.id, "command_type": CreateProject.type, "subject": mine},
        )
    )
    assert len(await world.effects(ProjectCreated, mine)) == 1


async def test_what_was_accepted_stays_accepted_when_it_would_be_refused_by_now(world: World) -> None:
    mine = project()
    command, another = create(mine), create(mine)
    await world.say(command, another)
    assert [type_ for type_, _ in await world.said(another, 1)] == [ProjectCommandRejected.type]
    await world.say(command)
    assert [type_ for type_, _ in await world.said(command, 2)] == [ProjectCommandAccepted.type] * 2


async def test_what_was_refused_stays_refused_when_it_would_be_accepted_by_now(world: World) -> None:
    mine = project()
    early = raw(EditProject(actor="bob", project_id=mine, name="Hips"))
    await world.say(create(mine), early)
    (refused,) = await world.said(early, 1)
    await world.say(raw(AddMember(actor="ada", project_id=mine, member="bob")), early)
    assert await world.said(early, 2) == [refused, refused]
    assert refused[1]["code"] == "not_a_member"
    later = raw(EditProject(actor="bob", project_id=mine, name="Hips"))
    await world.say(later)
    assert [type_ for type_, _ in await world.said(later, 1)] == [ProjectCommandAccepted.type]
    assert len(await world.effects(ProjectEdited, mine)) == 1


async def test_fifty_at_the_same_time_are_one(world: World) -> None:
    mine = project()
    command = create(mine)
    await asyncio.gather(*(send(world.producers[number % 5], [command]) for number in range(50)))
    answers = await world.said(command, 50)
    assert answers == [answers[0]] * 50
    assert len(await world.effects(ProjectCreated, mine)) == 1


async def test_a_process_that_died_has_not_forgotten(world: World) -> None:
    mine = project()
    command, refused = create(mine), raw(AddMember(actor="eve", project_id=mine, member="eve"))
    await world.say(command, refused)
    before = [*await world.said(command, 1), *await world.said(refused, 1)]
    world.process.kill()
    await world.say(command, refused)
    await world.process.start()
    after = [(await world.said(each, 2))[1] for each in (command, refused)]
    assert after == before
    assert len(await world.effects(ProjectCreated, mine)) == 1
    assert await world.effects(MemberAdded, mine) == []
