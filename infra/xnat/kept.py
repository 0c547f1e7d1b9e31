"""Settings that are documents: anonymisation scripts, subscriptions. One small JSON file each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.xnat.disk import write_json

if TYPE_CHECKING:
    from pathlib import Path


class Kept:
    """The documents below `folder`, by their names; names come from us or are project IDs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> dict[str, Any]:
        """Return the document, or an empty one when nothing was ever kept under that name."""
        file = self._file(name)
        found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return found

    def write(self, name: str, document: dict[str, Any]) -> None:
        write_json(self._file(name), document)

    def drop(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
