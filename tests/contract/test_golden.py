"""Records lie in topics for ever and hospitals upgrade late: what was once valid stays valid."""

import importlib.util
import json
from pathlib import Path

import pytest

from infra.catalogue import message_types
from schemas.message import Message

GOLDEN = Path(__file__).parent / "golden"
TYPES = {message.type: message for message in message_types()}
each_type = pytest.mark.parametrize("message", TYPES.values(), ids=TYPES.keys())


def payloads(message: type[Message]) -> list[bytes]:
    samples = json.loads((GOLDEN / f"{message.type}.json").read_text())
    return [json.dumps(samples[name]).encode() for name in ("minimal", "full")]


def test_every_type_has_a_golden_sample_and_every_sample_a_type() -> None:
    missing = TYPES.keys() ^ {file.stem for file in GOLDEN.glob("*.json")}
    assert not missing, "run `python tests/contract/samples.py` for new types; a type with samples can't be removed"


@each_type
def test_golden_samples_parse(message: type[Message]) -> None:
    for payload in payloads(message):
        parsed = message.parse(payload)
        assert message.parse(parsed.to_bytes()) == parsed


@each_type
def test_a_newer_senders_fields_are_ignored(message: type[Message]) -> None:
    for payload in payloads(message):
        grown = json.dumps(json.loads(payload) | {"a_field_of_tomorrow": {"x": [1]}}).encode()
        assert message.parse(grown) == message.parse(payload)


@each_type
def test_what_the_full_sample_says_is_what_is_written(message: type[Message]) -> None:
    """No field was renamed or dropped: every one of the sample's leaves again."""
    full = json.loads(payloads(message)[1])
    assert json.loads(message.parse(json.dumps(full).encode()).to_bytes()).keys() == full.keys()


def test_samples_are_only_ever_added() -> None:
    spec = importlib.util.spec_from_file_location("samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    samples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(samples)
    assert samples.add_missing() == []
