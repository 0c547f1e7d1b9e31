"""Whatever is sent to the real project and cohort services gets one clear answer, and stops nothing.

Both run as processes of their own. Each bad command stands between two good ones.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bus.proof.signing import Author
from bus.uow import new_id
from schemas.cohort import SubmitQuery
from schemas.message import Command, Message
from schemas.project import (
    AddMember,
    ApproveProject,
    CreateProject,
    DeclineProject,
    EditProject,
    ProjectCreated,
    RemoveMember,
    StageProject,
)
from schemas.topics import HUB_TOPICS, Topic, all_topics
from schemas.trust import CohortCounted, TrustAnnounced
from tests.conftest import TRUSTS, Broker, Database
from tests.integration.process import OurProcess, our_process
from tests.integration.records import Raw, Reader, header, raw, send

pytestmark = pytest.mark.integration

SERVICES = ("project", "cohort")
ANSWERS = ("command_accepted.v1", "command_rejected.v1")
SQL = "select person_id from person"
PHI = "Mustermann^Erika 1931-07-04"
TOPICS = {topic.name: topic for topic in all_topics(TRUSTS)}
SPOKEN: tuple[Topic, ...] = tuple(topic for topic in HUB_TOPICS if topic.name in ("project.events", "cohort.events"))
DEAD = tuple(TOPICS[f"dlq.{service}"] for service in SERVICES)


@dataclass(slots=True)
class Hub:
    processes: dict[str, OurProcess]
    author: Callable[[str], Author]
    producer: AIOKafkaProducer
    events: Reader
    dead: Reader

    async def say(self, *messages: Message) -> list[Raw]:
        records = [raw(message, author=self.author(message.topic)) for message in messages]
        await send(self.producer, records)
        return records

    async def answers(self, command: Raw) -> list[str]:
        """The codes that answer a command ("accepted" where it was), once there is one."""
        return await self.events.until(lambda records: _codes(records, command.id))

    async def do(self, command: Command) -> str:
        (record,) = await self.say(command)
        (code,) = await self.answers(record)
        return code

    async def letter(self, record: Raw) -> Any:
        return await self.dead.until(lambda records: next((r for r in records if r.value == record.value), None))

    async def still_works(self) -> None:
        """Each service carries out a command that was sent after all that went before."""
        mine = new_id()
        assert await self.do(create(mine)) == "accepted"
        assert await self.do(submit(mine)) == "accepted"
        assert all(process.popen and process.popen.poll() is None for process in self.processes.values())


def _codes(records: list[Any], id_: str) -> list[str]:
    answers = {
        header(record, "ce_id"): json.loads(record.value).get("code", "accepted")
        for record in records
        if header(record, "ce_causationid") == id_ and header(record, "ce_type").endswith(ANSWERS)
    }
    return list(answers.values())


def create(project: str) -> CreateProject:
    return CreateProject(actor="ada", project_id=project, name="Knees")


def submit(project: str, **changed: object) -> SubmitQuery:
    asked = {"actor": "ada", "query_id": new_id(), "project_id": project, "sql": SQL, "trusts": TRUSTS}
    return SubmitQuery.model_validate(asked | changed)


@pytest.fixture(scope="module")
async def hub(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    await kafka.provision_federation(TRUSTS)
    folder, login = tmp_path_factory.mktemp("hub"), kafka.credentials()
    async with AsyncExitStack() as stack:
        processes = {
            name: await stack.enter_async_context(
                our_process(f"services.{name}", name, kafka, postgres.fresh_database(name), folder)
            )
            for name in SERVICES
        }
        producer = await stack.enter_async_context(AIOKafkaProducer(**login))
        events, dead = await Reader.of(login, *SPOKEN), await Reader.of(login, *DEAD)
        stack.push_async_callback(events.stop)
        stack.push_async_callback(dead.stop)
        hub = Hub(processes, kafka.author, producer, events, dead)
        await hub.say(*(announced(trust) for trust in TRUSTS))
        yield hub


def announced(trust: str) -> TrustAnnounced:
    return TrustAnnounced(
        trust_id=trust, approvers=(f"{trust}-approver",), small_number_threshold=10, isolation="none", software={}
    )


def bad_projects() -> dict[str, Raw]:
    """Commands that can't be read, by the code of their rejection."""
    good = raw(create(new_id()))
    fresh = {"id": new_id().encode()}
    return {
        "unknown_type": replace(good, headers=good.but(type=b"trustflow.project.destroy.v1")),
        "newer_version": replace(good, value=b"{} ", headers=good.but(type=b"trustflow.project.create.v2", **fresh)),
        "too_large": replace(raw(create(new_id())), value=b"[" + b"1," * 500_000 + b"1]"),
        "wrong_key": replace(raw(create(new_id())), key=b"another"),
        "invalid_payload": replace(raw(create(new_id())), value=json.dumps({"name": {PHI: PHI}}).encode()),
        "invalid_payload: cut": replace(raw(create(new_id())), value=b'{"actor": "ada", "proj'),
        "wrong_topic": replace(raw(submit(new_id())), topic="project.commands"),
    }


class TestUnreadable:
    @pytest.mark.parametrize("name", bad_projects())
    async def test_a_command_that_can_not_be_read_is_rejected_once_and_put_aside(self, hub: Hub, name: str) -> None:
        bad, code = bad_projects()[name], name.partition(":")[0]
        await send(hub.producer, [bad])
        letter = await hub.letter(bad)
        assert (header(letter, "tf-code"), header(letter, "tf-group")) == (code, "project")
        await hub.still_works()
        assert await hub.answers(bad) == [code]

    async def test_what_has_no_envelope_has_nobody_to_answer_and_is_put_aside(self, hub: Hub) -> None:
        rubbish = Raw("project.commands", None, PHI.encode(), [])
        await send(hub.producer, [rubbish])
        assert header(await hub.letter(rubbish), "tf-code") == "malformed"
        await hub.still_works()

    async def test_each_service_keeps_its_own_dead_letters(self, hub: Hub) -> None:
        bad = replace(raw(submit(new_id())), value=b'{"sql": 1}')
        await send(hub.producer, [bad])
        assert (await hub.letter(bad)).topic == "dlq.cohort"
        assert await hub.answers(bad) == ["invalid_payload"]
        await hub.still_works()

    async def test_nothing_of_a_bad_payload_is_logged_or_said(self, hub: Hub) -> None:
        bad = bad_projects()["invalid_payload"]
        await send(hub.producer, [bad])
        await hub.answers(bad)
        said = b"".join(record.value for record in hub.events.records).decode()
        logged = "".join(process.log.read_text() for process in hub.processes.values())
        assert PHI not in said + logged


class TestOutOfOrder:
    @pytest.mark.parametrize(
        "command",
        [
            EditProject(actor="ada", project_id="nowhere", name="x"),
            AddMember(actor="ada", project_id="nowhere", member="eve"),
            RemoveMember(actor="ada", project_id="nowhere", member="eve"),
            StageProject(actor="ada", project_id="nowhere", query_id="q", trusts=TRUSTS),
            ApproveProject(actor="amber-approver", project_id="nowhere", trust_id="amber"),
            DeclineProject(actor="amber-approver", project_id="nowhere", trust_id="amber", reason="No."),
            submit("nowhere"),
        ],
        ids=lambda command: type(command).__name__,
    )
    async def test_an_unknown_project(self, hub: Hub, command: Command) -> None:
        assert await hub.do(command) == "unknown_project"

    async def test_approval_before_staging(self, hub: Hub) -> None:
        mine = new_id()
        await hub.do(create(mine))
        assert await hub.do(ApproveProject(actor="amber-approver", project_id=mine, trust_id="amber")) == "not_staged"

    async def test_staging_before_a_count(self, hub: Hub) -> None:
        mine = new_id()
        await hub.do(create(mine))
        stage = StageProject(actor="ada", project_id=mine, query_id=new_id(), trusts=TRUSTS)
        assert await hub.do(stage) == "unknown_query"

    async def test_an_unknown_trust_and_a_strangers_query(self, hub: Hub) -> None:
        mine = new_id()
        await hub.do(create(mine))
        assert await hub.do(submit(mine, trusts=("amber", "yew"))) == "unknown_trust"
        assert await hub.do(submit(mine, actor="eve")) == "not_a_member"
        assert await hub.do(submit(mine, trusts=())) == "no_trusts"

    async def test_the_same_id_for_another_project(self, hub: Hub) -> None:
        mine = new_id()
        assert await hub.do(create(mine)) == "accepted"
        assert await hub.do(create(mine)) == "already_exists"

    async def test_the_same_command_twice_has_one_effect_and_the_same_answer_twice(self, hub: Hub) -> None:
        command = raw(create(new_id()))
        await send(hub.producer, [command, command])
        both = await hub.events.until(lambda records: len(codes := _codes(records, command.id)) == 2 and codes)
        assert both == ["accepted", "accepted"]
        created = [record for record in hub.events.records if header(record, "ce_type") == ProjectCreated.type]
        assert [record.key for record in created].count(command.key) == 1


class TestDeciding:
    async def test_after_staging_only_the_trusts_approver_decides_and_only_once(self, hub: Hub) -> None:
        mine = new_id()
        await hub.do(create(mine))
        asked = submit(mine)
        await hub.do(asked)
        await hub.say(*(released(trust, asked) for trust in TRUSTS))
        stage = StageProject(actor="ada", project_id=mine, query_id=asked.query_id, trusts=TRUSTS)
        assert await hub.do(stage) == "accepted"
        decisions = {"ada": "own_request", "birch-approver": "not_an_approver", "amber-approver": "accepted"}
        for actor, code in decisions.items():
            assert await hub.do(ApproveProject(actor=actor, project_id=mine, trust_id="amber")) == code
        again = DeclineProject(actor="amber-approver", project_id=mine, trust_id="amber", reason="No.")
        assert await hub.do(again) == "already_decided"
        assert await hub.do(EditProject(actor="ada", project_id=mine, name="x")) == "not_draft"


def released(trust: str, asked: SubmitQuery) -> CohortCounted:
    return CohortCounted(
        trust_id=trust, query_id=asked.query_id, project_id=asked.project_id, outcome="counted", persons=20
    )


class TestFloods:
    async def test_a_hundred_good_commands_between_bad_ones_are_all_carried_out(self, hub: Hub) -> None:
        good = [raw(create(new_id())) for _ in range(100)]
        bad = [Raw("project.commands", record.key, f"junk {n}".encode(), []) for n, record in enumerate(good)]
        await send(hub.producer, [record for pair in zip(good, bad, strict=True) for record in pair])
        codes = [await hub.answers(record) for record in good]
        assert codes == [["accepted"]] * 100
        await hub.dead.until(lambda records: {r.value for r in records} >= {record.value for record in bad})
