"""What somebody with a stolen or too curious credential may try, and the answer that each gets. Data and deeds only.

`docs/security.md` holds the table made from this list; a test compares them.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from bus.admin.broker_admin import BrokerAdmin, administrator
from schemas.topics import Acl, Quota
from tests.conftest import Broker
from tests.integration.intruder import Intruder

Deed = Callable[[Any], Awaitable[str]]
TOPIC_DENIED = "TopicAuthorizationFailed"
GROUP_DENIED = "GroupAuthorizationFailed"
CLUSTER_DENIED = "ClusterAuthorizationFailed"
BROKER, READER = "broker", "reader"


@dataclass(frozen=True, slots=True)
class Attempt:
    """``deed`` tries it and returns the answer it got; ``answer`` is the one it must get."""

    who: str
    what: str
    refused_by: str
    answer: str
    deed: Deed

    @property
    def name(self) -> str:
        return f"{self.who} {self.what}"


async def answered(deed: Awaitable[Any]) -> str:
    """Return the broker's answer: the error's name, or that it was allowed."""
    try:
        await deed
    except KafkaError as error:
        return type(error).__name__.removesuffix("Error")
    return "allowed"


def writes(principal: str, topic: str) -> Deed:
    async def deed(kafka: Broker) -> str:
        async with AIOKafkaProducer(**kafka.credentials(principal)) as producer:
            return await answered(producer.send_and_wait(topic, b"{}", key=b"k"))

    return deed


def reads(principal: str, topic: str) -> Deed:
    """Past the metadata that would keep a polite client from even asking."""

    async def deed(kafka: Broker) -> str:
        async with admin_as(kafka, principal) as admin:
            request = FetchRequest(1, 0, 1000, 0, [(topic, [(0, 0, 1000)])])
            ((_, ((_, code, *_),)),) = (await admin._client._send_request(request)).topics
            return named(code)

    return deed


def joins(principal: str, group: str) -> Deed:
    async def deed(kafka: Broker) -> str:
        consumer = AIOKafkaConsumer("trust.amber.commands", **kafka.credentials(principal), group_id=group)
        try:
            return await answered(consumer.start())
        finally:
            await consumer.stop()

    return deed


def claims_transactions(principal: str, of: str) -> Deed:
    async def deed(kafka: Broker) -> str:
        producer = AIOKafkaProducer(**kafka.credentials(principal), transactional_id=of)
        try:
            return await answered(producer.start())
        finally:
            await producer.stop()

    return deed


def administers(principal: str, act: Callable[[AIOKafkaAdminClient], Awaitable[Iterable[int]]]) -> Deed:
    """``act`` returns the error codes of the broker's answer."""

    async def deed(kafka: Broker) -> str:
        async with admin_as(kafka, principal) as admin:
            (code,) = await act(admin._client)
            return named(code)

    return deed


def manages(principal: str, act: Callable[[BrokerAdmin], Awaitable[None]]) -> Deed:
    async def deed(kafka: Broker) -> str:
        async with admin_as(kafka, principal) as admin:
            return await answered(act(admin))

    return deed


def admin_as(kafka: Broker, principal: str) -> Any:
    return administrator(kafka.login(principal))


def named(code: int) -> str:
    return for_code(code).__name__.removesuffix("Error") if code else "allowed"


async def creates_a_topic(client: AIOKafkaAdminClient) -> Iterable[int]:
    answer = await client.create_topics([NewTopic("trust.amber.secrets", 1, 1)])
    return [code for _, code, _ in answer.topic_errors]


async def deletes_a_topic(client: AIOKafkaAdminClient) -> Iterable[int]:
    return [code for _, code in (await client.delete_topics(["trust.amber.updates"])).topic_error_codes]


async def alters_a_topic(client: AIOKafkaAdminClient) -> Iterable[int]:
    resource = ConfigResource(ConfigResourceType.TOPIC, "trust.amber.updates", {"retention.ms": "1"})
    return [code for answer in await client.alter_configs([resource]) for code, *_ in answer.resources]


async def deletes_records(client: AIOKafkaAdminClient) -> None:
    await client.delete_records({TopicPartition("trust.amber.updates", 0): RecordsToDelete(before_offset=1)})


def deletes_own_records(principal: str) -> Deed:
    async def deed(kafka: Broker) -> str:
        async with admin_as(kafka, principal) as admin:
            return await answered(deletes_records(admin._client))

    return deed


AMBER = "trust-amber"
WIDER = Acl(AMBER, "READ", "TOPIC", "trust.", prefixed=True)
MORE = Quota(AMBER, 2.0**40, 2.0**40, 10_000.0, 1_000.0)

AT_THE_BROKER = tuple(
    Attempt(who, what, BROKER, answer, deed)
    for who, what, answer, deed in (
        (AMBER, "reads the orders of another trust", TOPIC_DENIED, reads(AMBER, "trust.birch.commands")),
        (AMBER, "reads the events of another trust", TOPIC_DENIED, reads(AMBER, "trust.birch.events")),
        (AMBER, "writes as another trust", TOPIC_DENIED, writes(AMBER, "trust.birch.events")),
        (AMBER, "orders itself something", TOPIC_DENIED, writes(AMBER, "trust.amber.commands")),
        (AMBER, "writes a command", TOPIC_DENIED, writes(AMBER, "training.commands")),
        ("client", "writes an event of a service", TOPIC_DENIED, writes("client", "project.events")),
        ("backend", "orders a trust something", TOPIC_DENIED, writes("backend", "trust.amber.commands")),
        ("project", "writes an event of another service", TOPIC_DENIED, writes("project", "training.events")),
        ("aggregator", "orders a trust something", TOPIC_DENIED, writes("aggregator", "trust.amber.commands")),
        (AMBER, "reads what operators did", TOPIC_DENIED, reads(AMBER, "operator.events")),
        ("project", "reads what operators did", TOPIC_DENIED, reads("project", "operator.events")),
        (AMBER, "reads the dead letters of a service", TOPIC_DENIED, reads(AMBER, "dlq.project")),
        (AMBER, "has a record tried again by a service", TOPIC_DENIED, writes(AMBER, "redrive.project")),
        ("project", "has a record tried again by itself", TOPIC_DENIED, writes("project", "redrive.project")),
        ("operator", "says an event of a service", TOPIC_DENIED, writes("operator", "project.events")),
        (AMBER, "joins the group of a service", GROUP_DENIED, joins(AMBER, "project")),
        (AMBER, "joins the group of another trust", GROUP_DENIED, joins(AMBER, "trust-birch")),
        (AMBER, "claims the transactions of a service", "TransactionalIdAuthorizationFailed",
         claims_transactions(AMBER, "project")),
        (AMBER, "creates a topic", TOPIC_DENIED, administers(AMBER, creates_a_topic)),
        (AMBER, "deletes its own topic", TOPIC_DENIED, administers(AMBER, deletes_a_topic)),
        (AMBER, "deletes records that it has written", TOPIC_DENIED, deletes_own_records(AMBER)),
        (AMBER, "shortens the retention of its topic", TOPIC_DENIED, administers(AMBER, alters_a_topic)),
        (AMBER, "gives itself a rule", CLUSTER_DENIED, manages(AMBER, lambda admin: admin.ensure_acls([WIDER]))),
        (AMBER, "takes its own rules away", CLUSTER_DENIED, manages(AMBER, lambda admin: admin.drop_acls([WIDER]))),
        (AMBER, "reads who may do what", CLUSTER_DENIED, manages(AMBER, BrokerAdmin.acls)),
        (AMBER, "gives itself a larger quota", CLUSTER_DENIED,
         manages(AMBER, lambda admin: admin.ensure_quotas([MORE]))),
        (AMBER, "sets the password of a service", CLUSTER_DENIED,
         manages(AMBER, lambda admin: admin.ensure_users({"project": "guess"}))),
        (AMBER, "replaces the broker's certificate", CLUSTER_DENIED,
         manages(AMBER, lambda admin: admin.reload_certificate("/forged.pem"))),
    )
)  # fmt: skip


async def honestly(intruder: Intruder) -> str:
    return await intruder.answer(intruder.signed(intruder.update()))


async def again(intruder: Intruder) -> str:
    record = intruder.signed(intruder.update())
    first = await intruder.answer(record)
    return f"{first}, {await intruder.answers_after_sending_again(record)} time"


async def by_a_new_name(intruder: Intruder) -> str:
    return await intruder.answer(intruder.renamed(intruder.signed(intruder.update())))


async def unsigned(intruder: Intruder) -> str:
    return await intruder.answer(intruder.update())


async def with_the_key_of_another(intruder: Intruder) -> str:
    return await intruder.answer(intruder.signed(intruder.update(), by="birch"))


async def with_a_changed_number(intruder: Intruder) -> str:
    record = intruder.signed(intruder.update())
    return await intruder.answer(replace(record, value=record.value.replace(b'"examples":10', b'"examples":99')))


async def with_a_changed_header(intruder: Intruder) -> str:
    return await intruder.answer(intruder.renamed(intruder.signed(intruder.update()), "correlationid"))


async def in_the_name_of_a_service(intruder: Intruder) -> str:
    return await intruder.answer(intruder.signed(intruder.update(source="/aggregator")))


async def in_the_name_of_another_trust(intruder: Intruder) -> str:
    return await intruder.answer(intruder.signed(intruder.update(source="/trust-birch")))


async def of_another_trust(intruder: Intruder) -> str:
    return await intruder.answer(intruder.signed(intruder.update(trust="birch")))


async def by_another_key(intruder: Intruder) -> str:
    return await intruder.answer(replace(intruder.signed(intruder.update()), key=b"another-run"))


async def by_redriving_what_never_was(intruder: Intruder) -> str:
    return await intruder.answer(intruder.redriven(intruder.update()))


MADE_UP = Attempt(
    "operator", "redrives an update that no trust has said", READER, "bad_signature", by_redriving_what_never_was
)
AT_THE_READER = (MADE_UP, *(
    Attempt(AMBER, what, READER, answer, deed)
    for what, answer, deed in (
        ("sends an update of its own again when the run is over", "run_is_over", honestly),
        ("sends the same record again, byte by byte", "run_is_over, 1 time", again),
        ("sends an old update under a new id", "bad_signature", by_a_new_name),
        ("sends an update without a signature", "bad_signature", unsigned),
        ("signs by the key of another trust", "bad_signature", with_the_key_of_another),
        ("has a number of its update changed on the way", "bad_signature", with_a_changed_number),
        ("has a header of its update changed on the way", "bad_signature", with_a_changed_header),
        ("names a service as its source", "forged_source", in_the_name_of_a_service),
        ("names another trust as its source", "forged_source", in_the_name_of_another_trust),
        ("sends an update of another trust on its own topic", "wrong_topic", of_another_trust),
        ("files its update under the key of another run", "wrong_key", by_another_key),
    )
))  # fmt: skip


def table() -> str:
    """The rows as Markdown, for `docs/security.md`."""
    head = ("| who | tries | refused by | answer |", "|---|---|---|---|")
    attempts = (*AT_THE_BROKER, *AT_THE_READER)
    rows = (f"| `{one.who}` | {one.what} | {one.refused_by} | `{one.answer}` |" for one in attempts)
    return "\n".join((*head, *rows)) + "\n"
