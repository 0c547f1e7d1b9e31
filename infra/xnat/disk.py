"""How the archive lies on disk: a folder and a small JSON document per node, a line per file.

A document is written beside its place and renamed onto it; a file's line carries the time of change that the
file had when it was renamed into place. So a process killed anywhere leaves either the old state or the new.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from infra.xnat.model import CHILD_KINDS, FileNotes, Kind, Node, Resource, StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable

_NODE = "node.json"
_RESOURCE = "resource.json"
_CATALOGUE = "catalogue.jsonl"


def write_json(path: Path, document: Any) -> None:
    """Replace the document at `path` in one step; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{uuid4().hex}")
    beside.write_text(json.dumps(document, indent=1))
    beside.replace(path)


def save_node(node: Node) -> None:
    write_json(node.folder / _NODE, {"id": node.id, "fields": node.fields, "members": node.members})


def save_resource(resource: Resource) -> None:
    described = {"id": resource.id, "label": resource.label, "notes": asdict(resource.notes)}
    write_json(resource.folder / _RESOURCE, described)


def append_files(resource: Resource, files: Iterable[StoredFile]) -> None:
    """Note files in the resource's catalogue; the last line for a path counts."""
    with (resource.folder / _CATALOGUE).open("a") as catalogue:
        catalogue.write(_lines(files))


def rewrite_catalogue(resource: Resource) -> None:
    beside = resource.folder / f".{uuid4().hex}"
    beside.write_text(_lines(resource.files.values()))
    beside.replace(resource.folder / _CATALOGUE)


def _lines(files: Iterable[StoredFile]) -> str:
    return "".join(json.dumps(asdict(file)) + "\n" for file in files)


def load_nodes(kind: Kind, folder: Path, parent: Node | None) -> dict[str, Node]:
    nodes = (load_node(kind, each, parent) for each in _folders(folder) if (each / _NODE).exists())
    return {node.id: node for node in nodes}


def load_node(kind: Kind, folder: Path, parent: Node | None) -> Node:
    document = json.loads((folder / _NODE).read_text())
    node = Node(kind, document["id"], folder, parent, document["fields"], document["members"])
    node.children = {child: load_nodes(child, folder / child, node) for child in CHILD_KINDS[kind]}
    resources = (load_resource(each) for each in _folders(folder / "resources") if (each / _RESOURCE).exists())
    node.resources = {resource.label: resource for resource in resources}
    return node


def load_resource(folder: Path) -> Resource:
    document = json.loads((folder / _RESOURCE).read_text())
    resource = Resource(document["id"], document["label"], folder, FileNotes(**document["notes"]))
    noted = _noted_files(folder / _CATALOGUE)
    resource.files = {path: _proven(resource, path, noted.get(path)) for path in _paths(folder / "files")}
    if resource.files != noted:
        rewrite_catalogue(resource)
    return resource


def _proven(resource: Resource, path: str, noted: StoredFile | None) -> StoredFile:
    """Return the noted file when it is still the one on disk, else what is really there."""
    place = resource.location(path)
    found = place.stat()
    if noted and (noted.size, noted.modified_ns) == (found.st_size, found.st_mtime_ns):
        return noted
    with place.open("rb") as stream:
        md5 = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return StoredFile(path, found.st_size, md5, found.st_mtime_ns)


def _noted_files(catalogue: Path) -> dict[str, StoredFile]:
    lines = catalogue.read_text().split("\n") if catalogue.exists() else []
    # A line is whole once its line feed is there: a kill in the middle of an append leaves a part without one.
    documents = [json.loads(line) for line in lines[:-1]]
    return {d["path"]: StoredFile(**d | {"notes": FileNotes(**d["notes"])}) for d in documents}


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def _paths(folder: Path) -> list[str]:
    return sorted(str((Path(top) / name).relative_to(folder)) for top, _, found in os.walk(folder) for name in found)
