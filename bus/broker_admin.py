"""Bringing a broker to the state that `schemas/topics.py` describes; every call may be repeated."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import DeleteAclsRequest, DescribeAclsRequest

from bus.login import Login
from bus.wire import SCRAM_SHA_512, CreateAcls, UpsertScramUsers
from schemas.topics import Acl, Operation, Topic

ITERATIONS = 4096
SETTLE_TIMEOUT_S = 20.0

_RESOURCE_OF: dict[int, Literal["TOPIC", "GROUP"]] = {2: "TOPIC", 3: "GROUP"}
_OPERATION_OF: dict[int, Operation] = {3: "READ", 4: "WRITE", 5: "CREATE", 6: "DELETE", 8: "DESCRIBE"}
_RESOURCE = {name: number for number, name in _RESOURCE_OF.items()}
_OPERATION = {name: number for number, name in _OPERATION_OF.items()}
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3
_ANY = 1


class BrokerAdmin:
    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def ensure_users(self, passwords: Mapping[str, str]) -> None:
        """Give each principal its SCRAM-SHA-512 credential (RFC 5802), replacing an older one."""
        users = [_scram_user(name, password) for name, password in passwords.items()]
        answer = await self._send(UpsertScramUsers(users))
        for user, code, message, _ in answer.results:
            _raise_on(code, f"user {user}: {message}")

    async def ensure_topics(self, topics: Iterable[Topic]) -> None:
        """Create what is missing and return when every topic has a leader, so that the first write succeeds."""
        wanted = tuple(topics)
        answer = await self._client.create_topics([_new_topic(topic) for topic in wanted])
        for name, code, message in answer.topic_errors:
            if code != TopicAlreadyExistsError.errno:
                _raise_on(code, f"topic {name}: {message}")
        names = [topic.name for topic in wanted]

        async def leaderless() -> list[str]:
            return _leaderless(await self._client.describe_topics(names))

        await _until_none(leaderless, "topics without a leader")

    async def ensure_acls(self, acls: Iterable[Acl]) -> None:
        """Add what is missing and return when the broker itself obeys it, so that the first access succeeds."""
        wanted = tuple(acls)
        answer = await self._send(CreateAcls([_entry(acl) for acl in wanted]))
        for acl, (code, message) in zip(wanted, answer.creation_responses, strict=True):
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
            Acl(user.removeprefix("User:"), _OPERATION_OF[operation], _RESOURCE_OF[kind], name, pattern == _PREFIXED)
            for kind, name, pattern, rules in answer.resources
            for user, _host, operation, _permission in rules
        )

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
            raise RuntimeError(f"{what} after {SETTLE_TIMEOUT_S:g} s: {left}")
        await asyncio.sleep(0.02)


def _scram_user(name: str, password: str) -> tuple[Any, ...]:
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return (name, SCRAM_SHA_512, ITERATIONS, salt, salted, {})


def _new_topic(topic: Topic) -> NewTopic:
    limits = {"retention.ms": str(topic.retention_ms), "max.message.bytes": str(topic.max_bytes)}
    return NewTopic(topic.name, topic.partitions, 1, topic_configs=limits)


def _entry(acl: Acl) -> tuple[Any, ...]:
    pattern = _PREFIXED if acl.prefixed else _LITERAL
    user = f"User:{acl.principal}"
    return (_RESOURCE[acl.resource], acl.name, pattern, user, "*", _OPERATION[acl.operation], _ALLOW)


def _leaderless(described: list[dict[str, Any]]) -> list[str]:
    return [
        topic["topic"]
        for topic in described
        if topic["error_code"] or any(partition["leader"] < 0 for partition in topic["partitions"])
    ]


def _raise_on(code: int, about: str) -> None:
    if code:
        raise for_code(code)(about)
