"""The checker against a validator: what it allows, readers of both revisions survive, whatever the schemas are."""

from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from infra.contract.compatibility import forbidden
from infra.contract.language import Schema

IDENTITY = {"$id": "urn:trustflow:a:b:v1", "x-topic": "a.events", "x-key": "k"}
NAMES = ("state", "count", "note", "title", "properties")
WORDS = ("moving", "done", "paused")

leaves = st.one_of(
    st.just({"type": "boolean"}),
    st.builds(lambda least: {"type": "integer", "minimum": least}, st.integers(0, 2)),
    st.builds(lambda most: {"type": "string", "maxLength": most}, st.integers(2, 4)),
    st.builds(
        lambda words: {"type": "string", "enum": words}, st.lists(st.sampled_from(WORDS), min_size=1, unique=True)
    ),
)


def nested(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(
        st.builds(lambda one: {"anyOf": [one, {"type": "null"}], "default": None}, inner),
        st.builds(lambda one: {"type": "array", "items": one}, inner),
        st.builds(lambda one: {"type": "object", "additionalProperties": one}, inner),
        records(inner),
    )


def records(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    fields = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    return fields.flatmap(
        lambda found: st.builds(
            lambda needed: {"type": "object", "properties": found, "required": needed},
            st.lists(st.sampled_from(sorted(found)), unique=True) if found else st.just([]),
        )
    )


values = st.recursive(leaves, nested, max_leaves=3)
messages = records(values).map(lambda record: IDENTITY | record)


def instances(schema: Schema, *, whole: bool = False) -> st.SearchStrategy[Any]:
    """What a writer of this schema writes: declared fields only, all of them when ``whole``; values at their bounds."""
    match schema:
        case {"anyOf": choices}:
            return st.one_of(*(instances(choice, whole=whole) for choice in choices))
        case {"enum": words}:
            return st.sampled_from(words)
        case {"properties": fields, "required": needed}:
            kinds = {name: instances(field, whole=whole) for name, field in fields.items()}
            written = {name: kind for name, kind in kinds.items() if whole or name in needed}
            return st.fixed_dictionaries(
                written, optional={name: kinds[name] for name in kinds.keys() - written.keys()}
            )
        case {"additionalProperties": inner}:
            return st.dictionaries(st.sampled_from(NAMES), instances(inner, whole=whole), min_size=whole, max_size=2)
        case {"type": "array", "items": inner}:
            return st.lists(instances(inner, whole=whole), min_size=whole, max_size=2)
        case {"type": "integer", "minimum": least}:
            return st.just(least)
        case {"type": "string", "maxLength": most}:
            return st.just("a" * most)
        case {"type": "boolean"}:
            return st.booleans()
        case _:
            return st.none()


def places(schema: Schema) -> list[Schema]:
    """Every schema inside this one, itself included; the very objects, to be edited."""
    inner = [*schema.get("anyOf", []), *schema.get("properties", {}).values()]
    inner += [schema[word] for word in ("items", "additionalProperties") if word in schema]
    return [schema, *(place for part in inner for place in places(part))]


@st.composite
def edited(draw: st.DrawFn, old: Schema) -> Schema:
    """The schema with up to two edits somewhere in it, allowed ones and forbidden ones."""
    new = deepcopy(old)
    for _ in range(draw(st.integers(1, 2))):
        edit_one(draw, draw(st.sampled_from(places(new)[::-1])))
    return new


def edit_one(draw: st.DrawFn, place: Schema) -> None:
    if "properties" in place:
        edit_record(draw, place)
    else:
        replaced = nudged(place) if draw(st.booleans()) else draw(leaves)
        place.clear()
        place.update(replaced)


def nudged(place: Schema) -> Schema:
    """The same kind of value with a slightly other rule."""
    match place:
        case {"minimum": least}:
            return place | {"minimum": least + 1}
        case {"maxLength": most}:
            return place | {"maxLength": most - 1}
        case {"enum": words}:
            return place | {"enum": sorted({*words, *WORDS})}
        case _:
            return dict(place)


def edit_record(draw: st.DrawFn, place: Schema) -> None:
    fields, name = place["properties"], draw(st.sampled_from(NAMES))
    match draw(st.sampled_from(["add", "remove", "require", "release", "describe"])):
        case "add":
            fields.setdefault(name, deepcopy(draw(values)))
        case "remove":
            fields.pop(name, None)
            place["required"] = [other for other in place["required"] if other != name]
        case "require" if name in fields:
            place["required"] = sorted({*place["required"], name})
        case "release":
            place["required"] = [other for other in place["required"] if other != name]
        case _:
            place["description"] = "Said in other words."


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.data(), messages)
def test_what_is_allowed_breaks_no_reader(data: st.DataObject, old: Schema) -> None:
    new = data.draw(edited(old))
    if forbidden(old, new):
        return
    for whole in (False, True, True):
        assert Draft202012Validator(new).is_valid(data.draw(instances(old, whole=whole)))
        assert Draft202012Validator(old).is_valid(data.draw(instances(new, whole=whole)))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.data(), messages)
def test_new_optional_fields_are_always_allowed(data: st.DataObject, old: Schema) -> None:
    new = deepcopy(old)
    for place in places(new):
        for name in NAMES:
            if "properties" in place and name not in place["properties"]:
                place["properties"][name] = deepcopy(data.draw(leaves))
    assert forbidden(old, new) == []


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.data(), messages)
def test_what_breaks_a_reader_is_forbidden_in_both_directions(data: st.DataObject, old: Schema) -> None:
    """A reader that is upgraded first and one that is upgraded last are the same two revisions."""
    new = data.draw(edited(old))
    by_new = data.draw(instances(new, whole=True))
    if not Draft202012Validator(old).is_valid(by_new):
        assert forbidden(old, new)
        assert forbidden(new, old)
