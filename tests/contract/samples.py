"""Golden samples: for every message one with required fields only, one with all of them.

`python tests/contract/samples.py` adds the samples that are missing: of a new type both, of a type that has got fields
another full one (``full_2`` and so on). One that exists is never written again: records like it lie in topics for ever.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.contract.language import message_types
from schemas.manifest import Part, TensorSpec, cuts, layout, manifest_of, part_path
from schemas.message import Message

GOLDEN = Path(__file__).parent / "golden"
DIGEST = "ab" * 32
MOMENT = "2026-11-21T09:00:00Z"
ADDRESS = "https://objects.example/runs/r1/00000?md5=x&expires=1"
BY_PATTERN = {
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$": "019aa6a0-7d3c-7f10-8a44-0c53f8b0a001",
    "^[a-z][a-z0-9-]{0,30}$": "amber",
    "^[0-9a-f]{64}$": DIGEST,
    "^[a-z0-9][a-z0-9._@-]{0,63}$": "ada@example",
    "^[a-z][a-z0-9_]{1,47}$": "timed_out",
    "^[a-z][a-z0-9_]{0,39}$": "accuracy",
    "^[AS][0-9a-f]{16}$": "S0123456789abcdef",
    "^[A-Za-z0-9+/]{86}==$": "A" * 86 + "==",
}
NEVER_TOGETHER = {"trustflow.trust.study_advanced.v2": {"arrived": False, "rest": None}}
"""What a full sample says where its fields exclude each other."""

TENSORS = (TensorSpec(name="layer.weight", dtype="F32", shape=(2, 3)),)


def sample(message: type[Message], *, full: bool) -> dict[str, Any]:
    schema = message.model_json_schema()
    payload = Sampler(schema.get("$defs", {}), full=full).of_object(schema)
    said = payload | (NEVER_TOGETHER.get(message.type, {}) if full else {})
    return {name: value for name, value in said.items() if value is not None}


class Sampler:
    """Fills a JSON Schema; objects whose fields depend on each other are made whole."""

    def __init__(self, definitions: Mapping[str, Any], *, full: bool) -> None:
        self.definitions = definitions
        self.full = full

    def of_object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        required = schema.get("required", [])
        names = schema["properties"] if self.full else required
        return {name: self.of(schema["properties"][name]) for name in names}

    def of(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self.of_definition(schema["$ref"].rpartition("/")[2])
        if "anyOf" in schema:
            return self.of(schema["anyOf"][0])
        if "enum" in schema:
            return schema["enum"][0]
        return self.of_type(schema)

    def of_definition(self, name: str) -> Any:
        whole = {"Manifest": manifest, "DownloadGrant": download, "UploadGrant": upload}
        return whole[name]() if name in whole else self.of_object(self.definitions[name])

    def of_type(self, schema: Mapping[str, Any]) -> Any:
        match schema.get("type"):
            case "array":
                return [self.of(schema["items"])] if self.full else []
            case "object":
                key = BY_PATTERN[next(iter(schema.get("patternProperties", {})), "^[a-z][a-z0-9_]{0,39}$")]
                inner = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
                return {key: self.of(inner)} if self.full else {}
            case "integer":
                return max(schema.get("minimum", 0), 3)
            case "number":
                return 0.75
            case "boolean":
                return True
            case _:
                return of_string(schema)


def of_string(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return MOMENT
    return BY_PATTERN.get(schema.get("pattern", ""), "A sentence; with ümlauts.")[: schema.get("maxLength")]


def manifest() -> dict[str, Any]:
    parts = (Part(index=0, size=layout(TENSORS).size, sha256=DIGEST),)
    return manifest_of("runs/r1/model", parts, TENSORS).model_dump(mode="json")


def download() -> dict[str, Any]:
    return {"manifest": manifest(), "urls": [ADDRESS], "expires_at": MOMENT}


def upload() -> dict[str, Any]:
    part_size, max_size = 8, 20
    urls = [f"https://objects.example/{part_path('runs/r1', index)}" for index in range(len(cuts(max_size, part_size)))]
    return {
        "prefix": "runs/r1",
        "urls": urls,
        "part_size": part_size,
        "max_size": max_size,
        "expires_at": MOMENT,
    }


def file_of(message: type[Message]) -> Path:
    return GOLDEN / f"{message.type}.json"


def add_missing() -> list[str]:
    """Write what is missing and return its types; each sample is proven to parse before it is kept."""
    return [message.type for message in message_types() if _add_to(message)]


def _add_to(message: type[Message]) -> bool:
    kept = json.loads(file_of(message).read_text()) if file_of(message).exists() else {}
    added = _missing(message, kept)
    for payload in added.values():
        message.parse(json.dumps(payload).encode())
    if added:
        file_of(message).write_text(json.dumps(kept | added, indent=2, ensure_ascii=False) + "\n")
    return bool(added)


def _missing(message: type[Message], kept: Mapping[str, Any]) -> dict[str, Any]:
    full = sample(message, full=True)
    if not kept:
        return {"minimal": sample(message, full=False), "full": full}
    known = fields(kept[next(reversed(kept))])
    return {} if fields(full) <= known else {f"full_{len(kept)}": full}


def fields(payload: Any) -> set[tuple[str, ...]]:
    """Return the path of every field of a payload, those of the objects in it too."""
    if isinstance(payload, list):
        return {path for item in payload for path in fields(item)}
    if not isinstance(payload, dict):
        return set()
    deeper = {(name, *path) for name, value in payload.items() for path in fields(value)}
    return deeper | {(name,) for name in payload}


if __name__ == "__main__":
    add_missing()
