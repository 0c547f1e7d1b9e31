"""A primary of its own with the warehouse of synthetic people, and hot standbys that stream from it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import asyncpg

from infra.parts.part import free_port, log_of, running, start, stop, wait_or_die
from infra.parts.postgres import Postgres
from tests.conftest import Database
from tests.integration.eventually import until
from tests.integration.omop_ground import OmopGround, furnished

COMMIT = "select pg_logical_emit_message(true, 'test', '')"
WRITTEN = "select pg_current_wal_flush_lsn()"
SINCE_COMMIT = "select extract(epoch from now() - pg_last_xact_replay_timestamp())::float8"
NOWHERE = "host=127.0.0.1 port=9 user=postgres"


@dataclass(slots=True)
class Standby:
    """A hot standby that can be set, cut off, held back, stopped and started."""

    part: Postgres
    process: Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.process = start(self.part)
        wait_or_die(self.part, self.process)

    def stop(self) -> None:
        stop(self.process, self.part.stop_signal)

    def set(self, **settings: str) -> None:
        """Change what needs no restart."""
        self.part.execute("".join(f"alter system set {name} = '{value}';\n" for name, value in settings.items()))
        self.part.execute("select pg_reload_conf()")

    def reset(self) -> None:
        """Stream and replay again as at the start."""
        self.part.prepare()
        self.set(wal_retrieve_retry_interval="100ms")
        self.part.execute("select pg_wal_replay_resume()")

    async def ask(self, sql: str) -> Any:
        """Return one value, by the superuser."""
        connection = await asyncpg.connect(self.part.dsn("postgres"))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    @property
    def log(self) -> str:
        return log_of(self.part).read_text()


@dataclass(frozen=True, slots=True)
class Pair:
    """`ground`: the warehouse on the primary."""

    primary: Postgres
    standby: Standby
    ground: OmopGround

    def copy(self, dsn: str) -> str:
        """Return the same address on the standby."""
        return dsn.replace(f":{self.primary.port}/", f":{self.standby.part.port}/")

    async def replayed(self) -> None:
        """Wait until the standby shows what the primary has written so far, committed or not."""
        self.primary.execute(COMMIT)
        written = self.primary.execute(WRITTEN)
        await until(lambda: self.standby.ask(f"select pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"))

    async def streams(self) -> None:
        await until(lambda: self.standby.ask("select exists (select from pg_stat_wal_receiver)"))


@contextmanager
def pair_in(folder: Path) -> Iterator[Pair]:
    """The reader's role, rights and views are made on the primary once the standby streams."""
    with (
        running(Postgres(folder / "primary", free_port(), secrets.token_hex(8), "primary")) as primary,
        standby_of(primary, folder / "standby") as standby,
    ):
        yield Pair(primary, standby, furnished(Database(primary)))


@contextmanager
def standby_of(primary: Postgres, folder: Path) -> Iterator[Standby]:
    standby = Standby(Postgres(folder, free_port(), primary.password, "standby"))
    standby.part.follow(primary)
    standby.part.prepare()
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()
