"""The participant's own PostgreSQL database: a pool, and migrations that run once each, in order."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = Any  # asyncpg is untyped: a connection, or one lent by a pool
OWN_MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 7_310_001


async def _read_json_as_values(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _as_it_is(_connection: Connection) -> None:
    """Nothing here sets anything for a session: asyncpg's own clean-up costs a round trip each time."""


async def open_pool(url: str, *, size: int = 12) -> Any:
    return await asyncpg.create_pool(
        url, min_size=2, max_size=size, init=_read_json_as_values, reset=_as_it_is, command_timeout=60
    )


async def migrate(pool: Any, directory: Path | None = None) -> list[str]:
    """Apply what is missing, ours first, then the service's; returns the names applied now."""
    files = [*sorted(OWN_MIGRATIONS.glob("*.sql")), *sorted(directory.glob("*.sql") if directory else ())]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        await connection.execute(
            "create table if not exists migration (name text primary key, at timestamptz default now())"
        )
        done = {row["name"] for row in await connection.fetch("select name from migration")}
        missing = [file for file in files if f"{file.parent.parent.name}/{file.name}" not in done]
        for file in missing:
            await connection.execute(file.read_text())
            await connection.execute(
                "insert into migration (name) values ($1)", f"{file.parent.parent.name}/{file.name}"
            )
    return [file.name for file in missing]
