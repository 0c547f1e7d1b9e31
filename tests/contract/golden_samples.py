"""The golden samples as they are committed: for each type, superseded ones too, one minimal and full payloads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"


def golden_types() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in GOLDEN.glob("*.json")))


def golden(type_: str) -> tuple[dict[str, Any], ...]:
    """Minimal, then the full ones: one for each time that fields were added, the newest last."""
    return tuple(json.loads((GOLDEN / f"{type_}.json").read_text()).values())


def golden_payloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and payload of every sample."""
    for type_ in golden_types():
        for payload in golden(type_):
            yield type_, payload
