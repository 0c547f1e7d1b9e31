"""Everything the storm rages over: a broker and a database of its own, and the chain's processes on them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bus.database import migrate, open_pool
from infra.parts.kafka import Kafka
from infra.parts.part import free_port
from infra.parts.postgres import Postgres
from schemas.topics import ADMINISTRATOR
from tests.chaos.members import Member, settings_of
from tests.chaos.messages import ALPHA, BETA, CHAIN, ROLES, RULES, TOPICS
from tests.chaos.participants import MIGRATIONS
from tests.chaos.parts import Breakable
from tests.chaos.proxy import Proxy
from tests.conftest import Broker, Database

SIZES = {ALPHA: 3}
"""Members of a role's group; one where nothing is said."""

FAR = BETA
"""Whose only line to the broker is the proxy."""


@dataclass(slots=True)
class Chain:
    """The participants, each role with its database; ``databases`` are open for looking into."""

    members: list[Member]
    databases: Mapping[str, Any]

    def of(self, name: str) -> Member:
        return next(member for member in self.members if member.name == name)


@dataclass(slots=True)
class World:
    broker: Broker
    kafka: Breakable
    postgres: Breakable
    line: Proxy
    chain: Chain


@asynccontextmanager
async def chain_on(
    broker: Broker, database: Database, folder: Path, sizes: Mapping[str, int] = SIZES, detour: str = ""
) -> AsyncIterator[Chain]:
    """Databases and members, none of them started; those that run at the end are killed.

    ``detour`` is the far one's own address of the broker.
    """
    urls = {role: database.fresh_database(role) for role in CHAIN}
    members = [
        Member(role, number, settings_of(role, number, broker, urls[role]), folder / f"{role}-{number}.log")
        for role in CHAIN
        for number in range(sizes.get(role, 1))
    ]
    if detour:
        far = next(member for member in members if member.role == FAR)
        far.env["TRUSTFLOW_KAFKA_BOOTSTRAP"] = detour
    pools = {role: await database_of(database, url) for role, url in urls.items()}
    try:
        yield Chain(members, pools)
    finally:
        for member in members:
            if member.process and member.process.is_alive():
                member.kill()
        await asyncio.gather(*(pool.close() for pool in pools.values()))


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        line = Proxy(port=free_port(), target_port=free_port())
        passwords = {name: secrets.token_hex(8) for name in (ADMINISTRATOR, *ROLES)}
        kafka = Kafka(folder / "kafka", free_port(), free_port(), dict(passwords), detour=(line.target_port, line.port))
        postgres = Postgres(folder / "postgres", free_port(), secrets.token_hex(8))
        parts = [await stack.enter_async_context(_kept(part)) for part in (kafka, postgres)]
        broker = Broker(kafka, passwords, folder)
        await broker.provision(TOPICS, RULES)
        await line.open()
        stack.push_async_callback(line.cut)
        chain = await stack.enter_async_context(
            chain_on(broker, Database(postgres), folder, detour=f"127.0.0.1:{line.port}")
        )
        yield World(broker, *parts, line, chain)


@asynccontextmanager
async def _kept(part: Kafka | Postgres) -> AsyncIterator[Breakable]:
    breakable = Breakable(part)
    await breakable.start()
    try:
        yield breakable
    finally:
        await breakable.stop(part.stop_signal)


async def database_of(database: Database, url: str) -> Any:
    """A pool to look into a participant's database; its tables are there, so that one may ask at any time."""
    pool = await open_pool(url, size=2)
    await migrate(pool, MIGRATIONS)
    await pool.close()
    return await asyncpg.create_pool(database.dsn(url.rpartition("/")[2]), min_size=0, max_size=3, command_timeout=30)
