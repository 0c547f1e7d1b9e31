"""Every message of the language, and its payload as a JSON Schema."""

import inspect
from typing import Any

from schemas.message import Message, Record
from schemas.registry import MODULES

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def message_types() -> tuple[type[Message], ...]:
    """Every message of the language, in the order in which its module declares it."""
    return tuple(
        member
        for module in MODULES
        for member in vars(module).values()
        if inspect.isclass(member) and issubclass(member, Message) and member.__module__ == module.__name__
        if "type" in vars(member)
    )


def schema(message: type[Message]) -> Schema:
    """The JSON Schema (2020-12) of a payload as it is read; its id is the event's ``dataschema``."""
    identity = {
        "$schema": DIALECT,
        "$id": f"urn:{message.type.replace('.', ':')}",
        "x-topic": message.topic_template,
        "x-key": message.key_field,
    }
    return identity | message.model_json_schema()


def type_of(described: Schema) -> str:
    """The CloudEvents type that a schema made here describes."""
    return str(described["$id"]).removeprefix("urn:").replace(":", ".")


def described_by(record: type[Record]) -> str:
    """Its own docstring on one line, in Markdown; empty where it has none."""
    return " ".join((record.__dict__.get("__doc__") or "").replace("``", "`").split())
