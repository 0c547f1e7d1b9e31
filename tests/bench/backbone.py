"""Events a second through inbox, state and outbox of one process, beside what others do with the same topic."""

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
from rich.console import Console

from bus.login import Login
from schemas.topics import ADMINISTRATOR
from tests.bench.findings import Finding, load_now
from tests.bench.ground import Ground, ground
from tests.bench.ledger.messages import NAME, RULES, TOPICS
from tests.bench.peers import Peer, Task, events_a_second
from tests.bench.prefill import fill
from tests.bench.results import Result
from tests.integration.process import our_process

EVENTS = 100_000
NAIVE_EVENTS = 2_000
RUNS = 3
AIM = 10_000
LOOK_S = 0.02


def measure(_console: Console) -> Result:
    with ground() as ground_:
        return Result(tuple(asyncio.run(_backbone(ground_))))


async def _backbone(ground: Ground) -> list[Finding]:
    await ground.broker.provision(TOPICS, RULES, [NAME])
    await fill(ground.broker, EVENTS)
    load = load_now()
    rates = [await _ours(ground) for _ in range(RUNS)]
    applied, said, alone = (median(column) for column in zip(*rates, strict=True))
    raw, faststream, naive = await asyncio.to_thread(_peers, ground)
    what = f"inbox + state + outbox, one process, {EVENTS:,} events"
    return [
        Finding(what, applied, "/s", AIM, raw, "aiokafka getmany + validation, no guarantee", load),
        Finding("… until all that it says is on the broker", said, "/s", load=load),
        Finding("… a second of its own processor time, the relay's included", alone, "/s", load=load),
        Finding("… beside FastStream's typed subscriber", applied, "/s", None, faststream, "may lose events", load),
        Finding("… beside one transaction for each event", applied, "/s", None, naive, "same guarantees", load),
    ]


async def _ours(ground: Ground) -> tuple[float, float, float]:
    """Return events a second until all are applied, until all that was said is on the broker, and of processor time."""
    database = ground.database.fresh_database(NAME)
    look = await ground.look_into(database)
    async with our_process("tests.bench.ledger", NAME, ground.broker, database, ground.folder) as process:
        assert process.popen
        first, began = await _at_least(look, 1)
        own = processor_seconds(process.popen.pid)
        _, applied = await _at_least(look, EVENTS)
        said = await _when_silent(look)
        own = processor_seconds(process.popen.pid) - own
    await look.close()
    events = EVENTS - first
    return events / (applied - began), events / (said - began), events / own


def processor_seconds(process: int) -> float:
    """Return how long a process has run on a core, of its own and in the kernel for it."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def _at_least(look: asyncpg.Connection, events: int) -> tuple[int, float]:
    total = "select coalesce(sum(next_offset), 0)::int from position"
    while (done := await look.fetchval(total)) < events:  # noqa: ASYNC110  of another process
        await asyncio.sleep(LOOK_S)
    return done, perf_counter()


async def _when_silent(look: asyncpg.Connection) -> float:
    while await look.fetchval("select exists (select from outbox)"):  # noqa: ASYNC110  of another process
        await asyncio.sleep(LOOK_S)
    return perf_counter()


def _peers(ground: Ground) -> Iterable[float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        login = ground.broker.login(ADMINISTRATOR)
        return [
            _median(pool, "raw", EVENTS, login, ground),
            _median(pool, "faststream", EVENTS, login, ground),
            _median(pool, "naive", NAIVE_EVENTS, login, ground),
        ]


def _median(pool: Executor, peer: Peer, events: int, login: Login, ground: Ground) -> float:
    runs = 1 if peer == "naive" else RUNS
    tasks = [Task(events, login, ground.database.fresh_database("peer")) for _ in range(runs)]
    return median(pool.submit(events_a_second, peer, task).result() for task in tasks)
