"""Every change of the archive: on disk, in the index, in memory. All of it runs in one thread, step by step."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.xnat import disk, names
from infra.xnat.index import Index
from infra.xnat.limits import Limits
from infra.xnat.model import CHILD_KINDS, FileNotes, Kind, Node, Resource, StoredFile
from infra.xnat.opening import open_projects
from infra.xnat.refusal import bad_request, conflict, not_found
from infra.xnat.shelf import LatestLists

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
    crc32: int


class Archive:
    """The archive below `root`; what hangs from what is held in memory, the lists of files are not."""

    def __init__(self, root: Path, now: Callable[[], datetime], limits: Limits | None = None) -> None:
        self.root = root
        self.now = now
        self.limits = limits or Limits()
        self.watchers: list[Callable[[str, Node], None]] = []
        self._counters_file = root / "counters.json"
        shutil.rmtree(root / "incoming", ignore_errors=True)
        (root / "incoming").mkdir(parents=True)
        self._counters: dict[str, int] = (
            json.loads(self._counters_file.read_text()) if self._counters_file.exists() else {}
        )
        self._shelf = LatestLists()
        self._index = Index(root)
        self.projects = open_projects(root, self._index, self._shelf)

    def close(self) -> None:
        self._index.close()

    @contextmanager
    def _changing(self, folder: Path) -> Iterator[None]:
        """Tell the index of a change; what is still in `incoming` is not its business."""
        is_noted = folder.is_relative_to(self.root / "projects")
        try:
            with self._index.changing(folder) if is_noted else nullcontext():
                yield
        except BaseException:
            # How far it got, only the disk knows.
            self._shelf.forget(folder)
            raise

    def _noted(self, node: Node) -> bool:
        return node.folder.is_relative_to(self.root / "projects")

    def incoming(self) -> Path:
        """Return a fresh path, on the archive's own file system, for something that is still arriving."""
        return self.root / "incoming" / uuid4().hex

    def create(self, kind: Kind, name: str, parent: Node | None, fields: dict[str, str], by: str) -> Node:
        """Make a node; subjects and experiments get an ID of the site and keep `name` as their label."""
        node = self._new(kind, name, parent, fields, by)
        self._save(node)
        self._siblings(node)[node.id] = node
        self._tell("CREATED", node)
        return node

    def _save(self, node: Node) -> None:
        with self._changing(node.folder):
            disk.save_node(node)
            if self._noted(node):
                self._index.put(node)

    def _tell(self, what: str, node: Node) -> None:
        if self._noted(node):
            for watcher in self.watchers:
                watcher(what, node)

    def draft(self, kind: Kind, name: str, parent: Node, fields: dict[str, str], by: str) -> Node:
        """Make a node that nobody sees until `adopt`: it may be filled in peace, and dies with the process."""
        node = self._new(kind, name, parent, fields, by)
        node.folder = self.incoming()
        disk.save_node(node)
        return node

    def adopt(self, draft: Node) -> None:
        """Put a filled draft in its place in one step."""
        folder, left = self._home(draft), draft.folder
        with self._changing(folder):
            folder.parent.mkdir(exist_ok=True)
            left.rename(folder)
            draft.folder = folder
            disk.save_node(draft)
            self._shelf.forget(left)
            adopted = disk.load_node(draft.kind, folder, draft.parent, self._shelf)
            self._index.put_all([adopted])
        self._siblings(draft)[draft.id] = adopted
        self._tell("CREATED", adopted)
        for scan in adopted.children.get("scans", {}).values():
            self._tell("CREATED", scan)

    def _new(self, kind: Kind, name: str, parent: Node | None, fields: dict[str, str], by: str) -> Node:
        stamp = {"insert_date": self.now().strftime("%Y-%m-%d %H:%M:%S.0"), "insert_user": by}
        labelled = {"label": names.label(name, "label")} if kind in _MINTED else {}
        node = Node(kind, self._mint(kind, name), self.root, parent, fields | stamp | labelled)
        node.folder = self._home(node)
        node.children = {child: {} for child in CHILD_KINDS[kind]}
        return node

    def _home(self, node: Node) -> Path:
        return (node.parent.folder if node.parent else self.root) / node.kind / node.id

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
        self._save(node)

    def set_members(self, project: Node, members: dict[str, str]) -> None:
        project.members = members
        self._save(project)

    def delete(self, node: Node) -> None:
        """Remove a node with everything below; a subject takes its experiments with it."""
        below = list(node.under("experiments")) if node.kind == "subjects" else []
        for each in [*below, node]:
            self.discard(each.folder)
            del self._siblings(each)[each.id]
            self._tell("DELETED", each)

    def discard(self, folder: Path) -> None:
        """Remove a folder in one step, then what was in it."""
        gone = self.incoming()
        with self._changing(folder):
            folder.rename(gone)
            self._index.drop(folder)
        self._shelf.forget(folder)
        shutil.rmtree(gone)

    def ensure_resource(self, node: Node, name: str, notes: FileNotes | None = None) -> Resource:
        """Return the resource of that label or number, made when missing."""
        resource = node.find_resource(name)
        if resource is None:
            folder = node.folder / "resources" / names.label(name, "resource label")
            number = str(self.next_number("resources"))
            resource = Resource(number, name, folder, self._shelf, notes or FileNotes())
            with self._changing(folder):
                disk.save_resource(resource)
                self._put_resource(resource)
            node.resources[resource.label] = resource
        return resource

    def delete_resource(self, node: Node, resource: Resource) -> None:
        self.discard(resource.folder)
        del node.resources[resource.label]

    def store(self, resource: Resource, arrivals: dict[str, Arrival], notes: FileNotes, *, overwrite: bool) -> None:
        """Give arrived files their places, all or none: an existing file is kept unless `overwrite` (409)."""
        _check_free(resource, arrivals, overwrite=overwrite)
        listed = resource.files
        with self._changing(resource.folder):
            files = list(_place(resource, arrivals, notes))
            disk.append_files(resource, files)
            listed |= {file.path: file for file in files}
            self._put_resource(resource)

    def _put_resource(self, resource: Resource) -> None:
        resource.count()
        if resource.folder.is_relative_to(self.root / "projects"):
            self._index.put_resource(resource)

    def refresh(self, resource: Resource) -> None:
        """Look at the disk again: files changed behind the archive's back are hashed, lost ones leave the list."""
        with self._changing(resource.folder):
            self._shelf.forget(resource.folder)
            self._put_resource(resource)

    def delete_file(self, resource: Resource, path: str) -> None:
        if path not in resource.files:
            raise not_found("file: there is none of that name in this resource")
        files = resource.files
        with self._changing(resource.folder):
            resource.location(path).unlink()
            del files[path]
            disk.rewrite_catalogue(resource, files.values())
            self._put_resource(resource)


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
        yield StoredFile(path, arrival.size, arrival.md5, arrival.crc32, place.stat().st_mtime_ns, notes)
