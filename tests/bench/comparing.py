"""A new set against 10,000 that were asked before, on the node's own PostgreSQL; the peer compares every pair."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from pyroaring import BitMap64
from rich.console import Console

from bus.database import migrate, open_pool
from infra.federation import ROOT
from infra.parts.part import free_port, running
from infra.parts.postgres import Postgres
from tests.bench.findings import Finding, load_now
from tests.bench.results import Result
from trust_node.cohort.release import Asked, Population, ReleasePolicy, Releasing
from trust_node.cohort.release.deciding import Answer
from trust_node.cohort.release.store import Rows

PERSONS = 1_000_000
STORED = 10_000
CELLS = 200
AIM_MS = 50.0
TIMES = 7
KEY = b"k" * 32
NOW = datetime(2026, 11, 2, tzinfo=UTC)
POLICY = ReleasePolicy(user_daily=10**6, project_daily=10**6, project_limit=10**6)


def measure(console: Console) -> Result:
    """Sets of 10,000 to 100,000 of a million persons."""
    return asyncio.run(_measure(console))


async def _measure(console: Console) -> Result:
    draw = np.random.default_rng(1)
    async with _database() as pool:
        console.print(f"storing {STORED} sets")
        stored = await _store(pool, draw)
        number = await _median_ms([_set(draw) for _ in range(TIMES)], pool, "number")
        table = await _median_ms([_cells(draw) for _ in range(3)], pool, "table")
    asked = _set(draw)
    began = perf_counter()
    _ = min(asked.symmetric_difference_cardinality(one) for one in stored)
    bare = (perf_counter() - began) * 1000
    peer = "every pair of bitmaps, already in memory"
    return Result(
        (
            Finding(f"compare a set with {STORED:,} asked before", number, "ms", AIM_MS, bare, peer, load_now()),
            Finding(f"a table of {CELLS} cells, the same", table, "ms", 1000.0, bare * CELLS, peer, load_now()),
        )
    )


async def _median_ms(questions: list[Any], pool: Any, kind: str) -> float:
    taken = []
    for question in questions:
        async with pool.acquire() as connection, connection.transaction():
            population = Population(_everyone, KEY)
            await population.at(NOW)
            releasing = Releasing(connection, POLICY, KEY, population, project_id="p", user_id="u", now=NOW)
            began = perf_counter()
            await getattr(releasing, kind)(question)
            taken.append((perf_counter() - began) * 1000)
    return median(taken)


async def _store(pool: Any, draw: np.random.Generator) -> list[BitMap64]:
    sets = [_set(draw) for _ in range(STORED)]
    async with pool.acquire() as connection:
        rows = Rows(connection, "p", "u")
        for start in range(0, STORED, 500):
            asked = [Asked.of(one, KEY) for one in sets[start : start + 500]]
            await rows.keep([Answer(one, one.size, one.size, 20.0) for one in asked])
        await connection.execute("analyze asked_set")
    return sets


def _set(draw: np.random.Generator) -> BitMap64:
    """Blocks of neighbours, as hospitals number their persons, and some strewn."""
    size = int(draw.integers(10_000, 100_000))
    start = int(draw.integers(0, PERSONS - size))
    return BitMap64(range(start, start + size - 2000)) | BitMap64(draw.integers(0, PERSONS, 2000).tolist())


def _cells(draw: np.random.Generator) -> dict[tuple[int, int], BitMap64]:
    start = int(draw.integers(0, 100_000))
    starts = {divmod(cell, 20): start + 3000 * cell for cell in range(CELLS)}
    return {key: BitMap64(range(first, first + 2900)) for key, first in starts.items()}


async def _everyone() -> BitMap64:
    return BitMap64(range(PERSONS))


@asynccontextmanager
async def _database() -> AsyncIterator[Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Postgres(Path(folder) / "postgres", free_port(), secrets.token_hex(8))) as part,
    ):
        pool = await open_pool(part.dsn("postgres"))
        await migrate(pool, ROOT / "trust_node" / "migrations")
        yield pool
        await pool.close()
