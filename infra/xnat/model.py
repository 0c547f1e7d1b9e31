"""What the archive holds in memory: projects, subjects, experiments, scans, resources and files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Kind = Literal["projects", "subjects", "experiments", "scans"]

CHILD_KINDS: dict[Kind, tuple[Kind, ...]] = {
    "projects": ("subjects", "experiments"),
    "subjects": (),
    "experiments": ("scans",),
    "scans": (),
}


@dataclass(frozen=True, slots=True)
class FileNotes:
    """What an uploader says about a file."""

    format: str = ""
    content: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a resource. `size` in bytes, `md5` in lower-case hex, `crc32` as zip has it, time since the epoch."""

    path: str
    size: int
    md5: str
    crc32: int
    modified_ns: int
    notes: FileNotes = field(default_factory=FileNotes)


@dataclass(slots=True)
class Resource:
    """A labelled set of files that hangs from a node; how many and how large is known before they are listed."""

    id: str
    label: str
    folder: Path
    shelf: Shelf
    notes: FileNotes = field(default_factory=FileNotes)
    file_count: int = 0
    file_size: int = 0

    @property
    def files(self) -> dict[str, StoredFile]:
        return self.shelf.files(self)

    def location(self, path: str) -> Path:
        return self.folder / "files" / path

    def count(self) -> None:
        """Note how many files there are now, and their bytes."""
        self.file_count = len(self.files)
        self.file_size = sum(file.size for file in self.files.values())


class Shelf(Protocol):
    """Where the lists of files are read from when somebody asks for them."""

    def files(self, resource: Resource) -> dict[str, StoredFile]: ...


@dataclass(slots=True)
class Node:
    """A project, subject, experiment or scan; an experiment hangs from its project and names its subject."""

    kind: Kind
    id: str
    folder: Path
    parent: Node | None = None
    fields: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    children: dict[Kind, dict[str, Node]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.fields.get("label") or self.id

    @property
    def project(self) -> Node:
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def subject(self) -> Node | None:
        return self.project.children["subjects"].get(self.fields.get("subject_ID", ""))

    def under(self, kind: Kind) -> Iterator[Node]:
        if self.kind == "subjects" and kind == "experiments":
            yield from (e for e in self.project.children[kind].values() if self._holds(e))
        else:
            yield from self.children[kind].values()

    def _holds(self, experiment: Node) -> bool:
        return experiment.fields["subject_ID"] == self.id

    def find(self, kind: Kind, name: str) -> Node | None:
        """Return the child of that ID or, failing that, of that label."""
        siblings = self.project.children if self.kind == "subjects" else self.children
        known = siblings[kind].get(name)
        if known and (self.kind != "subjects" or self._holds(known)):
            return known
        return next((child for child in self.under(kind) if child.label == name), None)

    def every_resource(self) -> Iterator[Resource]:
        """Yield the resources of this node and of all below it."""
        yield from self.resources.values()
        for children in self.children.values():
            for child in children.values():
                yield from child.every_resource()

    def find_resource(self, name: str) -> Resource | None:
        """Return the resource of that label or, failing that, of that number."""
        return self.resources.get(name) or next((r for r in self.resources.values() if r.id == name), None)


def uri(node: Node) -> str:
    if node.kind == "scans" and node.parent is not None:
        return f"{uri(node.parent)}/scans/{node.id}"
    return f"/data/{node.kind}/{node.id}"


def node_of(projects: Mapping[str, Node], parts: Sequence[str]) -> Node | None:
    """Return the node of the folder `projects/P/experiments/E/...`, or None."""
    node: Node | None = None
    for kind, name in zip(parts[::2], parts[1::2], strict=False):
        siblings = node.children.get(cast("Kind", kind), {}) if node else projects
        if (node := siblings.get(name)) is None:
            return None
    return node
