"""Messages a second from a full outbox to the broker, beside a plain producer of the same bytes."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

from aiokafka import AIOKafkaProducer
from rich.console import Console

from bus.database import migrate, open_pool
from bus.login import Login
from bus.proof.signing import Author
from bus.uow import UnitOfWork, flush
from schemas.envelope import to_headers
from schemas.topics import ADMINISTRATOR, Acl
from tests.bench import ledger
from tests.bench.findings import Finding, load_now
from tests.bench.ground import Ground, ground
from tests.bench.ledger.messages import AUDITOR, POSTED, RULES, TOPICS
from tests.bench.prefill import posted
from tests.bench.results import Result
from tests.bench.saying import enveloped
from tests.integration.process import our_process

MESSAGES = 100_000
AT_ONCE = 5_000
RUNS = 3
AIM = 20_000
LOOK_S = 0.02
MIGRATIONS = Path(ledger.__file__).parent / "migrations"


def measure(_console: Console) -> Result:
    with ground() as ground_:
        return Result((asyncio.run(_relay(ground_)),))


async def _relay(ground: Ground) -> Finding:
    await ground.broker.provision(TOPICS, [*RULES, Acl(AUDITOR, "WRITE", "TOPIC", POSTED.name)], [AUDITOR])
    load = load_now()
    ours = median([await _ours(ground) for _ in range(RUNS)])
    login = ground.broker.login(ADMINISTRATOR)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        bare = median(pool.submit(plainly, login).result() for _ in range(RUNS))
    what = f"relay of a full outbox, {MESSAGES:,} messages"
    return Finding(what, ours, "/s", AIM, bare, "aiokafka, idempotent, same bytes", load)


async def _ours(ground: Ground) -> float:
    database = ground.database.fresh_database(AUDITOR)
    await _fill_outbox(database)
    look = await ground.look_into(database)
    async with our_process("tests.bench.ledger.auditor", AUDITOR, ground.broker, database, ground.folder):
        waiting = "select count(*) from outbox"
        while (left := await look.fetchval(waiting)) == MESSAGES:  # noqa: ASYNC110  of another process
            await asyncio.sleep(LOOK_S)
        began = perf_counter()
        while await look.fetchval("select exists (select from outbox)"):  # noqa: ASYNC110  of another process
            await asyncio.sleep(LOOK_S)
    await look.close()
    return int(left) / (perf_counter() - began)


async def _fill_outbox(database: str) -> None:
    pool = await open_pool(database)
    await migrate(pool, MIGRATIONS)
    messages = posted(MESSAGES)
    while batch := list(islice(messages, AT_ONCE)):
        async with pool.acquire() as connection, connection.transaction():
            uow = UnitOfWork(connection, Author(AUDITOR), datetime.now(UTC))
            uow.emit(*batch)
            await flush(uow)
    await pool.close()


def plainly(login: Login) -> float:
    """Send the same bytes as any client would; returns messages a second."""
    return asyncio.run(_send_all(login))


async def _send_all(login: Login) -> float:
    records = [
        (message.topic, message.to_bytes(), message.key.encode(), to_headers(enveloped(message, AUDITOR)))
        for message in posted(MESSAGES)
    ]
    async with AIOKafkaProducer(acks="all", enable_idempotence=True, **login.options()) as producer:
        started = perf_counter()
        for topic, value, key, headers in records:
            await producer.send(topic, value, key=key, headers=headers)
        await producer.flush()
        return MESSAGES / (perf_counter() - started)
