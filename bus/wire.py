"""The two requests of Kafka's protocol that aiokafka cannot make in one call: access lists and SCRAM users.

Layouts: Kafka protocol guide, CreateAcls (key 30, version 1) and AlterUserScramCredentials (key 51, version 0).
"""

from typing import Any

from aiokafka.protocol.admin import CreateAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

SCRAM_SHA_512 = 2


class ScramCredentialsResponse(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ScramCredentialsStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = ScramCredentialsResponse
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class UpsertScramUsers(Request[ScramCredentialsStruct]):  # type: ignore[misc]
    """Each user is (name, mechanism, iterations, salt, salted password, {})."""

    API_KEY = 51

    def __init__(self, users: list[tuple[Any, ...]]) -> None:
        self._users = users

    def build(self, struct: type[ScramCredentialsStruct]) -> ScramCredentialsStruct:
        return struct([], self._users, {})


class CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """Each entry is (resource type, name, pattern type, principal, host, operation, permission)."""

    API_KEY = 30

    def __init__(self, entries: list[tuple[Any, ...]]) -> None:
        self._entries = entries

    def build(self, struct: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return struct(self._entries)
