"""The AsyncAPI document: the project's own validator finds nothing to say, and nothing of the language is missing."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bus.proof.signing import KEY_ID, SIGNATURE
from infra.catalogue import DOCS
from infra.contract.headers import HEADERS, example_headers
from infra.node import NODE, installed
from schemas.topics import HUB_TOPICS, OPERATOR, SPEAKERS, trust_topics
from tests.contract.golden_samples import golden_types

DOCUMENT: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text())
PROJECT = Path(__file__).parent / "asyncapi"


def target(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def test_asyncapi_validate_has_no_error_warning_information_or_hint(tmp_path: Path) -> None:
    silent = tmp_path / "analytics.json"
    silent.write_text('{"analyticsEnabled": "false", "infoMessageShown": "true"}')
    command = installed(PROJECT) / "node_modules" / "@asyncapi" / "cli" / "bin" / "run_bin"
    validated = subprocess.run(
        [NODE, command, "validate", DOCS / "asyncapi.json", "--fail-severity", "hint", "--diagnostics-format", "json"],
        env=os.environ | {"ASYNCAPI_METRICS_CONFIG_PATH": str(silent), "SUPPRESS_NO_CONFIG_WARNING": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert "don't have governance issues" in validated.stdout


def test_every_topic_is_a_channel_with_its_settings() -> None:
    for topic in (*HUB_TOPICS, *trust_topics("{trust_id}")):
        channel = DOCUMENT["channels"][topic.name]
        binding = channel["bindings"]["kafka"]
        assert channel["address"] == topic.name
        assert (binding["partitions"], binding["topicConfiguration"]["retention.ms"]) == (
            topic.partitions,
            topic.retention_ms,
        )


def test_every_message_is_on_one_channel_and_has_examples() -> None:
    listed = [type_ for channel in DOCUMENT["channels"].values() for type_ in channel["messages"]]
    assert sorted(listed) == list(golden_types())
    assert all(message["examples"] for message in DOCUMENT["components"]["messages"].values())


@pytest.mark.parametrize("topic", [topic for topic in HUB_TOPICS if topic.name.endswith(".commands")])
def test_whoever_speaks_for_people_is_told_where_its_answer_comes(topic: Any) -> None:
    for speaker in SPEAKERS:
        reply = DOCUMENT["operations"][f"{speaker}.sends.{topic.name}"]["reply"]
        answers = {target(message).rpartition(".v")[0].rpartition(".")[2] for message in reply["messages"]}
        assert target(reply["channel"]) == topic.name.replace("commands", "events")
        assert answers == {"command_accepted", "command_rejected"}


def test_operations_are_the_rights_of_the_topics() -> None:
    for topic in HUB_TOPICS:
        acting = {name for name in DOCUMENT["operations"] if name.endswith(f".{topic.name}")}
        senders = {f"{writer}.sends.{topic.name}" for writer in topic.writers}
        readers = {f"{reader.split('-')[0]}.receives.{topic.name}" for reader in (*topic.readers, OPERATOR)}
        assert acting == senders | readers


def test_the_headers_that_we_write_are_those_that_we_describe() -> None:
    validator = Draft202012Validator(HEADERS)
    written = example_headers("trustflow.project.created.v1", "p1", "/project")
    validator.validate(written)
    assert written.keys() | {"ce_causationid", SIGNATURE, KEY_ID} == HEADERS["properties"].keys()
    assert not validator.is_valid(written | {"ce_traceparent": "00-xyz"})
