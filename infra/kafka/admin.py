"""Bringing a broker to the state that `schemas/topics.py` describes; every call may be repeated."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from infra.kafka.wire import SCRAM_SHA_512, CreateAcls, UpsertScramUsers
from infra.parts.kafka import ADMIN
from schemas.topics import Acl, Topic

ITERATIONS = 4096
LEADER_TIMEOUT_S = 20.0

_RESOURCE = {"TOPIC": 2, "GROUP": 3}
_OPERATION = {"READ": 3, "WRITE": 4, "DESCRIBE": 8}
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3


def sasl(bootstrap: str, principal: str, password: str) -> dict[str, str]:
    """Return what every aiokafka client needs to log in."""
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": principal,
        "sasl_plain_password": password,
    }


class BrokerAdmin:
    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def ensure_users(self, passwords: Mapping[str, str]) -> None:
        """Give each principal its SCRAM-SHA-512 credential (RFC 5802), replacing an older one."""
        users = [_scram_user(name, password) for name, password in passwords.items()]
        answer = await self._client._send_request(UpsertScramUsers(users))  # noqa: SLF001  no public call exists
        for user, code, message, _ in answer.results:
            _raise_on(code, f"user {user}: {message}")

    async def ensure_topics(self, topics: Iterable[Topic]) -> None:
        """Create what is missing and return when every topic has a leader, so that the first write succeeds."""
        wanted = tuple(topics)
        answer = await self._client.create_topics([_new_topic(topic) for topic in wanted])
        for name, code, message in answer.topic_errors:
            if code != TopicAlreadyExistsError.errno:
                _raise_on(code, f"topic {name}: {message}")
        await self._wait_for_leaders([topic.name for topic in wanted])

    async def ensure_acls(self, acls: Iterable[Acl]) -> None:
        wanted = tuple(acls)
        answer = await self._client._send_request(CreateAcls([_entry(acl) for acl in wanted]))  # noqa: SLF001  the public call takes none
        for acl, (code, message) in zip(wanted, answer.creation_responses, strict=True):
            _raise_on(code, f"{acl}: {message}")

    async def _wait_for_leaders(self, names: list[str]) -> None:
        give_up = time.monotonic() + LEADER_TIMEOUT_S
        while leaderless := _leaderless(await self._client.describe_topics(names)):
            if time.monotonic() > give_up:
                raise RuntimeError(f"topics without a leader after {LEADER_TIMEOUT_S:g} s: {leaderless}")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def administrator(bootstrap: str, password: str) -> AsyncIterator[BrokerAdmin]:
    client = AIOKafkaAdminClient(**sasl(bootstrap, ADMIN, password))
    await client.start()
    try:
        yield BrokerAdmin(client)
    finally:
        await client.close()


def _scram_user(name: str, password: str) -> tuple[Any, ...]:
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return (name, SCRAM_SHA_512, ITERATIONS, salt, salted, {})


def _new_topic(topic: Topic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, 1, topic_configs={"retention.ms": str(topic.retention_ms)})


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
