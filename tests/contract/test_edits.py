"""Which edits of a message are forbidden, and what the sentence says to do instead."""

from typing import Any

import pytest

from infra.contract.compatibility import forbidden
from infra.contract.language import Schema

STEP = {"type": "object", "properties": {"state": {"enum": ["moving", "done"]}}, "required": ["state"]}
COUNT = {"type": "integer", "minimum": 0, "title": "Count"}
FIELDS: dict[str, Any] = {
    "run_id": {"type": "string", "pattern": "^r"},
    "count": COUNT,
    "state": {"type": "string", "enum": ["moving", "done"]},
    "note": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "default": None},
    "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}, "default": []},
    "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
    "rounds": {"type": "integer", "default": 3},
    "codes": {"type": "object", "patternProperties": {"^[a-z]$": {"type": "string"}}},
}
REQUIRED = ["run_id", "count", "state", "metrics"]


def schema(
    *,
    without: str = "",
    required: list[str] = REQUIRED,
    step: Schema = STEP,
    about: Schema | None = None,
    **fields: Any,
) -> Schema:
    kept = {name: field for name, field in (FIELDS | fields).items() if name != without}
    return {
        "$id": "urn:trustflow:training:run_seen:v1",
        "x-topic": "training.events",
        "x-key": "run_id",
        "$defs": {"Step": step},
        "type": "object",
        "properties": kept,
        "required": [name for name in required if name != without],
    } | (about or {})


def deeper(**changed: Any) -> Schema:
    return STEP | {"properties": STEP["properties"] | changed}


OLD = schema()
REMEDY = "or add trustflow.training.run_seen.v2 and an upcaster"
FORBIDDEN = {
    "a field is removed": (schema(without="note"), "`note` of the message is gone", "keep it"),
    "a required field is removed": (schema(without="count"), "`count` of the message is gone", "keep it"),
    "a field is renamed": (schema(without="note", notes=FIELDS["note"]), "`note` of the message is gone", "keep it"),
    "a new field is required": (
        schema(size={"type": "integer"}, required=[*REQUIRED, "size"]),
        "`size` of the message is new and required",
        "make the field optional with a default",
    ),
    "optional becomes required": (
        schema(required=[*REQUIRED, "note"]),
        "`note` of the message became required",
        "keep it optional",
    ),
    "required becomes optional": (
        schema(required=REQUIRED[:-1]),
        "`metrics` of the message became optional",
        "keep it required",
    ),
    "the type changes": (schema(count={"type": "string"}), "`count` changed type", "add a field of another name"),
    "null is added": (
        schema(count={"anyOf": [COUNT, {"type": "null"}]}),
        '`count` changed type from "integer" to nothing',
        "add a field of another name",
    ),
    "a bound is narrowed": (
        schema(count=COUNT | {"minimum": 1}),
        "`minimum` of `count` changed from 0 to 1",
        "keep it",
    ),
    "a bound is widened": (schema(count={"type": "integer"}), "`minimum` of `count` changed from 0 to nothing", "keep"),
    "a bound is added": (
        schema(count=COUNT | {"maximum": 9}),
        "`maximum` of `count` changed from nothing to 9",
        "keep",
    ),
    "a pattern changes": (schema(run_id={"type": "string", "pattern": "^run"}), "`pattern` of `run_id`", "keep it"),
    "a format is added": (
        schema(run_id=FIELDS["run_id"] | {"format": "uuid"}),
        "`format` of `run_id` changed from nothing",
        "keep it",
    ),
    "an enum loses a word": (schema(state={"type": "string", "enum": ["done"]}), "`state` no longer takes", "keep it"),
    "an enum gains a word": (
        schema(state={"type": "string", "enum": ["moving", "done", "paused"]}),
        '`state` now takes ["paused"], and late readers refuse it',
        "say it in a new optional field",
    ),
    "a default changes": (
        schema(rounds={"type": "integer", "default": 4}),
        "the default of `rounds` changed",
        "keep it",
    ),
    "a choice of a nullable field changes": (
        schema(note={"anyOf": [{"type": "string", "maxLength": 8}, {"type": "null"}], "default": None}),
        "`maxLength` of `note` changed from 9 to 8",
        "keep it",
    ),
    "a choice is added": (
        schema(note={"anyOf": [*FIELDS["note"]["anyOf"], {"type": "integer"}], "default": None}),
        "`anyOf` of `note` changed",
        "keep it",
    ),
    "a map's values change": (
        schema(metrics={"type": "object", "additionalProperties": {"type": "integer"}}),
        'the values of `metrics` changed type from "number" to "integer"',
        "add a field of another name",
    ),
    "the keys of a map change": (
        schema(codes={"type": "object", "patternProperties": {"^[a-c]$": {"type": "string"}}}),
        "`patternProperties` of `codes` changed",
        "keep it",
    ),
    "a list is no list any more": (
        schema(steps={"type": "object", "additionalProperties": STEP, "default": []}),
        '`steps` changed type from "array" to "object"',
        "add a field of another name",
    ),
    "a record inside a list loses a word": (
        schema(step=deeper(state={"enum": ["done"]})),
        "`state` no longer takes",
        "keep it",
    ),
    "a record inside a list needs more": (
        schema(step=deeper(at={"type": "string"}) | {"required": ["state", "at"]}),
        "`at` of the values of `steps` is new and required",
        "make the field optional",
    ),
    "the topic changes": (schema(about={"x-topic": "run.events"}), "its topic changed from training.events", "keep it"),
    "the key changes": (schema(about={"x-key": "state"}), "its key changed from run_id to state", "keep it"),
}
ALLOWED = {
    "nothing": schema(),
    "a new optional field": schema(size={"type": "integer", "default": 0}),
    "a new optional field deeper down": schema(step=deeper(at={"type": "string"})),
    "texts for people": schema(count=COUNT | {"title": "How many", "description": "Runs."}),
    "an enum in another order": schema(state={"type": "string", "enum": ["done", "moving"]}),
    "required in another order": schema(required=REQUIRED[::-1]),
    "a definition written out in place": schema(steps={"type": "array", "items": STEP, "default": []}),
}


@pytest.mark.parametrize("edit", FORBIDDEN)
def test_a_forbidden_edit_is_told_with_its_remedy(edit: str) -> None:
    new, fault, remedy = FORBIDDEN[edit]
    told = [sentence for sentence in forbidden(OLD, new) if fault in sentence]
    assert told, forbidden(OLD, new)
    assert told[0].startswith("trustflow.training.run_seen.v1: ")
    assert remedy in told[0]
    assert told[0].endswith(REMEDY)


@pytest.mark.parametrize("edit", ALLOWED)
def test_an_edit_that_everybody_survives_is_allowed(edit: str) -> None:
    assert forbidden(OLD, ALLOWED[edit]) == []


@pytest.mark.parametrize("name", ["title", "description", "properties", "items", "enum", "anyOf"])
def test_a_field_may_be_called_like_a_word_of_json_schema(name: str) -> None:
    old, new = schema(**{name: {"type": "string"}}), schema(**{name: {"type": "integer"}})
    assert forbidden(old, old) == []
    assert any(f"`{name}` changed type" in edit for edit in forbidden(old, new))
