"""Bringing a broker to the state that `schemas/topics.py` describes; every call may be repeated."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import DeleteAclsRequest, DescribeAclsRequest, DescribeClientQuotasRequest

from bus.admin.wire import SCRAM_SHA_512, AlterClientQuotas, CreateAcls, IncrementalAlterConfigs, UpsertScramUsers
from bus.login import Login
from schemas.topics import Acl, Operation, Quota, Resource, Topic

ITERATIONS = 4096
T = TypeVar("T")
SETTLE_TIMEOUT_S = 20.0
PORTION = 1_000
BROKERS_DEFAULT = -1
"""Replicas: as many as ``default.replication.factor`` of the organisation's own brokers says."""

SHOWN = 10

_RESOURCE_OF: dict[int, Resource] = {2: "TOPIC", 3: "GROUP", 4: "CLUSTER", 5: "TRANSACTIONAL_ID"}
_OPERATION_OF: dict[int, Operation] = {
    2: "ALL",
    3: "READ",
    4: "WRITE",
    5: "CREATE",
    6: "DELETE",
    7: "ALTER",
    8: "DESCRIBE",
    9: "CLUSTER_ACTION",
    10: "DESCRIBE_CONFIGS",
    11: "ALTER_CONFIGS",
    12: "IDEMPOTENT_WRITE",
}
_RESOURCE = {name: number for number, name in _RESOURCE_OF.items()}
_OPERATION = {name: number for number, name in _OPERATION_OF.items()}
_LITERAL, _PREFIXED = 3, 4
_DENY, _ALLOW = 2, 3
_ANY = 1
_USER = "user"
_ANY_NAMED = 2
_BROKER = 4
_SET = 0
_RATES = frozenset(field.name for field in fields(Quota)) - {"principal"}


class BrokerAdmin:
    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def ensure_users(self, passwords: Mapping[str, str]) -> None:
        """Give each principal its SCRAM-SHA-512 credential (RFC 5802), replacing an older one."""
        users = [_scram_user(name, password) for name, password in passwords.items()]
        for some in _portions(users):
            answer = await self._send(UpsertScramUsers(list(some)))
            for user, code, message, _ in answer.results:
                _raise_on(code, f"user {user}: {message}")

    async def ensure_topics(self, topics: Iterable[Topic]) -> None:
        """Create what is missing and return when every topic has a leader, so that the first write succeeds."""
        for some in _portions(tuple(topics)):
            answer = await self._client.create_topics([new_topic(topic) for topic in some])
            for name, code, message in answer.topic_errors:
                if code != TopicAlreadyExistsError.errno:
                    _raise_on(code, f"topic {name}: {message}")
            await self._until_led([topic.name for topic in some])

    async def _until_led(self, names: list[str]) -> None:
        async def leaderless() -> list[str]:
            return _leaderless(await self._client.describe_topics(names))

        await _until_none(leaderless, "topics without a leader")

    async def ensure_acls(self, acls: Iterable[Acl]) -> None:
        """Add what is missing and return when the broker itself obeys it, so that the first access succeeds."""
        wanted = tuple(acls)
        for some in _portions(wanted):
            answer = await self._send(CreateAcls([_entry(acl) for acl in some]))
            for acl, (code, message) in zip(some, answer.creation_responses, strict=True):
                _raise_on(code, f"{acl}: {message}")

        async def missing() -> list[Acl]:
            return sorted(set(wanted) - await self.acls(), key=str)

        await _until_none(missing, "rules not yet obeyed")

    async def drop_acls(self, acls: Iterable[Acl]) -> None:
        """Remove rules, and return when the broker obeys them no more."""
        unwanted = frozenset(acls)
        for acl in unwanted:
            answer = await self._send(DeleteAclsRequest(*_entry(acl)))
            for code, message, _ in answer.filter_responses:
                _raise_on(code, f"{acl}: {message}")

        async def remaining() -> list[Acl]:
            return sorted(unwanted & await self.acls(), key=str)

        await _until_none(remaining, "rules still obeyed")

    async def acls(self) -> frozenset[Acl]:
        """Return the rules the broker obeys now."""
        answer = await self._send(DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
        _raise_on(answer.error_code, f"listing rules: {answer.error_message}")
        return frozenset(
            Acl(
                user.removeprefix("User:"),
                _OPERATION_OF[operation],
                _RESOURCE_OF[kind],
                name,
                prefixed=pattern == _PREFIXED,
                denied=permission == _DENY,
            )
            for kind, name, pattern, rules in answer.resources
            for user, _host, operation, permission in rules
        )

    async def ensure_quotas(self, quotas: Iterable[Quota]) -> None:
        """Bound what each principal may take, and return when the broker does so."""
        wanted = tuple(quotas)
        for some in _portions(wanted):
            answer = await self._send(AlterClientQuotas([_quota_entry(quota) for quota in some]))
            for code, message, entity in answer.entries:
                _raise_on(code, f"quota of {entity}: {message}")

        async def missing() -> list[Quota]:
            return sorted(set(wanted) - await self.quotas(), key=str)

        await _until_none(missing, "quotas not yet in force")

    async def quotas(self) -> frozenset[Quota]:
        """Return the quotas in force of principals that have all four."""
        answer = await self._send(DescribeClientQuotasRequest([(_USER, _ANY_NAMED, None)], True))
        _raise_on(answer.error_code, f"listing quotas: {answer.error_message}")
        return frozenset(
            Quota(user, **dict(values)) for ((_, user),), values in answer.entries if dict(values).keys() == _RATES
        )

    async def reload_certificate(self, keystore: str) -> None:
        """Have every broker read its key and certificate anew; connections that are open stay so.

        ``keystore`` is the file's path on the brokers, whose contents were replaced before.
        """
        setting = ("listener.name.sasl_ssl.ssl.keystore.location", _SET, keystore)
        cluster = await self._client.describe_cluster()
        for broker in cluster["brokers"]:
            request = IncrementalAlterConfigs([(_BROKER, str(broker["node_id"]), [setting])])
            answer = await self._client._send_request_to_node(broker["node_id"], request)  # noqa: SLF001  no public call
            for code, message, _, name in answer.responses:
                _raise_on(code, f"certificate of broker {name}: {message}")

    async def _send(self, request: Any) -> Any:
        return await self._client._send_request(request)  # noqa: SLF001  aiokafka has no public call for these


@asynccontextmanager
async def administrator(login: Login) -> AsyncIterator[BrokerAdmin]:
    client = AIOKafkaAdminClient(**login.options())
    await client.start()
    try:
        yield BrokerAdmin(client)
    finally:
        await client.close()


async def _until_none(remaining: Callable[[], Awaitable[list[Any]]], what: str) -> None:
    """Wait until the controller's decision has reached the broker: it is answered before that."""
    give_up = time.monotonic() + SETTLE_TIMEOUT_S
    while left := await remaining():
        if time.monotonic() > give_up:
            raise RuntimeError(f"{len(left)} {what} after {SETTLE_TIMEOUT_S:g} s: {left[:SHOWN]}")
        await asyncio.sleep(0.02)


def _portions(wanted: Sequence[T]) -> Iterator[Sequence[T]]:
    """A controller takes 10,000 records in one request: a topic is four of them, a quota as many."""
    return (wanted[begin : begin + PORTION] for begin in range(0, len(wanted), PORTION))


def _scram_user(name: str, password: str) -> tuple[Any, ...]:
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return (name, SCRAM_SHA_512, ITERATIONS, salt, salted, {})


def new_topic(topic: Topic) -> NewTopic:
    limits = {"retention.ms": str(topic.retention_ms), "max.message.bytes": str(topic.max_bytes)}
    new = NewTopic(topic.name, topic.partitions, 1, topic_configs=limits)
    # the client refuses what the broker understands
    new.replication_factor = BROKERS_DEFAULT
    return new


def _entry(acl: Acl) -> tuple[Any, ...]:
    pattern = _PREFIXED if acl.prefixed else _LITERAL
    user = f"User:{acl.principal}"
    permission = _DENY if acl.denied else _ALLOW
    return (_RESOURCE[acl.resource], acl.name, pattern, user, "*", _OPERATION[acl.operation], permission)


def _quota_entry(quota: Quota) -> tuple[Any, ...]:
    rates = asdict(quota)
    return ([(_USER, rates.pop("principal"))], [(name, value, False) for name, value in rates.items()])


def _leaderless(described: list[dict[str, Any]]) -> list[str]:
    return [
        topic["topic"]
        for topic in described
        if topic["error_code"] or any(partition["leader"] < 0 for partition in topic["partitions"])
    ]


def _raise_on(code: int, about: str) -> None:
    if code:
        raise for_code(code)(about)
