"""From a commit at one participant to the committed effect at the next: quiet, and beside much else."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any

from aiokafka import AIOKafkaProducer
from rich.console import Console

from tests.bench.findings import Finding, load_now
from tests.bench.ground import Ground, ground
from tests.bench.ledger.messages import AUDITOR, NAME, RULES, TOPICS, WRITER
from tests.bench.ping import percentile
from tests.bench.prefill import posted
from tests.bench.results import Result
from tests.bench.saying import say
from tests.integration.process import our_process

SECONDS = 12.0
WARM_S = 2.0
A_SECOND = 200
BACKGROUND = 2_000
AIMS_MS = {50: 10.0, 99: 50.0}
ALL_WITHIN_S = 60.0


def measure(_console: Console) -> Result:
    with ground() as ground_:
        return Result(tuple(asyncio.run(_hops(ground_))))


async def _hops(ground: Ground) -> list[Finding]:
    await ground.broker.provision(TOPICS, RULES, [NAME, AUDITOR])
    async with AsyncExitStack() as stack:
        said = ground.database.fresh_database(NAME)
        heard = ground.database.fresh_database(AUDITOR)
        for module, name, database in (("ledger", NAME, said), ("ledger.auditor", AUDITOR, heard)):
            process = our_process(f"tests.bench.{module}", name, ground.broker, database, ground.folder)
            await stack.enter_async_context(process)
        ends = (await ground.look_into(said), await ground.look_into(heard))
        async with AIOKafkaProducer(**ground.broker.credentials()) as producer:
            quiet = await _measured(producer, ends, f"hop, commit to committed effect, {A_SECOND}/s", 0)
            busy = await _measured(producer, ends, f"… under {BACKGROUND:,}/s on the same participants", BACKGROUND)
    return [*quiet, *busy]


async def _measured(producer: AIOKafkaProducer, ends: Sequence[Any], what: str, background: int) -> list[Finding]:
    load = load_now()
    others = asyncio.create_task(_say(producer, background)) if background else None
    ids = (await _say(producer, A_SECOND))[int(WARM_S * A_SECOND) :]
    if others:
        await others
    seconds = await _hop_seconds(ends, ids)
    return [
        Finding(f"{what}, p{which}", percentile(seconds, which) * 1000, "ms", aim, load=load)
        for which, aim in AIMS_MS.items()
    ]


async def _say(producer: AIOKafkaProducer, a_second: int) -> list[str]:
    """Send events evenly; return their ids."""
    began, ids = perf_counter(), []
    for number, message in enumerate(posted(int(SECONDS * a_second))):
        ids.append((await say(producer, WRITER, message)).id)
        ahead = began + number / a_second - perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
    return ids


async def _hop_seconds(ends: Sequence[Any], ids: Sequence[str]) -> tuple[float, ...]:
    said, heard = ends
    async with asyncio.timeout(ALL_WITHIN_S):
        arrived = "select count(*) from heard where id = any($1)"
        while await heard.fetchval(arrived, ids) < len(ids):  # noqa: ASYNC110  of another process
            await asyncio.sleep(0.1)
    began = await said.fetch("select event_id, pg_xact_commit_timestamp(xmin) from inbox where event_id = any($1)", ids)
    ended = dict(await heard.fetch("select id, pg_xact_commit_timestamp(xmin) from heard"))
    return tuple((ended[id_] - at).total_seconds() for id_, at in began)
