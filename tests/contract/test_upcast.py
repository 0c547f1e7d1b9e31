"""What was said in an older major version is read as the newest; every golden sample proves its chain."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.decode import Decoded, Unreadable, read_envelope, read_message
from infra.catalogue import DOCS
from infra.contract.revisions import Revisions
from schemas.envelope import Envelope
from schemas.message import REGISTRY
from schemas.registry import message_class
from schemas.trust_imaging import StudyAdvanced
from schemas.upcast import UNSAID, UPCASTERS, newest, upcast
from tests.contract.golden_samples import golden
from tests.unit.bus.recorded import FakeRecord, record_of

V1 = "trustflow.trust.study_advanced.v1"
STUDY = {"trust_id": "amber", "project_id": "p1", "study": "S0123456789abcdef", "attempt": 2}
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def v1(**said: Any) -> dict[str, Any]:
    return json.loads(upcast(V1, json.dumps(STUDY | said).encode()))


def recorded_v1(**said: Any) -> FakeRecord:
    """A record as a hospital that was not upgraded writes it."""
    record = record_of(StudyAdvanced(**STUDY, state="moving"), type=V1.encode())
    record.value = json.dumps(STUDY | said).encode()
    return record


def read(record: FakeRecord) -> Decoded | Unreadable:
    envelope = read_envelope(record)
    assert isinstance(envelope, Envelope)
    return read_message(record, envelope)


@pytest.mark.parametrize("type_", UPCASTERS)
def test_a_step_leads_to_the_next_major_of_the_same_name(type_: str) -> None:
    following, _ = UPCASTERS[type_]
    (name, _, version), (next_name, _, next_version) = type_.rpartition(".v"), following.rpartition(".v")
    assert (next_name, int(next_version)) == (name, int(version) + 1)
    assert type_ not in REGISTRY
    assert newest(type_) in REGISTRY


@pytest.mark.parametrize("type_", UPCASTERS)
def test_topic_and_key_stay_what_they_were(type_: str) -> None:
    """Otherwise a record would be refused as being of the wrong key or on the wrong topic."""
    (frozen,) = Revisions(DOCS / "schemas").of(type_)
    reader = message_class(type_)
    assert reader is not None
    assert (frozen["x-topic"], frozen["x-key"]) == (reader.topic_template, reader.key_field)


@pytest.mark.parametrize("type_", UPCASTERS)
def test_every_sample_of_a_superseded_version_is_read_as_the_newest(type_: str) -> None:
    for payload in golden(type_):
        record = record_of(StudyAdvanced(**STUDY, state="moving"), type=type_.encode())
        record.key, record.value = payload["project_id"].encode(), json.dumps(payload).encode()
        record.headers = [(n, record.key if n == "ce_subject" else v) for n, v in record.headers]
        found = read(record)
        assert isinstance(found, Decoded)
        assert found.message.type == newest(type_)
        assert found.envelope.type == type_


@given(jsons, st.sampled_from(sorted(UPCASTERS)))
def test_an_upcaster_survives_anything(said: Any, type_: str) -> None:
    upcast(type_, json.dumps(said).encode())
    if isinstance(said, dict):
        upcast(type_, json.dumps(STUDY | said).encode())


@given(st.binary(max_size=40))
def test_what_is_no_json_object_is_left_to_validation(rubbish: bytes) -> None:
    try:
        parsed = json.loads(rubbish)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        assert upcast(V1, rubbish) == rubbish


def test_the_newest_version_is_not_touched() -> None:
    payload = b'{ "as": "it came" }'
    assert upcast(StudyAdvanced.type, payload) == payload


class TestStudyAdvanced:
    @pytest.mark.parametrize(
        ("said", "read_as"),
        [
            ({"state": "moving"}, {"state": "moving", "arrived": False}),
            ({"state": "archived", "final": True}, {"state": "archived", "arrived": True}),
            (
                {"state": "converted", "final": True, "present": 9},
                {"state": "converted", "arrived": True, "present": 9},
            ),
            (
                {"state": "failed", "final": True, "code": "no_pixels"},
                {"state": "queued", "failure": {"code": "no_pixels", "final": True}},
            ),
            (
                {"state": "failed", "code": "pacs_unreachable"},
                {"state": "queued", "failure": {"code": "pacs_unreachable", "final": False}},
            ),
        ],
    )
    def test_what_v1_said_is_kept(self, said: dict[str, Any], read_as: dict[str, Any]) -> None:
        assert v1(**said) == STUDY | read_as

    @pytest.mark.parametrize(
        ("said", "read_as"),
        [
            ({"state": "failed"}, {"state": "queued", "failure": {"code": UNSAID, "final": False}}),
            ({"state": "moving", "final": True}, {"state": "moving", "arrived": False}),
            ({"state": "received", "code": "no_pixels"}, {"state": "received", "arrived": False}),
        ],
    )
    def test_where_v1_contradicts_itself_the_state_is_believed(
        self, said: dict[str, Any], read_as: dict[str, Any]
    ) -> None:
        assert v1(**said) == STUDY | read_as

    @given(
        st.sampled_from(["queued", "moving", "received", "deidentified", "archived", "converted", "failed"]),
        st.booleans(),
        st.none() | st.just("no_pixels"),
    )
    def test_whatever_v1_allowed_is_a_valid_v2(self, state: str, final: bool, code: str | None) -> None:
        found = read(recorded_v1(state=state, final=final, code=code))
        assert isinstance(found, Decoded)
        assert isinstance(found.message, StudyAdvanced)
        assert (found.message.failure is not None) == (state == "failed")

    @pytest.mark.parametrize(
        "said", [{"state": "lost"}, {"state": "archived", "final": "often"}, {"state": "failed", "code": 7}, {}]
    )
    def test_what_v1_refused_is_still_refused(self, said: dict[str, Any]) -> None:
        found = read(recorded_v1(**said))
        assert isinstance(found, Unreadable)
        assert (found.code, found.parked) == ("invalid_payload", False)

    def test_a_version_that_is_newer_still_is_parked(self) -> None:
        record = recorded_v1(state="moving")
        record.headers = [(n, b"trustflow.trust.study_advanced.v3" if n == "ce_type" else v) for n, v in record.headers]
        found = read(record)
        assert isinstance(found, Unreadable)
        assert (found.code, found.parked) == ("newer_version", True)
