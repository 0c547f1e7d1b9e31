"""A projector's own promises, with a view that would show every event folded twice, lost, or out of turn."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bus.answers import Answers
from bus.database import migrate, open_pool
from bus.decode import StoredRecord
from bus.inbox import PATIENCE
from bus.router import Router
from bus.views import generations
from bus.views.projection import Projector
from schemas.cohort import CohortFrozen
from schemas.message import Message
from schemas.project import MemberAdded
from schemas.views import View, ViewDefinition
from tests.conftest import Database
from tests.integration.eventually import until
from tests.integration.records import raw

pytestmark = pytest.mark.integration

DIGEST = "a" * 64


class Told(View):
    """Not idempotent, as no real view is: that is what makes it a witness."""

    members: tuple[str, ...] = ()
    cohorts: int = 0


def fold_told(row: Told | None, event: Message) -> Told | None:
    row = row or Told()
    match event:
        case MemberAdded(member="bug"):
            raise LookupError("a bug in the fold")
        case MemberAdded(member="slow"):
            raise TimeoutError
        case MemberAdded():
            return row.model_copy(update={"members": (*row.members, event.member)})
        case CohortFrozen():
            return row.model_copy(update={"cohorts": row.cohorts + 1})
        case _:
            return row


TOLD = ViewDefinition("told", Told, fold_told, (MemberAdded, CohortFrozen))


def projector() -> Projector:
    return Projector("gateway", Router(), Answers("gateway"), views=(TOLD,))


def records(*messages: Message, partition: int = 0, first: int = 0) -> list[StoredRecord]:
    said = [raw(message) for message in messages]
    return [
        StoredRecord(one.topic, partition, first + place, 0, one.key, one.value, one.headers)
        for place, one in enumerate(said)
    ]


def members(*names: str) -> list[Message]:
    return [MemberAdded(project_id="p", member=name) for name in names]


def frozen(times: int) -> list[Message]:
    return [CohortFrozen(project_id="p", query_id="q", trust_id="amber", digest=DIGEST)] * times


@dataclass(frozen=True, slots=True)
class Views:
    pool: Any

    async def row(self) -> Told:
        return Told.model_validate(await self.pool.fetchval("select state from told where id = 'p'"))


@pytest.fixture
async def views(postgres: Database) -> AsyncIterator[Views]:
    pool = await open_pool(postgres.fresh_database("projector"))
    await migrate(pool)
    async with pool.acquire() as connection, connection.transaction():
        await generations.prepare(connection, (TOLD,))
    yield Views(pool)
    await pool.close()


async def test_what_was_folded_is_not_folded_again(views: Views) -> None:
    said = records(*members("ann", "bea", "cat"))
    await projector().apply(views.pool, said[:2])
    await projector().apply(views.pool, said)
    assert (await views.row()).members == ("ann", "bea", "cat")
    assert await views.pool.fetchval("select count(*) from inbox") == 0


async def test_a_new_partition_that_changes_hands_at_once_is_folded_once(views: Views) -> None:
    said = records(*members("ann", "bea"))
    await asyncio.gather(*(projector().apply(views.pool, said) for _ in range(4)))
    assert (await views.row()).members == ("ann", "bea")


async def test_two_processes_that_fold_into_one_row_lose_nothing(views: Views) -> None:
    async def fold(messages: list[Message]) -> None:
        process = projector()
        for record in records(*messages):
            await process.apply(views.pool, [record])

    await asyncio.gather(fold(members(*map(str, range(40)))), fold(frozen(40)))
    row = await views.row()
    assert (len(row.members), row.cohorts) == (40, 40)


async def test_a_batch_that_waits_for_a_switch_is_folded_into_the_new_generation(views: Views) -> None:
    process, said = projector(), records(*members("ann", "bea"))
    await process.apply(views.pool, said[:1])
    async with views.pool.acquire() as switching:
        async with switching.transaction():
            await generations.freeze(switching)
            made = await generations.begin(switching, "told")
            await switching.execute("insert into view_told_2 select * from view_told_1")
            await generations.make_live(switching, made)
            folding = asyncio.create_task(process.apply(views.pool, said))
            await until(lambda: switching.fetchval("select exists(select from pg_locks where not granted)"))
        await folding
    assert (await views.row()).members == ("ann", "bea")
    assert await views.pool.fetchval("select state->'members' from view_told_1") == ["ann"]


async def test_an_event_that_the_fold_breaks_on_is_put_aside_and_the_others_are_folded(views: Views) -> None:
    process, said = projector(), records(*members("ann", "bug", "cat"))
    tries = [await process.apply(views.pool, said) for _ in range(PATIENCE)]
    assert [(one.stuck, one.next_offset) for one in tries] == [(True, 1)] * (PATIENCE - 1) + [(False, 3)]
    assert (await views.row()).members == ("ann", "cat")
    assert await views.pool.fetch("select topic, value from outbox") == [("dlq.gateway", said[1].value)]


async def test_no_key_steps_aside_while_the_database_is_in_trouble(views: Views) -> None:
    process, said = projector(), records(*members("ann", "slow", "cat"))
    tries = [await process.apply(views.pool, said) for _ in range(2 * PATIENCE)]
    assert {(one.stuck, one.next_offset) for one in tries} == {(True, 1)}
    assert (await views.row()).members == ("ann",)
    assert await views.pool.fetchval("select count(*) from deferred") == 0


async def test_what_it_cannot_read_is_put_aside_and_changes_no_view(views: Views) -> None:
    good, bad = records(*members("ann", "bea"))
    bad.value = b"{"
    await projector().apply(views.pool, [good, bad])
    assert (await views.row()).members == ("ann",)
    assert await views.pool.fetchval("select topic from outbox") == "dlq.gateway"


async def test_a_view_that_a_release_brings_begins_empty_and_the_others_stay(views: Views) -> None:
    await projector().apply(views.pool, records(*members("ann")))
    added = ViewDefinition("added", Told, fold_told, TOLD.events)
    async with views.pool.acquire() as connection, connection.transaction():
        await generations.prepare(connection, (TOLD, added))
        assert await generations.live(connection) == {"told": 1, "added": 1}
    assert (await views.row()).members == ("ann",)
    assert await views.pool.fetchval("select count(*) from added") == 0


async def test_the_live_generation_cannot_be_dropped(views: Views) -> None:
    async with views.pool.acquire() as connection:
        (live,) = await generations.generations(connection, "told")
        with pytest.raises(ValueError, match="view_told_1 is live"):
            await generations.drop(connection, live)
