"""The requests we add to aiokafka's, byte by byte as Kafka's protocol guide lays them out."""

import hashlib
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from bus.admin.broker_admin import ITERATIONS, _entry, _quota_entry, _scram_user, new_topic
from bus.admin.wire import (
    AlterClientQuotas,
    ClientQuotasStruct,
    IncrementalAlterConfigs,
    IncrementalConfigsStruct,
    ScramCredentialsResponse,
    ScramCredentialsStruct,
    UpsertScramUsers,
)
from schemas.topics import HUB_TOPICS, Acl, Quota


def encoded(users: list[tuple]) -> bytes:
    return UpsertScramUsers(users).build(ScramCredentialsStruct).encode()


def test_a_user_is_laid_out_as_the_guide_says() -> None:
    assert encoded([("ab", 2, 4096, b"salt", b"key", {})]) == (
        b"\x01"  # no deletions
        b"\x02"  # one upsertion
        b"\x03ab\x02\x00\x00\x10\x00\x05salt\x04key\x00"
        b"\x00"  # no tags
    )


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=64), st.binary(max_size=64)), max_size=5))
def test_what_is_encoded_decodes_to_the_same(users: list[tuple[str, bytes, bytes]]) -> None:
    rows = [(name, 2, ITERATIONS, salt, key, {}) for name, salt, key in users]
    assert ScramCredentialsStruct.decode(BytesIO(encoded(rows))).upsertions == rows


def test_a_refusal_is_read_with_its_user() -> None:
    answer = ScramCredentialsResponse.decode(BytesIO(b"\x00\x00\x00\x00\x02\x03ab\x00\x1f\x03no\x00\x00"))
    assert answer.results == [("ab", 31, "no", {})]


def test_a_password_is_salted_afresh_and_never_sent() -> None:
    (_, _, iterations, salt, salted, _), (_, _, _, other_salt, _, _) = (_scram_user("a", "pencil") for _ in range(2))
    assert salt != other_salt
    assert salted == hashlib.pbkdf2_hmac("sha512", b"pencil", salt, iterations)


def test_a_rule_names_its_principal_as_a_user_from_any_host() -> None:
    assert _entry(Acl("quill", "WRITE", "TOPIC", "a.b")) == (2, "a.b", 3, "User:quill", "*", 4, 3)
    assert _entry(Acl("quill", "READ", "GROUP", "quill", prefixed=True)) == (3, "quill", 4, "User:quill", "*", 3, 3)


def test_a_quota_is_laid_out_as_the_guide_says() -> None:
    request = AlterClientQuotas([_quota_entry(Quota("ab", 1.0, 2.0, 3.0, 4.0))]).build(ClientQuotasStruct)
    written = request.encode()
    assert written.startswith(b"\0\0\0\1\0\0\0\1\0\4user\0\2ab\0\0\0\4\0\x12producer_byte_rate")
    ((entity, rates),) = ClientQuotasStruct.decode(BytesIO(written)).entries
    assert entity == [("user", "ab")]
    assert [(name, value, remove) for name, value, remove in rates] == [
        ("producer_byte_rate", 1.0, False),
        ("consumer_byte_rate", 2.0, False),
        ("request_percentage", 3.0, False),
        ("controller_mutation_rate", 4.0, False),
    ]


def test_how_often_a_topic_is_kept_is_for_the_brokers_to_say() -> None:
    assert new_topic(HUB_TOPICS[0]).replication_factor == -1


def test_a_setting_of_a_broker_is_laid_out_as_the_guide_says() -> None:
    request = IncrementalAlterConfigs([(4, "1", [("a.b", 0, "c")])]).build(IncrementalConfigsStruct)
    assert request.encode() == b"\0\0\0\1\4\0\x011\0\0\0\1\0\3a.b\0\0\1c\0"
