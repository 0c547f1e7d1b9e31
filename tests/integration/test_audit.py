"""Accounts of the hub and of a trust, tampered with in every way that their owners could, and found by an operator."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from bus.proof.audit import BEFORE_THE_FIRST, linked, read_account
from bus.uow import new_id
from schemas.message import Message
from schemas.project import AddMember, CreateProject
from schemas.trust import CountCohort
from tests.conftest import Broker, Database
from tests.integration.operators import OpsDesk, ops_desk
from tests.integration.process import our_process
from tests.integration.records import raw, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

NODE = "trust-amber"
TOUCHED = 7
WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Side:
    """One participant's database, as its owner has it."""

    name: str
    url: str
    connection: Any

    async def until(self, query: str, *args: object) -> Any:
        async with asyncio.timeout(WITHIN_S):
            while not (found := await self.connection.fetchval(query, *args)):  # noqa: ASYNC110  of another process
                await asyncio.sleep(0.02)
            return found


@dataclass(frozen=True, slots=True)
class World:
    sides: dict[str, Side]
    desk: OpsDesk
    producer: AIOKafkaProducer

    async def say(self, *messages: Message) -> None:
        await send(self.producer, [raw(message) for message in messages])

    async def findings(self, *, exit_code: int = 0) -> list[tuple[str, str]]:
        """What an operator is told: participant and code."""
        urls = [word for side in self.sides.values() for word in ("--database", side.url)]
        told = await self.desk.call("audit", "verify", "--json", *urls, exit_code=exit_code)
        lines = [json.loads(line) for line in told.stdout.splitlines()]
        return [(line["participant"], line["code"]) for line in lines if "code" in line]


@asynccontextmanager
async def participant(
    module: str, name: str, kafka: Broker, postgres: Database, folder: Path, **more: str
) -> AsyncIterator[Side]:
    url = postgres.fresh_database(name.replace("-", "_"))
    async with our_process(module, name, kafka, url, folder, **more):
        connection = await asyncpg.connect(url)
        try:
            yield Side(name, url, connection)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def world(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("audit")
    await kafka.provision_federation()
    node = {"TRUSTFLOW_TRUST_ID": "amber", "TRUSTFLOW_SIGNING_KEY_FILE": str(kafka.signing_key_file("amber"))}
    async with AsyncExitStack() as stack:
        sides = await asyncio.gather(
            stack.enter_async_context(participant("services.project", "project", kafka, postgres, folder)),
            stack.enter_async_context(participant("services.cohort", "cohort", kafka, postgres, folder)),
            stack.enter_async_context(
                participant("tests.integration.quiet_node", NODE, kafka, postgres, folder, **node)
            ),
        )
        producer = await stack.enter_async_context(AIOKafkaProducer(**kafka.credentials()))
        here = World({side.name: side for side in sides}, ops_desk(kafka, folder), producer)
        await _work(here)
        await _seal(here)
        yield here


async def _work(world: World) -> None:
    """Something to give account of: commands accepted and rejected, orders taken, answers said."""
    projects = [new_id() for _ in range(4)]
    await world.say(*(CreateProject(actor="ada", project_id=project, name="Knees") for project in projects))
    await world.say(AddMember(actor="eve", project_id=projects[0], member="eve"))
    orders = [CountCohort(trust_id="amber", query_id=new_id(), project_id="p1", sql="select 1") for _ in range(3)]
    await world.say(*orders)
    await world.sides["project"].until("select count(*) >= 5 from audit")
    await world.sides[NODE].until("select count(*) >= 6 from audit where actor in ('/cohort', '/trust-amber')")


async def _seal(world: World) -> None:
    """Let the minute pass until heads are said, and wait until the others have them."""
    for name in ("project", NODE):
        side = world.sides[name]
        await side.connection.execute("update job set run_at = now() where lane = 'audit'")
        head = await side.until("select hash from audit_head")
        await world.sides["cohort"].until(
            "select exists (select from audit_witness where participant = $1 and hash = $2)", name, head
        )


async def test_every_decision_is_told_with_who_asked_and_what_became_of_it(world: World) -> None:
    told = "select count(*) from audit where actor = $1 and action = $2 and outcome like $3"
    project, node = world.sides["project"].connection, world.sides[NODE].connection
    assert await project.fetchval(told, "ada", CreateProject.type, "accepted") == 4
    assert await project.fetchval(told, "eve", AddMember.type, "rejected:%") == 1
    assert await node.fetchval(told, "/cohort", CountCohort.type, "taken") == 3
    assert await node.fetchval(told, "/trust-amber", "trustflow.trust.cohort_counted.v1", "said") == 3
    assert await node.fetchval("select count(*) from audit where action like '%head_sealed%'") == 0


async def test_what_nobody_has_touched_has_no_findings(world: World) -> None:
    assert await world.findings() == []
    assert await world.sides["cohort"].connection.fetchval("select count(*) from audit_witness") >= 2


async def change(side: Side) -> None:
    await side.connection.execute("update audit set actor = 'mallory' where seq = 2")


async def delete(side: Side) -> None:
    await side.connection.execute("delete from audit where seq = 2")


async def cut_off(side: Side) -> None:
    """The tail, and the head set back: the account is whole in itself."""
    await side.connection.execute("delete from audit where seq > 2")
    await side.connection.execute("update audit_head set seq = 2, hash = (select hash from audit where seq = 2)")


async def rewrite(side: Side) -> None:
    """One entry, and the whole chain anew behind it."""
    account = await read_account(side.url)
    told = [replace(link.entry, actor="mallory") if link.seq == 2 else link.entry for link in account.entries]
    chain = list(linked(told, 0, BEFORE_THE_FIRST))
    rows = [(link.seq, link.entry.actor, link.previous, link.hash) for link in chain]
    await side.connection.executemany("update audit set actor = $2, previous = $3, hash = $4 where seq = $1", rows)
    await side.connection.execute("update audit_head set hash = $1", chain[-1].hash)


@asynccontextmanager
async def restored(side: Side) -> AsyncIterator[None]:
    """Everything as it was, afterwards."""
    for table in ("audit", "audit_head", "audit_witness"):
        await side.connection.execute(f"create table kept_{table} as table {table}")
    try:
        yield
    finally:
        for table in ("audit", "audit_head", "audit_witness"):
            await side.connection.execute(f"delete from {table}")
            await side.connection.execute(f"insert into {table} select * from kept_{table}")
            await side.connection.execute(f"drop table kept_{table}")


@pytest.mark.parametrize("name", ["project", NODE])
@pytest.mark.parametrize(
    ("tamper", "code"), [(change, "changed"), (delete, "deleted"), (cut_off, "truncated"), (rewrite, "rewritten")]
)
async def test_tampering_is_found_on_either_side(
    world: World, name: str, tamper: Callable[[Side], Awaitable[None]], code: str
) -> None:
    side = world.sides[name]
    async with restored(side):
        await tamper(side)
        assert set(await world.findings(exit_code=TOUCHED)) == {(name, code)}
    assert await world.findings() == []


async def test_who_rewrites_the_memory_of_another_is_found_too(world: World) -> None:
    side = world.sides["cohort"]
    async with restored(side):
        await side.connection.execute("update audit_witness set hash = repeat('0', 64) where participant = 'project'")
        assert set(await world.findings(exit_code=TOUCHED)) == {("project", "witness")}


async def test_a_person_reads_where_and_what_to_do(world: World) -> None:
    side = world.sides["project"]
    async with restored(side):
        await delete(side)
        told = await world.desk.call("audit", "verify", "--database", side.url, exit_code=TOUCHED)
    assert "deleted at entry 2" in told.output
    assert "entry 2 is gone: restore this database from a backup" in told.output


async def test_a_database_without_an_account_is_named_without_its_password(world: World, postgres: Database) -> None:
    url = postgres.fresh_database("nobody")
    told = await world.desk.call("audit", "verify", "--database", url, exit_code=5)
    assert "/nobody_" in told.output
    assert url.partition("@")[0].rpartition(":")[2] not in told.output
