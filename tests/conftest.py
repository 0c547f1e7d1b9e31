"""Real parts for tests: one of each for the whole session, started when the first test asks for it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from bus.admin.broker_admin import administrator
from bus.login import Login
from bus.proof.signing import Author, Signer, TrustKeys
from infra.parts.kafka import Kafka
from infra.parts.nginx import Nginx
from infra.parts.orthanc import Orthanc
from infra.parts.part import free_port, running
from infra.parts.postgres import Postgres
from infra.parts.xnat import Xnat
from schemas.topics import (
    ADMINISTRATOR,
    BACKEND,
    OPERATOR,
    Acl,
    Topic,
    acls,
    all_topics,
    principals,
    speaking_trust,
    writers,
)

TRUSTS = ("amber", "birch")


@dataclass(frozen=True, slots=True)
class Database:
    """A running cluster; `create_database` gives a role of the same name that owns the database."""

    part: Postgres

    @property
    def port(self) -> int:
        return self.part.port

    def dsn(self, database: str = "postgres") -> str:
        return self.part.dsn(database)

    def create_database(self, name: str) -> str:
        password = secrets.token_hex(8)
        self.part.ensure_role(name, password)
        self.part.ensure_database(name, owner=name)
        return self.part.dsn(name, name, password)

    def fresh_database(self, prefix: str = "test") -> str:
        return self.create_database(f"{prefix}_{secrets.token_hex(4)}")


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker. Its principals are those of `schemas.topics.principals(TRUSTS)` and whom `users` adds."""

    part: Kafka
    passwords: dict[str, str]
    secrets_folder: Path

    @property
    def bootstrap(self) -> str:
        return self.part.bootstrap

    def login(self, principal: str = ADMINISTRATOR) -> Login:
        return Login(self.bootstrap, principal, self.passwords[principal])

    def credentials(self, principal: str = ADMINISTRATOR) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client; the default may do everything."""
        return self.login(principal).options()

    def password_file(self, principal: str) -> Path:
        file = self.secrets_folder / principal
        file.write_text(self.passwords[principal])
        return file

    @property
    def trust_keys(self) -> Path:
        """The folder of public keys that hub services are given."""
        folder = self.secrets_folder / "trust-keys"
        folder.mkdir(exist_ok=True)
        return folder

    def signing_key_file(self, trust: str) -> Path:
        """The trust's own key; the hub knows it from now on."""
        file = self.secrets_folder / f"signing-key-{trust}.pem"
        TrustKeys(self.trust_keys).admit(trust, Signer.open(file).public_pem)
        return file

    def author(self, topic: str) -> Author:
        """Return the first of those who may write this topic, with the key of a trust."""
        trust = speaking_trust(topic)
        signer = Signer.open(self.signing_key_file(trust)) if trust else None
        return Author((writers(topic) or ("test",))[0], signer)

    async def provision(self, topics: Iterable[Topic], rules: Iterable[Acl] = (), users: Iterable[str] = ()) -> None:
        added = {user: self.passwords.setdefault(user, secrets.token_hex(8)) for user in users}
        async with administrator(self.login()) as admin:
            await _unless_empty(admin.ensure_users, added)
            await _unless_empty(admin.ensure_topics, tuple(topics))
            await _unless_empty(admin.ensure_acls, tuple(rules))

    @asynccontextmanager
    async def lent(self, topics: Iterable[Topic], rules: Iterable[Acl], users: Iterable[str]) -> AsyncIterator[None]:
        """What strangers need for a while; afterwards the rules are those of the federation again."""
        rules = tuple(rules)
        await self.provision(topics, rules, users)
        try:
            yield
        finally:
            async with administrator(self.login()) as admin:
                await admin.drop_acls(rules)

    async def empty(self, topics: Iterable[Topic]) -> None:
        """Delete what an earlier test has said: who starts with a new database would hear all of it."""
        everything = RecordsToDelete(before_offset=-1)
        partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        admin = AIOKafkaAdminClient(**self.credentials())
        await admin.start()
        try:
            await admin.delete_records(dict.fromkeys(partitions, everything))
        finally:
            await admin.close()

    async def provision_federation(self, trusts: Iterable[str] = TRUSTS) -> None:
        """Create every topic and rule of `schemas/topics.py` for these trusts; the topics are empty afterwards."""
        trusts = tuple(trusts)
        await self.provision(all_topics(trusts), acls(trusts), principals(trusts))
        await self.empty(all_topics(trusts))

    def provision_blocking(self, *args: Any, **kwargs: Any) -> None:
        """For fixtures that are no coroutines."""
        _blocking(self.provision(*args, **kwargs))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("postgres")
    with running(Postgres(folder, free_port(), secrets.token_hex(8))) as part:
        yield Database(part)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("kafka")
    passwords = {name: secrets.token_hex(8) for name in (ADMINISTRATOR, *principals(TRUSTS))}
    with running(Kafka(folder, free_port(), free_port(), dict(passwords), by_hand=(BACKEND, OPERATOR))) as part:
        yield Broker(part, passwords, tmp_path_factory.mktemp("kafka-passwords"))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with running(Nginx(tmp_path_factory.mktemp("nginx"), free_port(), secrets.token_hex(8))) as part:
        yield part


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("orthanc")
    part = Orthanc(folder, free_port(), free_port(), receiver_port=free_port(), password=secrets.token_hex(8))
    with running(part):
        yield part


@pytest.fixture(scope="session")
def xnat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xnat]:
    with running(Xnat(tmp_path_factory.mktemp("xnat"), free_port(), secrets.token_hex(8))) as part:
        yield part


async def _unless_empty(ensure: Any, wanted: Any) -> None:
    if wanted:
        await ensure(wanted)


def _blocking(work: Awaitable[None]) -> None:
    async def run() -> None:
        await work

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
