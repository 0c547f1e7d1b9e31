"""A broker that speaks TLS only, and keys that are replaced while everybody goes on."""

import asyncio
import secrets
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from bus.admin.broker_admin import administrator
from bus.login import Login
from infra.parts.kafka import Kafka
from infra.parts.part import free_port, running
from infra.tls import Authority
from schemas.topics import ADMINISTRATOR, Acl, acls, all_topics, principals

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TRUSTS = ("amber",)
WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Tls:
    part: Kafka
    authority: Authority
    passwords: dict[str, str]

    def login(self, principal: str = ADMINISTRATOR) -> Login:
        return Login(self.part.bootstrap, principal, self.passwords[principal], self.authority.certificate_file)

    def shown(self) -> str:
        """Return the serial number of the certificate that the broker shows now."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate_file))
        with (
            socket.create_connection(("127.0.0.1", self.part.port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as broker,
        ):
            return str((broker.getpeercert() or {})["serialNumber"])

    async def shows_another_than(self, serial: str) -> str:
        async with asyncio.timeout(WITHIN_S):
            while (shown := self.shown()) == serial:  # noqa: ASYNC110  of another process
                await asyncio.sleep(0.05)
            return shown


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder / "secrets", folder / "certificates")
    passwords = {name: secrets.token_hex(8) for name in (ADMINISTRATOR, *principals(TRUSTS))}
    part = Kafka(folder / "kafka", free_port(), free_port(), dict(passwords), authority=authority)
    with running(part):
        yield Tls(part, authority, passwords)


@pytest.fixture(scope="module")
async def federation(broker: Tls) -> Tls:
    async with administrator(broker.login()) as admin:
        await admin.ensure_topics(all_topics(TRUSTS))
        await admin.ensure_acls(acls(TRUSTS))
    return broker


async def says(login: Login, topic: str) -> None:
    async with AIOKafkaProducer(**login.options()) as producer:
        await producer.send_and_wait(topic, b"{}", key=b"k")


@asynccontextmanager
async def talking(federation: Tls) -> AsyncIterator[list[int]]:
    """A service and its listener go on all the while; yields the numbers that were heard."""
    heard: list[int] = []
    options = federation.login("cohort").options()
    async with (
        AIOKafkaConsumer("cohort.events", **options, group_id="cohort", auto_offset_reset="latest") as ears,
        AIOKafkaProducer(**options) as voice,
    ):
        await ears.seek_to_end()
        tasks = [asyncio.create_task(_say_numbers(voice)), asyncio.create_task(_hear_numbers(ears, heard))]
        try:
            yield heard
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def _say_numbers(voice: AIOKafkaProducer) -> None:
    number = 0
    while True:
        await voice.send_and_wait("cohort.events", str(number).encode(), key=b"k")
        number += 1
        await asyncio.sleep(0.01)


async def _hear_numbers(ears: AIOKafkaConsumer, heard: list[int]) -> None:
    async for record in ears:
        heard.append(int(record.value))  # noqa: PERF401  it is looked at while it grows


async def goes_on(heard: list[int]) -> None:
    """Twenty more are heard, in order, without a gap."""
    before = len(heard)
    async with asyncio.timeout(WITHIN_S):
        while len(heard) < before + 20:  # noqa: ASYNC110  whoever fills the list knows of no waiter
            await asyncio.sleep(0.02)
    assert heard == list(range(heard[0], heard[0] + len(heard)))


async def test_who_trusts_the_authority_and_has_the_password_gets_in(federation: Tls) -> None:
    await says(federation.login("trust-amber"), "trust.amber.events")


@pytest.mark.parametrize("stranger", ["plain TCP", "another authority", "another password"])
async def test_nobody_else_gets_in(federation: Tls, tmp_path: Path, stranger: str) -> None:
    other = Authority(tmp_path / "secrets", tmp_path / "certificates")
    other.ensure()
    login = federation.login("trust-amber")
    tried = {
        "plain TCP": replace(login, ca_file=None),
        "another authority": replace(login, ca_file=other.certificate_file),
        "another password": replace(login, password="guess"),
    }[stranger]
    producer = AIOKafkaProducer(**tried.options(), request_timeout_ms=2000)
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()


async def test_a_host_of_another_name_is_not_taken_for_the_broker(federation: Tls) -> None:
    context = ssl.create_default_context(cafile=str(federation.authority.certificate_file))
    with (
        socket.create_connection(("127.0.0.1", federation.part.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        context.wrap_socket(plain, server_hostname="broker.example")


async def test_a_trusts_password_is_replaced_and_the_others_notice_nothing(federation: Tls) -> None:
    old = federation.login("trust-amber")
    async with talking(federation) as heard, administrator(federation.login()) as admin:
        await goes_on(heard)
        fresh = federation.passwords["trust-amber"] = secrets.token_hex(8)
        await admin.ensure_users({"trust-amber": fresh})
        await goes_on(heard)
    await says(federation.login("trust-amber"), "trust.amber.events")
    with pytest.raises(KafkaError):
        await says(old, "trust.amber.events")


async def test_the_brokers_certificate_is_replaced_while_everybody_goes_on(federation: Tls) -> None:
    """Twice: the second time nothing differs from what the broker was told the first time but the file."""
    async with talking(federation) as heard, administrator(federation.login()) as admin:
        for _ in range(2):
            shown = federation.shown()
            federation.authority.issue()
            await admin.reload_certificate(str(federation.authority.keystore_file))
            await federation.shows_another_than(shown)
            await goes_on(heard)
    await says(federation.login("trust-amber"), "trust.amber.events")


async def test_rules_hold_behind_tls_as_well(federation: Tls) -> None:
    with pytest.raises(KafkaError):
        await says(federation.login("trust-amber"), "project.events")
    async with administrator(federation.login()) as admin:
        assert Acl("trust-amber", "WRITE", "TOPIC", "trust.amber.events") in await admin.acls()


def test_private_keys_are_for_their_owner_only(broker: Tls) -> None:
    for file in (broker.authority.keystore_file, broker.authority.secrets / "authority-key.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"PRIVATE" not in broker.authority.certificate_file.read_bytes()
