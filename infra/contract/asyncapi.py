"""The AsyncAPI document (3.1.0): channels, operations of each participant, messages with their headers and examples.

Whole in one file, so that any tool can read it; only payloads of superseded versions lie beside it.
"""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from infra.contract.headers import HEADERS, example_headers
from infra.contract.language import Schema, described_by, message_types
from schemas.message import REGISTRY, Accepted, Message, Rejected
from schemas.topics import ANY_TRUST, EVERY_TRUST, HUB_TOPICS, OPERATOR, SPEAKERS, TRUST_PREFIX, Topic, trust_topics
from schemas.upcast import UPCASTERS, newest

LICENCE = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
KAFKA_BINDING = "0.5.0"
TRUST = f"{TRUST_PREFIX}{ANY_TRUST}"
TOPICS = (*HUB_TOPICS, *trust_topics(ANY_TRUST))

DESCRIPTION = """\
Hospitals train imaging AI together without moving patient data: what the hub's services, the trusts and whoever speaks
for people say to each other over Kafka.

Every record is a CloudEvents 1.0 event in Kafka *binary* mode: attributes in `ce_` headers, the payload as plain JSON.
The record's key, `ce_subject` and the payload's key field are the same. Readers ignore fields that they do not know.
Each command is answered by one message whose `command_id` is the command's `ce_id`.

Made from `schemas/` by `python -m infra.catalogue`. How to begin: `write-a-ui-backend.md`.
"""


def document(golden: Path) -> dict[str, Any]:
    """Make the document; examples are the golden samples in this folder (one file for each type)."""
    return {
        "asyncapi": "3.1.0",
        "id": "urn:trustflow",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {_address(topic): _channel(topic) for topic in TOPICS},
        "operations": dict(operation for topic in TOPICS for operation in _operations(topic)),
        "components": {
            "messages": _messages(golden),
            "schemas": {"CloudEventHeaders": HEADERS} | _payloads(),
            "securitySchemes": _security(),
        },
    }


def _info() -> dict[str, Any]:
    return {
        "title": "Trustflow",
        "version": version("trustflow"),
        "description": DESCRIPTION,
        "license": LICENCE,
        "contact": {"name": "The Trustflow authors"},
        "tags": [{"name": "federated learning"}, {"name": "medical imaging"}],
    }


def _servers() -> dict[str, Any]:
    broker = {"bootstrap": {"description": "Host and port of any broker, as in TRUSTFLOW_KAFKA_BOOTSTRAP."}}
    common = {"host": "{bootstrap}", "variables": broker, "security": [_ref("components", "securitySchemes", "scram")]}
    return {
        "plain": {"protocol": "kafka", "description": "On one machine, without TLS."} | common,
        "tls": {"protocol": "kafka-secure", "description": "Where TRUSTFLOW_KAFKA_CA_FILE names the CA."} | common,
    }


def _security() -> dict[str, Any]:
    says = "Principal and password; what a principal may read and write follows from the operations named after it."
    return {"scram": {"type": "scramSha512", "description": says}}


def _channel(topic: Topic) -> dict[str, Any]:
    channel = {
        "address": _address(topic),
        "description": f"Written by {_names(topic.writers)}. Order holds for each key, and only there.",
        "messages": {type_: _ref("components", "messages", type_) for type_ in _types_on(topic)},
        "bindings": {"kafka": _topic_binding(topic)},
    }
    if "{trust_id}" in _address(topic):
        channel["parameters"] = {"trust_id": {"description": "Which trust; topics are its own."}}
    return channel


def _topic_binding(topic: Topic) -> dict[str, Any]:
    settings = {
        "cleanup.policy": ["delete"],
        "retention.ms": topic.retention_ms,
        "max.message.bytes": topic.max_bytes,
    }
    return {"partitions": topic.partitions, "topicConfiguration": settings, "bindingVersion": KAFKA_BINDING}


def _operations(topic: Topic) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each participant's view: what it sends, what it receives."""
    channel = {"channel": _ref("channels", _address(topic))}
    for writer in topic.writers:
        yield f"{_name(writer)}.sends.{_address(topic)}", {"action": "send"} | channel | _reply(writer, topic)
    for reader in dict.fromkeys((*topic.readers, OPERATOR)):
        yield f"{_name(reader)}.receives.{_address(topic)}", {"action": "receive"} | channel


def _reply(writer: str, topic: Topic) -> dict[str, Any]:
    """Whoever asks for a person is answered on the events of that service, under the command's correlation id."""
    if writer not in SPEAKERS or not topic.name.endswith(".commands"):
        return {}
    answers = topic.name.replace(".commands", ".events")
    types = [m.type for m in message_types() if issubclass(m, Accepted | Rejected) and m.topic_template == answers]
    messages = [_ref("channels", answers, "messages", type_) for type_ in types]
    return {"reply": {"channel": _ref("channels", answers), "messages": messages}}


def _messages(golden: Path) -> dict[str, Any]:
    current = {message.type: _message(message, golden) for message in message_types()}
    return current | {type_: _superseded(type_, golden) for type_ in UPCASTERS}


def _message(message: type[Message], golden: Path) -> dict[str, Any]:
    return {
        "name": message.type,
        "title": message.__name__,
        "summary": described_by(message) or f"{message.__name__}, without more to say.",
        "contentType": "application/json",
        "headers": _headers(message.type),
        "payload": _ref("components", "schemas", message.__name__),
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": KAFKA_BINDING}},
        "x-key": message.key_field,
        "examples": _examples(message.type, message, golden),
    }


def _superseded(type_: str, golden: Path) -> dict[str, Any]:
    """Still read, since its records are kept for ever, and no longer written."""
    successor = REGISTRY[newest(type_)]
    return _message(successor, golden) | {
        "name": type_,
        "summary": f"Superseded by {newest(type_)}: still read, no longer written.",
        "headers": _headers(type_),
        "payload": {"$ref": f"./schemas/{type_}.json"},
        "examples": _examples(type_, successor, golden),
    }


def _headers(type_: str) -> Schema:
    named = {"type": "object", "properties": {"ce_type": {"type": "string", "const": type_}}}
    return {"allOf": [_ref("components", "schemas", "CloudEventHeaders"), named]}


def _examples(type_: str, message: type[Message], golden: Path) -> list[dict[str, Any]]:
    file = golden / f"{type_}.json"
    if not file.exists():
        raise FileNotFoundError(f"{type_} has no golden sample: run `python tests/contract/samples.py` first")
    samples = json.loads(file.read_text())
    return [
        {"name": name, "headers": _about(type_, message, sample), "payload": sample} for name, sample in samples.items()
    ]


def _about(type_: str, message: type[Message], sample: dict[str, Any]) -> dict[str, str]:
    """Headers of a sample, said by somebody who may write on its topic."""
    writers = next(topic.writers for topic in TOPICS if _address(topic) == message.topic_template)
    source = writers[-1].replace(ANY_TRUST, sample.get("trust_id", ANY_TRUST))
    return example_headers(type_, str(sample[message.key_field]), f"/{source}")


def _payloads() -> dict[str, Schema]:
    as_read: Literal["validation"] = "validation"
    models = [(message, as_read) for message in message_types()]
    _, described = models_json_schema(models, ref_template="#/components/schemas/{model}")
    return dict(described["$defs"])


def _types_on(topic: Topic) -> tuple[str, ...]:
    current = tuple(message.type for message in message_types() if message.topic_template == _address(topic))
    return (*current, *(type_ for type_ in UPCASTERS if newest(type_) in current))


def _address(topic: Topic) -> str:
    return topic.name.replace(f".{ANY_TRUST}.", ".{trust_id}.")


def _name(principal: str) -> str:
    return "trust" if principal in {TRUST, EVERY_TRUST} else principal


def _names(principals: tuple[str, ...]) -> str:
    return ", ".join(map(_name, principals))


def _ref(*path: str) -> dict[str, str]:
    """A JSON pointer (RFC 6901) into this document."""
    return {"$ref": "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)}
