"""What others do with the same topic: read it with fewer guarantees, or with all of them one event at a time."""

import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, Literal, NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer
from faststream import FastStream
from faststream.kafka import KafkaBroker
from faststream.security import SASLScram512

from bus.login import Login
from bus.uow import new_id
from schemas.envelope import from_headers
from tests.bench.ledger.messages import POSTED, Posted

Peer = Literal["raw", "faststream", "naive"]

NAIVE_TABLES = """
create table seen (event_id text primary key);
create table balance (account_id text primary key, events int not null, persons bigint not null);
create table said (said_id bigserial primary key, topic text, key text, value bytea)"""


class Task(NamedTuple):
    """Read this many events from the beginning, by this login; ``database`` is empty, for whoever needs one."""

    events: int
    login: Login
    database: str


def events_a_second(peer: Peer, task: Task) -> float:
    return asyncio.run(PEERS[peer](task))


async def _raw(task: Task) -> float:
    """Batches of 500, each payload validated, no guarantee at all."""
    async with AIOKafkaConsumer(POSTED.name, auto_offset_reset="earliest", **task.login.options()) as consumer:
        await consumer.seek_to_beginning()
        done, started = 0, perf_counter()
        while done < task.events:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=500)).values():
                for record in records:
                    Posted.model_validate_json(record.value)
                done += len(records)
        return done / (perf_counter() - started)


async def _faststream(task: Task) -> float:
    """A typed subscriber as its documentation shows it: events may be lost."""
    login = task.login
    broker = KafkaBroker(login.bootstrap, security=SASLScram512(login.principal, login.password), log_level=10)
    app, moments = FastStream(broker), list[float]()

    @broker.subscriber(POSTED.name, group_id=f"ledger-peer-{new_id()}", auto_offset_reset="earliest")
    async def on_posted(_event: Posted) -> None:
        moments.append(perf_counter())
        if len(moments) == task.events:
            app.exit()

    await app.run(log_level=30)
    return task.events / (moments[-1] - moments[0])


async def _naive(task: Task) -> float:
    """Inbox, state and outbox in one transaction for each event."""
    connection = await asyncpg.connect(task.database)
    await connection.execute(NAIVE_TABLES)
    async with AIOKafkaConsumer(POSTED.name, auto_offset_reset="earliest", **task.login.options()) as consumer:
        await consumer.seek_to_beginning()
        started = perf_counter()
        for _ in range(task.events):
            await _apply_one(connection, await consumer.getone())
        return task.events / (perf_counter() - started)


async def _apply_one(connection: Any, record: Any) -> None:
    envelope, event = from_headers(record.headers), Posted.model_validate_json(record.value)
    async with connection.transaction():
        await connection.execute("insert into seen values ($1) on conflict do nothing", envelope.id)
        await connection.execute(
            """insert into balance values ($1, 1, $2) on conflict (account_id)
               do update set events = balance.events + 1, persons = balance.persons + excluded.persons""",
            event.account_id,
            sum(line.persons for line in event.lines),
        )
        await connection.execute(
            "insert into said (topic, key, value) values ($1, $2, $3)", "ledger.booked", event.account_id, b"{}"
        )


PEERS: dict[Peer, Callable[[Task], Coroutine[Any, Any, float]]] = {
    "raw": _raw,
    "faststream": _faststream,
    "naive": _naive,
}
