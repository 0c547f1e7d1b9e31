"""How the archive lies on disk: a folder and a small JSON document per node, a line per file.

A document is written beside its place and renamed onto it; a file's line carries the time of change that the
file had when it was renamed into place. So a process killed anywhere leaves either the old state or the new.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from infra.xnat.model import CHILD_KINDS, FileNotes, Kind, Node, Resource, StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.xnat.model import Shelf

NODE = "node.json"
RESOURCE = "resource.json"
_CATALOGUE = "catalogue.jsonl"
_PIECE = 1 << 20


def write_json(path: Path, document: Any) -> None:
    """Replace the document at `path` in one step; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{uuid4().hex}")
    beside.write_text(json.dumps(document, indent=1))
    beside.replace(path)


def save_node(node: Node) -> None:
    write_json(node.folder / NODE, {"id": node.id, "fields": node.fields, "members": node.members})


def save_resource(resource: Resource) -> None:
    described = {"id": resource.id, "label": resource.label, "notes": asdict(resource.notes)}
    write_json(resource.folder / RESOURCE, described)


def append_files(resource: Resource, files: Iterable[StoredFile]) -> None:
    """Note files in the resource's catalogue; the last line for a path counts."""
    with (resource.folder / _CATALOGUE).open("a") as catalogue:
        catalogue.write(_lines(files))


def rewrite_catalogue(resource: Resource, files: Iterable[StoredFile]) -> None:
    beside = resource.folder / f".{uuid4().hex}"
    beside.write_text(_lines(files))
    beside.replace(resource.folder / _CATALOGUE)


def _lines(files: Iterable[StoredFile]) -> str:
    return "".join(json.dumps(asdict(file)) + "\n" for file in files)


def load_nodes(kind: Kind, folder: Path, parent: Node | None, shelf: Shelf) -> dict[str, Node]:
    nodes = (load_node(kind, each, parent, shelf) for each in _folders(folder) if (each / NODE).exists())
    return {node.id: node for node in nodes}


def load_node(kind: Kind, folder: Path, parent: Node | None, shelf: Shelf) -> Node:
    document = json.loads((folder / NODE).read_text())
    node = Node(kind, document["id"], folder, parent, document["fields"], document["members"])
    node.children = {child: load_nodes(child, folder / child, node, shelf) for child in CHILD_KINDS[kind]}
    found = (each for each in _folders(folder / "resources") if (each / RESOURCE).exists())
    node.resources = {resource.label: resource for resource in (load_resource(each, shelf) for each in found)}
    return node


def load_resource(folder: Path, shelf: Shelf) -> Resource:
    document = json.loads((folder / RESOURCE).read_text())
    resource = Resource(document["id"], document["label"], folder, shelf, FileNotes(**document["notes"]))
    resource.count()
    return resource


def read_files(resource: Resource) -> dict[str, StoredFile]:
    """Return the files that are really there; only those that the catalogue does not know as they are get hashed."""
    noted = _noted_files(resource.folder / _CATALOGUE)
    files = {path: _proven(resource, path, noted.get(path)) for path in _paths(resource.folder / "files")}
    if files != noted:
        rewrite_catalogue(resource, files.values())
    return files


def _proven(resource: Resource, path: str, noted: StoredFile | None) -> StoredFile:
    """Return the noted file when it is still the one on disk, else what is really there."""
    place = resource.location(path)
    found = place.stat()
    if noted and (noted.size, noted.modified_ns) == (found.st_size, found.st_mtime_ns):
        return noted
    digests = Digests()
    with place.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digests.update(piece)
    return StoredFile(path, found.st_size, digests.md5(), digests.crc32, found.st_mtime_ns)


class Digests:
    """The MD5 that XNAT lists and the CRC-32 that a zip needs, in one pass."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.crc32 = 0

    def update(self, piece: bytes) -> None:
        self._md5.update(piece)
        self.crc32 = zlib.crc32(piece, self.crc32)

    def md5(self) -> str:
        return self._md5.hexdigest()


def _noted_files(catalogue: Path) -> dict[str, StoredFile]:
    lines = catalogue.read_text().split("\n") if catalogue.exists() else []
    # A line is whole once its line feed is there: a kill in the middle of an append leaves a part without one.
    # A line of an older archive has no CRC-32: its file is hashed once more.
    documents = [document for line in lines[:-1] if "crc32" in (document := json.loads(line))]
    return {d["path"]: StoredFile(**d | {"notes": FileNotes(**d["notes"])}) for d in documents}


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def _paths(folder: Path) -> list[str]:
    return sorted(str((Path(top) / name).relative_to(folder)) for top, _, found in os.walk(folder) for name in found)
