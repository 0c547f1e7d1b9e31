"""Who may do what, tried on the live broker and the live object lane with each principal's own credentials."""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from aiokafka.protocol.fetch import FetchRequest

from bus.admin.broker_admin import administrator
from bus.objects import NginxObjects, grant_download, grant_upload
from infra.parts.nginx import Nginx
from schemas.manifest import Part, manifest_of
from schemas.topics import SERVICES, SPEAKERS, acls, all_topics, principals
from tests.conftest import Broker

pytestmark = pytest.mark.integration

TRUSTS = ("amber", "birch")
TOPICS = {topic.name: topic for topic in all_topics(TRUSTS)}
DENIED = (TopicAuthorizationFailedError, UnknownTopicOrPartitionError)
NO_ERROR = 0
PRINCIPALS = principals(TRUSTS)


@pytest.fixture(scope="module")
async def federation(kafka: Broker) -> Broker:
    await kafka.provision_federation(TRUSTS)
    return kafka


@pytest.fixture(scope="module")
async def producers(federation: Broker) -> AsyncIterator[dict[str, AIOKafkaProducer]]:
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(AIOKafkaProducer(**federation.credentials(name)))
            for name in PRINCIPALS
        }


async def writable(producer: AIOKafkaProducer, topics: Iterable[str]) -> set[str]:
    """Try each topic; what the broker refuses is left out."""
    accepted = set()
    for topic in topics:
        with suppress(*DENIED):
            await producer.send_and_wait(topic, b"{}", key=b"acl-test")
            accepted.add(topic)
    return accepted


async def readable(login: dict[str, str], topics: Iterable[str]) -> set[str]:
    """Fetch from each topic, past the metadata that would keep a polite client from even asking."""
    admin = AIOKafkaAdminClient(**login)
    await admin.start()
    try:
        return {topic for topic in topics if await _fetch(admin, topic) == NO_ERROR}
    finally:
        await admin.close()


async def _fetch(admin: AIOKafkaAdminClient, topic: str) -> int:
    answer = await admin._send_request(FetchRequest(1, 0, 1000, 0, [(topic, [(0, 0, 1000)])]))
    ((_, ((_, code, *_),)),) = answer.topics
    return code


class TestTrusts:
    async def test_a_trust_writes_its_own_topics_only(self, producers: dict[str, AIOKafkaProducer]) -> None:
        mine = {"trust.amber.events", "trust.amber.updates", "dlq.trust-amber"}
        others = {
            "trust.birch.events",
            "trust.birch.updates",
            "trust.birch.commands",
            "trust.amber.commands",
            "project.events",
            "project.commands",
            "cohort.commands",
            "training.events",
            "aggregation.events",
        }
        assert await writable(producers["trust-amber"], mine | others) == mine

    async def test_a_trust_reads_nothing_of_another(self, federation: Broker) -> None:
        topics = ("trust.birch.commands", "trust.birch.events", "trust.birch.updates", "project.events")
        assert await readable(federation.credentials("trust-amber"), topics) == set()

    async def test_a_trust_reads_its_own_commands(self, federation: Broker) -> None:
        topics = {"trust.amber.commands"}
        assert await readable(federation.credentials("trust-amber"), topics) == topics

    async def test_a_trust_does_not_even_see_that_others_exist(self, federation: Broker) -> None:
        admin = AIOKafkaAdminClient(**federation.credentials("trust-amber"))
        await admin.start()
        try:
            seen = set(await admin.list_topics())
        finally:
            await admin.close()
        assert seen == {
            "trust.amber.commands",
            "trust.amber.events",
            "trust.amber.updates",
            "dlq.trust-amber",
            "redrive.trust-amber",
            "audit.events",
        }


class TestHub:
    @pytest.mark.parametrize("speaker", SPEAKERS)
    async def test_who_speaks_for_people_writes_commands_only(
        self, producers: dict[str, AIOKafkaProducer], speaker: str
    ) -> None:
        wanted = {f"{name}.commands" for name in ("project", "cohort", "imaging", "training")}
        assert await writable(producers[speaker], list(TOPICS)) == wanted

    async def test_the_operator_says_what_it_did_and_what_to_try_again_and_nothing_else(
        self, producers: dict[str, AIOKafkaProducer]
    ) -> None:
        mine = {"operator.events", *(name for name in TOPICS if name.startswith("redrive."))}
        assert await writable(producers["operator"], list(TOPICS)) == mine

    async def test_the_operator_reads_dead_letters(self, federation: Broker) -> None:
        topics = {"dlq.project", "dlq.trust-amber", "trust.amber.events"}
        assert await readable(federation.credentials("operator"), topics) == topics

    @pytest.mark.parametrize("service", SERVICES)
    async def test_a_service_speaks_for_itself_only(self, producers: dict[str, AIOKafkaProducer], service: str) -> None:
        events = [name for name in TOPICS if name.endswith(".events")]
        assert await writable(producers[service], events) == {n for n in events if service in TOPICS[n].writers}

    async def test_only_those_who_ask_trusts_may_command_them(self, producers: dict[str, AIOKafkaProducer]) -> None:
        may = [name for name in PRINCIPALS if await writable(producers[name], ["trust.birch.commands"])]
        assert sorted(may) == ["cohort", "imaging_ingest", "training_coordinator"]

    async def test_the_broker_holds_exactly_our_rules(self, federation: Broker) -> None:
        """Other tests add rules for their own topics; of ours none is missing and none is wider."""
        async with administrator(federation.login()) as admin:
            rules = await admin.acls()
        assert set(acls(TRUSTS)) == {rule for rule in rules if rule.name in TOPICS or rule.principal in PRINCIPALS}


class TestLogin:
    @pytest.mark.parametrize("changed", [{"sasl_plain_username": "mallory"}, {"sasl_plain_password": "guess"}])
    async def test_who_is_not_known_does_not_get_in(self, federation: Broker, changed: dict[str, str]) -> None:
        producer = AIOKafkaProducer(**federation.credentials("client") | changed)
        with pytest.raises(KafkaError):
            await producer.start()
        await producer.stop()

    async def test_without_a_password_nobody_gets_in(self, federation: Broker) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=federation.bootstrap, request_timeout_ms=1500)
        with pytest.raises(KafkaError):
            await producer.start()
        await producer.stop()


class TestGroups:
    @pytest.mark.parametrize("group", ["trust-birch", "project", "trust-amber2", "anything"])
    async def test_nobody_joins_anothers_group(self, federation: Broker, group: str) -> None:
        """Who could would take its partitions away, or move its offsets."""
        consumer = AIOKafkaConsumer("trust.amber.commands", **federation.credentials("trust-amber"), group_id=group)
        with pytest.raises(KafkaError, match=r"(?i)group"):
            await consumer.start()
        await consumer.stop()

    async def test_everybody_joins_their_own(self, federation: Broker) -> None:
        login = federation.credentials("trust-amber")
        async with AIOKafkaConsumer("trust.amber.commands", **login, group_id="trust-amber") as consumer:
            assert {partition.topic for partition in consumer.assignment()} == {"trust.amber.commands"}


class TestObjects:
    """Amber's addresses against birch's objects."""

    @property
    def soon(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=5)

    @pytest.fixture
    def store(self, nginx: Nginx) -> NginxObjects:
        run = nginx.objects / "acl"
        for trust in ("amber", "birch"):
            (run / trust).mkdir(parents=True, exist_ok=True)
            (run / trust / "00000").write_bytes(trust.encode())
        return NginxObjects(nginx.url, nginx.secret)

    async def ask(self, method: str, url: str, body: bytes | None = None) -> int:
        async with aiohttp.ClientSession() as session, session.request(method, url, data=body) as answer:
            await answer.read()
            return answer.status

    def download(self, store: NginxObjects, trust: str) -> str:
        manifest = manifest_of(f"acl/{trust}", [Part(index=0, size=5, sha256="ab" * 32)])
        return grant_download(store, manifest, self.soon).urls[0]

    async def test_an_address_opens_its_own_object(self, store: NginxObjects) -> None:
        assert await self.ask("GET", self.download(store, "amber")) == 200

    async def test_one_trusts_address_opens_no_object_of_another(self, store: NginxObjects) -> None:
        url = self.download(store, "amber")
        assert await self.ask("GET", url.replace("acl/amber", "acl/birch")) == 403
        assert await self.ask("GET", url.replace("acl/amber/", "acl/amber/%2e%2e/birch/")) == 403
        assert await self.ask("GET", url.replace("acl/amber/00000", "acl/amber/00001")) == 403

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    async def test_an_address_to_read_neither_writes_nor_deletes(self, store: NginxObjects, method: str) -> None:
        assert await self.ask(method, self.download(store, "amber"), b"mine now") == 403

    async def test_an_address_to_write_does_not_read(self, store: NginxObjects) -> None:
        url = grant_upload(store, "acl/amber", 5, self.soon).urls[0]
        assert await self.ask("GET", url) == 403
        assert await self.ask("PUT", url.replace("acl/amber", "acl/cedar"), b"x") == 403

    async def test_what_is_written_is_never_overwritten(self, store: NginxObjects) -> None:
        url = grant_upload(store, "acl/birch", 5, self.soon).urls[0]
        assert await self.ask("PUT", url, b"other") == 409

    async def test_an_expired_address_opens_nothing(self, store: NginxObjects) -> None:
        past = datetime.fromtimestamp(time.time() - 1, UTC)
        url = store.sign("GET", "acl/amber/00000", past)
        assert await self.ask("GET", url) == 410
        later = f"expires={int(self.soon.timestamp())}"
        assert await self.ask("GET", f"{url.rpartition('expires=')[0]}{later}") == 403

    async def test_an_address_made_without_the_secret_opens_nothing(self, store: NginxObjects) -> None:
        forged = NginxObjects(store.base_url, "guess")
        assert await self.ask("GET", forged.sign("GET", "acl/amber/00000", self.soon)) == 403
        assert await self.ask("GET", f"{store.base_url}/acl/amber/00000") == 403
