"""The operators' commands on a real broker: what they find, what they change, and the account they leave."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bus.admin.broker_admin import administrator
from bus.admin.topic_admin import TopicAdmin, topic_admin
from bus.uow import new_id
from client.ops.account import Progress
from client.ops.topic_plan import Step, _carry_out
from schemas.operations import ActDone, ActIntended
from schemas.project import ProjectActivated
from schemas.topics import Acl, Topic, acls, trust_topics
from schemas.trust import EndRun
from tests.conftest import TRUSTS, Broker
from tests.integration.operators import OpsDesk, ops_desk
from tests.integration.records import raw, send

pytestmark = pytest.mark.integration

NEW_TRUST = "oak"
BY = ("--as", "ada", "--yes", "--why", "A test of the tools.")


@dataclass(slots=True)
class Scene:
    ops: OpsDesk
    broker: Broker
    producer: AIOKafkaProducer
    objects: Path

    async def acts(self, action: str) -> list[str]:
        """What the account says of one kind of act, in order."""
        told = await self.ops.lines("tail", "--topic", "operator.events", "--since", "1h")
        return [line["type"] for line in told if line["data"]["action"] == action]


@pytest.fixture(scope="module")
async def scene(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("operators")
    objects = folder / "objects"
    objects.mkdir()
    trusts = ",".join((*TRUSTS, NEW_TRUST))
    desk = ops_desk(kafka, folder, TRUSTFLOW_TRUSTS=trusts, TRUSTFLOW_OBJECTS_FOLDER=str(objects))
    async with AIOKafkaProducer(**kafka.credentials()) as producer:
        yield Scene(desk, kafka, producer, objects)
    async with administrator(kafka.login()) as admin:
        await admin.drop_acls(frozenset(acls((*TRUSTS, NEW_TRUST))) - frozenset(acls(TRUSTS)))


class TestTopicsAndRules:
    async def test_a_new_trusts_topics_are_planned_then_created_and_accounted_for(self, scene: Scene) -> None:
        missing = {topic.name for topic in trust_topics(NEW_TRUST)}
        assert missing <= {
            step["topic"] for step in await scene.ops.lines("topics", "plan") if step["change"] == "create"
        }
        await scene.ops.call("topics", "apply", *BY)
        assert [step for step in await scene.ops.lines("topics", "plan") if step["change"] != "leave"] == []
        assert await scene.acts("apply_topics") == [ActIntended.type, ActDone.type]

    async def test_a_limit_that_was_changed_by_hand_is_set_right(self, scene: Scene) -> None:
        wanted = trust_topics("amber")[0]
        async with topic_admin(scene.broker.login()) as admin:
            await admin.set_limits(replace(wanted, retention_ms=1000))
            (step,) = [step for step in await scene.ops.lines("topics", "plan") if step["change"] == "set limits"]
            assert (step["topic"], "1000 → -1" in step["because"]) == (wanted.name, True)
            await scene.ops.call("topics", "apply", *BY)
            live = {topic.name: topic for topic in await admin.topics()}
        assert (live[wanted.name].retention_ms, live[wanted.name].max_bytes) == (wanted.retention_ms, wanted.max_bytes)

    async def test_partitions_are_added_and_a_topic_deleted_by_their_own_steps(self, scene: Scene) -> None:
        """Step by step: --prune would delete what other tests have on this broker."""
        strange = Topic(f"strange-{new_id()}", (), (), partitions=1)
        async with topic_admin(scene.broker.login()) as admin:
            await admin.create(strange)
            await _carry_out(
                admin, [Step("add partitions", strange.name, "", replace(strange, partitions=3))], Progress()
            )
            assert await admin.partitions_of(strange.name) == 3
            assert (await admin.records_in([await _live(admin, strange.name)])) == {strange.name: 0}
            await _carry_out(admin, [Step("delete", strange.name, "")], Progress())
            assert strange.name not in {topic.name for topic in await admin.topics()}

    async def test_rules_that_the_broker_lost_are_found_and_given_back(self, scene: Scene) -> None:
        lost = Acl("backend", "READ", "TOPIC", "project.events")
        await scene.ops.call("acl", "apply", *BY)
        async with administrator(scene.broker.login()) as admin:
            await admin.drop_acls([lost])
            (row,) = [row for row in await scene.ops.lines("acl", "plan") if row["change"] == "add"]
            assert (row["principal"], row["operation"], row["name"]) == ("backend", "READ", "project.events")
            await scene.ops.call("acl", "apply", *BY)
            assert frozenset(acls((*TRUSTS, NEW_TRUST))) <= await admin.acls()
        assert [row for row in await scene.ops.lines("acl", "plan") if row["change"] != "extra"] == []
        assert await scene.acts("apply_acls") == [ActIntended.type, ActDone.type] * 2

    async def test_rules_made_by_hand_of_kinds_that_we_never_use_are_shown_as_extra(self, scene: Scene) -> None:
        by_hand = [Acl("mallory", "ALL", "TOPIC", "project.", prefixed=True),
                   Acl("mallory", "ALTER", "CLUSTER", "kafka-cluster", denied=True)]  # fmt: skip
        async with administrator(scene.broker.login()) as admin:
            await admin.ensure_acls(by_hand)
            extra = [row for row in await scene.ops.lines("acl", "plan") if row["principal"] == "mallory"]
            await admin.drop_acls(by_hand)
            assert not set(by_hand) & await admin.acls()
        assert [(row["operation"], row["resource"], row["name"]) for row in extra] == [
            ("ALL", "TOPIC", "project.*"),
            ("deny ALTER", "CLUSTER", "kafka-cluster"),
        ]

    async def test_without_yes_nothing_changes_and_without_a_reason_nothing_is_done(self, scene: Scene) -> None:
        dry = await scene.ops.call("acl", "apply")
        assert "Nothing was changed" in dry.stdout
        refused = await scene.ops.call("acl", "apply", "--yes", exit_code=2)
        assert "--why" in refused.stderr


class TestLag:
    async def test_a_group_is_behind_by_records_and_by_seconds_until_it_has_read(self, scene: Scene) -> None:
        topic, group = trust_topics("amber")[0].name, f"inquiry-{new_id()}"
        place = TopicPartition(topic, 0)
        started = datetime.now(UTC)
        await send(scene.producer, [raw(EndRun(trust_id="amber", run_id=f"r{number}")) for number in range(3)])
        async with AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **scene.broker.credentials()) as consumer:
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            await consumer.commit({place: end - 3})
            (behind,) = await scene.ops.lines("lag", "--group", group)
            await consumer.commit({place: end})
            assert await scene.ops.lines("lag", "--group", group) == []
        assert (behind["topic"], behind["partition"], behind["records"]) == (topic, 0, 3)
        assert 0 <= behind["seconds"] <= (datetime.now(UTC) - started).total_seconds() + 1

    async def test_a_node_that_never_came_is_behind_on_everything_that_waits_for_it(self, scene: Scene) -> None:
        await send(scene.producer, [raw(EndRun(trust_id=NEW_TRUST, run_id="r1"))])
        (behind,) = await scene.ops.lines("lag", "--group", f"trust-{NEW_TRUST}")
        assert (behind["records"], behind["position"], behind["members"]) == (1, 0, 0)


class TestReplay:
    async def test_a_projects_events_are_copied_to_a_private_topic_with_key_bytes_and_id(self, scene: Scene) -> None:
        wanted, other = (raw(ProjectActivated(project_id=f"p-{new_id()}")) for _ in range(2))
        await send(scene.producer, [wanted, other])
        asked = ("replay", "project.events", "--key", (wanted.key or b"").decode(), "--since", "1h")
        assert await scene.ops.lines(*asked) == [{"records": 1, "topic": None}]
        name = f"inquiry-{new_id()}"
        (done,) = await scene.ops.lines(*asked, "--name", name, *BY)
        (seen,) = await scene.ops.lines("tail", "--topic", done["topic"])
        assert (seen["key"], seen["id"], seen["fault"]) == ((wanted.key or b"").decode(), wanted.id, None)
        assert await scene.acts("replay") == [ActIntended.type, ActDone.type]
        taken = await scene.ops.call(*asked, "--name", name, *BY, exit_code=2)
        assert "choose another name" in taken.stderr
        elsewhere = await scene.ops.lines("trace", wanted.id)
        assert [line["topic"] for line in elsewhere] == ["project.events"]

    @pytest.mark.parametrize(("consumer", "remedy"), [("project", "dlq redrive"), ("gateway", "ops rebuild")])
    async def test_no_consumer_is_replayed_to(self, scene: Scene, consumer: str, remedy: str) -> None:
        refused = await scene.ops.call("replay", "project.events", "--to", consumer, *BY, exit_code=2)
        assert remedy in " ".join(refused.stderr.split())


class TestObjects:
    async def test_what_an_event_names_stays_and_old_leftovers_go(self, scene: Scene) -> None:
        named, leftover, fresh = (f"runs/{new_id()}/model" for _ in range(3))
        for prefix in (named, leftover, fresh):
            _store(scene.objects, prefix)
        for prefix in (named, leftover):
            _age(scene.objects / prefix, timedelta(days=30))
        await scene.producer.send_and_wait(
            "training.events", json.dumps({"model": {"prefix": named, "parts": []}}).encode()
        )
        assert [one["prefix"] for one in await scene.ops.lines("objects", "sweep")] == [leftover]
        assert await scene.ops.lines("objects", "sweep", *BY) == [{"removed": 1, "bytes": 6}]
        assert await scene.ops.lines("objects", "sweep") == []
        left = {
            path.parent.relative_to(scene.objects).as_posix() for path in scene.objects.rglob("*") if path.is_file()
        }
        assert left == {named, fresh}
        assert await scene.acts("sweep_objects") == [ActIntended.type, ActDone.type]


def _store(root: Path, prefix: str) -> None:
    (root / prefix).mkdir(parents=True)
    for index in range(2):
        (root / prefix / f"{index:05d}").write_bytes(b"abc")


def _age(folder: Path, by: timedelta) -> None:
    then = (datetime.now(UTC) - by).timestamp()
    for part in folder.iterdir():
        os.utime(part, (then, then))


async def _live(admin: TopicAdmin, name: str):
    return next(topic for topic in await admin.topics() if topic.name == name)
