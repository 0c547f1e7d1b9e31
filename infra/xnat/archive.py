"""Every change of the archive: first on disk, then in memory. All of it runs in one thread, step by step."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.xnat import disk, names
from infra.xnat.model import CHILD_KINDS, FileNotes, Kind, Node, Resource, StoredFile
from infra.xnat.refusal import bad_request, conflict, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

_MINTED: dict[Kind, str] = {"subjects": "XNAT_S", "experiments": "XNAT_E"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that has arrived whole but has no place yet."""

    location: Path
    size: int
    md5: str


class Archive:
    """The archive below `root`, held in memory as an index and rebuilt from disk at start."""

    def __init__(self, root: Path, now: Callable[[], datetime]) -> None:
        self._root = root
        self._now = now
        self._counters_file = root / "counters.json"
        shutil.rmtree(root / "incoming", ignore_errors=True)
        (root / "incoming").mkdir(parents=True)
        self._counters: dict[str, int] = (
            json.loads(self._counters_file.read_text()) if self._counters_file.exists() else {}
        )
        self.projects = disk.load_nodes("projects", root / "projects", None)

    def incoming(self) -> Path:
        """Return a fresh path, on the archive's own file system, for something that is still arriving."""
        return self._root / "incoming" / uuid4().hex

    def create(self, kind: Kind, name: str, parent: Node | None, fields: dict[str, str], by: str) -> Node:
        """Make a node; subjects and experiments get an ID of the site and keep `name` as their label."""
        node = self._new(kind, name, parent, fields, by)
        disk.save_node(node)
        self._siblings(node)[node.id] = node
        return node

    def draft(self, kind: Kind, name: str, parent: Node, fields: dict[str, str], by: str) -> Node:
        """Make a node that nobody sees until `adopt`: it may be filled in peace, and dies with the process."""
        node = self._new(kind, name, parent, fields, by)
        node.folder = self.incoming()
        disk.save_node(node)
        return node

    def adopt(self, draft: Node) -> None:
        """Put a filled draft in its place in one step."""
        folder = self._home(draft)
        folder.parent.mkdir(exist_ok=True)
        draft.folder.rename(folder)
        self._siblings(draft)[draft.id] = disk.load_node(draft.kind, folder, draft.parent)

    def _new(self, kind: Kind, name: str, parent: Node | None, fields: dict[str, str], by: str) -> Node:
        stamp = {"insert_date": self._now().strftime("%Y-%m-%d %H:%M:%S.0"), "insert_user": by}
        labelled = {"label": names.label(name, "label")} if kind in _MINTED else {}
        node = Node(kind, self._mint(kind, name), self._root, parent, fields | stamp | labelled)
        node.folder = self._home(node)
        node.children = {child: {} for child in CHILD_KINDS[kind]}
        return node

    def _home(self, node: Node) -> Path:
        return (node.parent.folder if node.parent else self._root) / node.kind / node.id

    def _mint(self, kind: Kind, name: str) -> str:
        if kind in _MINTED:
            return f"{_MINTED[kind]}{self.next_number(kind):05d}"
        return names.project_id(name) if kind == "projects" else names.label(name, "scan ID")

    def next_number(self, what: str) -> int:
        """Return a number never given before, however often the archive was stopped."""
        self._counters[what] = self._counters.get(what, 0) + 1
        disk.write_json(self._counters_file, self._counters)
        return self._counters[what]

    def _siblings(self, node: Node) -> dict[str, Node]:
        return node.parent.children[node.kind] if node.parent else self.projects

    def update(self, node: Node, fields: dict[str, str]) -> None:
        """Set fields; a label must stay unique among its siblings."""
        new_label = fields.get("label", node.label)
        if new_label != node.label and any(new_label == s.label for s in self._siblings(node).values()):
            raise conflict("label: another one in this project already has it, choose another")
        if "label" in fields:
            names.label(new_label, "label")
        node.fields |= fields
        disk.save_node(node)

    def set_members(self, project: Node, members: dict[str, str]) -> None:
        project.members = members
        disk.save_node(project)

    def delete(self, node: Node) -> None:
        """Remove a node with everything below; a subject takes its experiments with it."""
        below = list(node.under("experiments")) if node.kind == "subjects" else []
        for each in [*below, node]:
            self._discard(each.folder)
            del self._siblings(each)[each.id]

    def _discard(self, folder: Path) -> None:
        gone = self.incoming()
        folder.rename(gone)
        shutil.rmtree(gone)

    def ensure_resource(self, node: Node, name: str, notes: FileNotes | None = None) -> Resource:
        """Return the resource of that label or number, made when missing."""
        resource = node.find_resource(name)
        if resource is None:
            folder = node.folder / "resources" / names.label(name, "resource label")
            resource = Resource(str(self.next_number("resources")), name, folder, notes or FileNotes())
            disk.save_resource(resource)
            node.resources[resource.label] = resource
        return resource

    def delete_resource(self, node: Node, resource: Resource) -> None:
        self._discard(resource.folder)
        del node.resources[resource.label]

    def store(self, resource: Resource, arrivals: dict[str, Arrival], notes: FileNotes, *, overwrite: bool) -> None:
        """Give arrived files their places, all or none: an existing file is kept unless `overwrite` (409)."""
        _check_free(resource, arrivals, overwrite=overwrite)
        files = list(_place(resource, arrivals, notes))
        disk.append_files(resource, files)
        resource.files |= {file.path: file for file in files}

    def delete_file(self, resource: Resource, path: str) -> None:
        if path not in resource.files:
            raise not_found("file: there is none of that name in this resource")
        resource.location(path).unlink()
        del resource.files[path]
        disk.rewrite_catalogue(resource)


def _check_free(resource: Resource, paths: Iterable[str], *, overwrite: bool) -> None:
    for path in map(names.file_path, paths):
        if path in resource.files and not overwrite:
            raise conflict("file: it exists already, ask with overwrite=true to replace it")
        if resource.location(path).is_dir() or any(p.is_file() for p in _folders_of(resource, path)):
            raise bad_request("file path: one name can't be both a file and a folder")


def _folders_of(resource: Resource, path: str) -> list[Path]:
    parts = path.split("/")
    return [resource.location("/".join(parts[:length])) for length in range(1, len(parts))]


def _place(resource: Resource, arrivals: dict[str, Arrival], notes: FileNotes) -> Iterator[StoredFile]:
    for path, arrival in arrivals.items():
        place = resource.location(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        arrival.location.rename(place)
        yield StoredFile(path, arrival.size, arrival.md5, place.stat().st_mtime_ns, notes)
