"""What may change between two revisions of a message's JSON Schema (2020-12) within one major version.

Topics are replayed, so a new reader meets old records; hospitals upgrade late, so an old reader meets new records.
Both must succeed: fields that both revisions know keep all their rules, and a new field is optional.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.contract.language import Schema, type_of

FOR_PEOPLE = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "examples"})
BY_NAME = frozenset({"properties", "patternProperties"})
IN_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
INSIDE = frozenset({"items", "additionalProperties", "propertyNames"})
NESTED = BY_NAME | IN_LISTS | INSIDE
UNORDERED = frozenset({"enum", "required"})
DEFINITIONS = "#/$defs/"


def forbidden(old: Schema, new: Schema) -> list[str]:
    """Every edit that a reader of either revision would stumble over, one sentence each with its remedy."""
    remedy = f"or add {_next_major(type_of(old))} and an upcaster"
    return [f"{type_of(old)}: {edit}, {remedy}" for edit in _of_values(rules(old), rules(new), "the message")]


def rules(described: Schema) -> Schema:
    """What a validator heeds: without texts for people, references resolved, in a fixed order."""
    return _heeded(described, described.get("$defs", {}))


def _heeded(described: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if "$ref" in described:
        target = definitions[described["$ref"].removeprefix(DEFINITIONS)]
        return _heeded(target | {word: value for word, value in described.items() if word != "$ref"}, definitions)
    words = sorted(described.keys() - FOR_PEOPLE)
    return {word: _heeded_value(word, described[word], definitions) for word in words}


def _heeded_value(word: str, value: Any, definitions: Mapping[str, Schema]) -> Any:
    if word in BY_NAME:
        return {name: _heeded(inner, definitions) for name, inner in value.items()}
    if word in IN_LISTS:
        return [_heeded(inner, definitions) for inner in value]
    if word in INSIDE and isinstance(value, dict):
        return _heeded(value, definitions)
    return sorted(value, key=repr) if word in UNORDERED else value


def _of_values(old: Schema, new: Schema, place: str) -> Iterator[str]:
    yield from _of_fields(old, new, place)
    for word in sorted(((old.keys() | new.keys()) - {"properties", "required"}), key=_by_weight):
        before, after = old.get(word), new.get(word)
        if before == after:
            continue
        if word in NESTED and _can_be_paired(word, before, after):
            yield from _of_parts(word, before, after, place)
        else:
            yield _of_word(word, before, after, place)


def _of_fields(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = old.get("required", ()), new.get("required", ())
    for name in sorted(before.keys() - after.keys()):
        yield f"`{name}` of {place} is gone, and late readers and replayed records need it: keep it"
    for name in sorted((after.keys() - before.keys()) & set(needed_after)):
        yield f"`{name}` of {place} is new and required: make the field optional with a default"
    for name in sorted(before.keys() & after.keys()):
        if name in needed_after and name not in needed_before:
            yield f"`{name}` of {place} became required, and records without it are kept for ever: keep it optional"
        if name in needed_before and name not in needed_after:
            yield f"`{name}` of {place} became optional, and late readers refuse a message without it: keep it required"
        yield from _of_values(before[name], after[name], f"`{name}`")


def _of_parts(word: str, before: Any, after: Any, place: str) -> Iterator[str]:
    if word in IN_LISTS:
        for one, other in zip(before, after, strict=True):
            yield from _of_values(one, other, place)
    elif word in BY_NAME:
        for name in before:
            yield from _of_values(before[name], after[name], f"the values of {place}")
    else:
        yield from _of_values(before, after, f"the values of {place}")


def _can_be_paired(word: str, before: Any, after: Any) -> bool:
    if word in IN_LISTS:
        return len(before or ()) == len(after or ())
    both_are_schemas = isinstance(before, dict) and isinstance(after, dict)
    return both_are_schemas and (word in INSIDE or before.keys() == after.keys())


def _of_word(word: str, before: Any, after: Any, place: str) -> str:
    match word:
        case "enum" if isinstance(before, list) and isinstance(after, list):
            return _of_enum(before, after, place)
        case "type":
            return f"{place} changed type from {_shown(before)} to {_shown(after)}: add a field of another name"
        case "default":
            change = f"from {_shown(before)} to {_shown(after)}"
            return f"the default of {place} changed {change}, and whoever leaves it out means the old one: keep it"
        case "x-topic" | "x-key":
            return f"its {word.removeprefix('x-')} changed from {before} to {after}, where nobody looks: keep it"
        case _:
            change = f"from {_shown(before)} to {_shown(after)}"
            return f"`{word}` of {place} changed {change}, and what one side accepts the other refuses: keep it"


def _of_enum(before: list[Any], after: list[Any], place: str) -> str:
    gone, new = [value for value in before if value not in after], [value for value in after if value not in before]
    if gone:
        return f"{place} no longer takes {_shown(gone)}, and records that hold it are kept for ever: keep it"
    return f"{place} now takes {_shown(new)}, and late readers refuse it: say it in a new optional field"


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value)


def _by_weight(word: str) -> tuple[bool, str]:
    """The type first: what follows from it is said after it."""
    return word != "type", word


def _next_major(type_: str) -> str:
    name, _, version = type_.rpartition(".v")
    return f"{name}.v{int(version) + 1}"
