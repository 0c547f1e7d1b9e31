"""Records lie in topics for ever and hospitals upgrade late: what was once valid stays valid."""

import json

import pytest

from infra.contract.language import message_types
from schemas.message import Message
from schemas.registry import message_class
from schemas.upcast import UPCASTERS, upcast
from tests.contract.golden_samples import golden, golden_types
from tests.contract.samples import add_missing, fields, sample

CURRENT = {message.type: message for message in message_types()}
GOLDEN = golden_types()
each_type = pytest.mark.parametrize("type_", GOLDEN)
each_current = pytest.mark.parametrize("message", CURRENT.values(), ids=CURRENT.keys())


def read(type_: str, payload: dict[str, object]) -> Message:
    message = message_class(type_)
    assert message is not None
    return message.parse(upcast(type_, json.dumps(payload).encode()))


def test_every_type_has_a_golden_sample_and_every_sample_a_type() -> None:
    strange = CURRENT.keys() ^ (set(GOLDEN) - UPCASTERS.keys())
    assert not strange, "run `python tests/contract/samples.py` for new types; a type with samples can't be removed"
    assert UPCASTERS.keys() <= set(GOLDEN), "samples of a superseded type stay: they prove its upcaster"


@each_type
def test_golden_samples_parse(type_: str) -> None:
    for payload in golden(type_):
        parsed = read(type_, payload)
        assert parsed.parse(parsed.to_bytes()) == parsed


@each_type
def test_a_newer_senders_fields_are_ignored(type_: str) -> None:
    for payload in golden(type_):
        assert read(type_, payload | {"a_field_of_tomorrow": {"x": [1]}}) == read(type_, payload)


@each_current
def test_what_the_full_sample_says_is_what_is_written(message: type[Message]) -> None:
    """No field was renamed or dropped: every one of the sample's leaves again."""
    *_, full = golden(message.type)
    assert json.loads(read(message.type, full).to_bytes()).keys() == full.keys()


@each_current
def test_every_field_is_in_the_newest_sample(message: type[Message]) -> None:
    *_, newest = golden(message.type)
    assert fields(sample(message, full=True)) == fields(newest), "run `python tests/contract/samples.py`"


def test_samples_are_only_ever_added() -> None:
    assert add_missing() == []
