"""The contract in `docs/`, made from `schemas/`: `events.md`, `asyncapi.json` and one JSON Schema per message.

Run `python -m infra.catalogue` after every change of a message, and commit what it writes.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.contract.asyncapi import document
from infra.contract.language import described_by, message_types, schema
from infra.contract.revisions import ForbiddenEdit, Revisions
from schemas.message import Message
from schemas.topics import HUB_TOPICS, Topic, trust_topics
from schemas.upcast import UPCASTERS, newest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GOLDEN = ROOT / "tests" / "contract" / "golden"
PLACEHOLDER = "any"
"""The trust whose topics stand for those of every trust."""

REFUSED = "nothing was written: readers of what was published would not survive this"
DRAFT = "a draft that nobody has read yet may go: delete its file in docs/schemas first"

INTRODUCTION = """\
# Event catalogue

Made from `schemas/` by `python -m infra.catalogue`: change the classes, not this page.

Every record is a CloudEvents 1.0 event in Kafka binary mode: attributes in `ce_` headers, the payload as plain JSON.
`ce_subject` and the record's key are both the field named as *key*. Readers ignore fields they do not know.
A JSON Schema of each payload lies in `docs/schemas/`.
"""


def catalogue() -> str:
    topics = (*HUB_TOPICS, *trust_topics(PLACEHOLDER))
    contents = [f"- [`{_shown(topic)}`](#{_anchor(topic)})" for topic in topics]
    return "\n".join([INTRODUCTION, *contents, *(line for topic in topics for line in _topic(topic))]) + "\n"


def _topic(topic: Topic) -> Iterator[str]:
    yield f"\n## {_shown(topic)}\n"
    yield f"Written by {_names(topic.writers)}; read by {_names((*topic.readers, 'operator'))}.\n"
    yield f"{topic.partitions} partition{'s' if topic.partitions > 1 else ''}, {_kept(topic)}."
    for message in message_types():
        if _template(message) == topic.name:
            yield from _message(message)
            yield from (line for old in UPCASTERS if newest(old) == message.type for line in _superseded(old))


def _message(message: type[Message]) -> Iterator[str]:
    yield f"\n### {message.type}\n"
    yield f"`{message.__name__}`, key `{message.key_field}`. {described_by(message)}".rstrip()
    yield "\n| field | type | required |"
    yield "|---|---|---|"
    described = message.model_json_schema()
    required = described.get("required", [])
    for name, field in described["properties"].items():
        yield f"| `{name}` | {_type(field)} | {'yes' if name in required else _default(field)} |"


def _superseded(type_: str) -> Iterator[str]:
    yield f"\n### {type_}\n"
    yield f"Read as `{newest(type_)}`, no longer written. Its schema: [schemas/{type_}.json](schemas/{type_}.json)."


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "no" if default in (None, "", [], {}) else f"no (`{json.dumps(default)}`)"


def _type(field: Mapping[str, Any]) -> str:
    """A field's type in words: what it is, then what bounds it."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"] if option.get("type") != "null")
    if "enum" in field:
        return " · ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    if field.get("type") == "object":
        return f"map to {_type(field.get('additionalProperties', {}))}"
    return f"{field.get('format') or field.get('type', 'any')}{_bounds(field)}"


def _bounds(field: Mapping[str, Any]) -> str:
    words = {
        "minimum": "≥ {}",
        "exclusiveMinimum": "> {}",
        "maximum": "≤ {}",
        "exclusiveMaximum": "< {}",
        "maxLength": "at most {} characters",
        "pattern": "`{}`",
    }
    return "".join(f", {text.format(field[name])}" for name, text in words.items() if name in field)


def _template(message: type[Message]) -> str:
    return message.topic_template.replace("{trust_id}", PLACEHOLDER)


def _shown(topic: Topic) -> str:
    return topic.name.replace(f".{PLACEHOLDER}.", ".<id>.")


def _anchor(topic: Topic) -> str:
    return "".join(letter for letter in _shown(topic) if letter.isalnum())


def _names(principals: tuple[str, ...]) -> str:
    return ", ".join(principal.replace(f"-{PLACEHOLDER}", "-<id>") for principal in principals)


def _kept(topic: Topic) -> str:
    return "kept for ever" if topic.retention_ms < 0 else f"kept for {topic.retention_ms // 86_400_000} days"


def asyncapi() -> str:
    return json.dumps(document(GOLDEN), indent=2, ensure_ascii=False) + "\n"


def write(docs: Path = DOCS) -> None:
    """Write all of it; raises ForbiddenEdit, and writes nothing, where readers would not survive the change."""
    Revisions(docs / "schemas").publish(map(schema, message_types()))
    (docs / "events.md").write_text(catalogue())
    (docs / "asyncapi.json").write_text(asyncapi())


def main() -> None:
    try:
        write()
    except ForbiddenEdit as forbidden:
        sys.exit(f"{REFUSED}\n{forbidden}\n{DRAFT}")


if __name__ == "__main__":
    main()
