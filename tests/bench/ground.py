"""A broker and a database with nothing on them: where the backbone is measured alone."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from infra.federation import ROOT
from infra.parts.kafka import Kafka
from infra.parts.part import free_port, running
from infra.parts.postgres import Postgres
from schemas.topics import ADMINISTRATOR
from tests.conftest import Broker, Database

BUILD = ROOT / "build"


@dataclass(frozen=True, slots=True)
class Ground:
    broker: Broker
    database: Database
    folder: Path

    async def look_into(self, database: str) -> asyncpg.Connection:
        """Look at a participant's database from outside."""
        return await asyncpg.connect(self.database.dsn(database.rpartition("/")[2]))


class TimedPostgres(Postgres):
    """It remembers when each transaction was committed."""

    __slots__ = ()

    @property
    def command(self) -> list[str]:
        return [*super().command, "-c", "track_commit_timestamp=on"]


@contextmanager
def ground() -> Iterator[Ground]:
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-ground-", dir=BUILD) as name:
        folder, passwords = Path(name), {ADMINISTRATOR: secrets.token_hex(8)}
        kafka = Kafka(folder / "kafka", free_port(), free_port(), dict(passwords))
        postgres = TimedPostgres(folder / "postgres", free_port(), secrets.token_hex(8))
        with running(kafka), running(postgres):
            secrets_folder = folder / "secrets"
            secrets_folder.mkdir()
            yield Ground(Broker(kafka, passwords, secrets_folder), Database(postgres), folder)
