"""Which lists of files are in memory: those looked at last, read from disk when somebody asks."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from infra.xnat import disk

if TYPE_CHECKING:
    from pathlib import Path

    from infra.xnat.model import Resource, StoredFile


class LatestLists:
    """Keeps the file lists of the `most` resources that were asked for last."""

    def __init__(self, most: int = 2_000) -> None:
        self._most = most
        self._lists: OrderedDict[Path, dict[str, StoredFile]] = OrderedDict()

    def files(self, resource: Resource) -> dict[str, StoredFile]:
        """Return a resource's files; a list read anew is compared with what lies on disk."""
        kept = self._lists.get(resource.folder)
        if kept is None:
            kept = self._lists[resource.folder] = disk.read_files(resource)
            while len(self._lists) > self._most:
                self._lists.popitem(last=False)
        self._lists.move_to_end(resource.folder)
        return kept

    def forget(self, folder: Path) -> None:
        """Let go of the lists of a folder and of everything below it."""
        for gone in [each for each in self._lists if each.is_relative_to(folder)]:
            del self._lists[gone]
