"""What the archive holds in memory: projects, subjects, experiments, scans, resources and files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    """A file of a resource. `size` in bytes, `md5` in lower-case hex, `modified_ns` since the epoch."""

    path: str
    size: int
    md5: str
    modified_ns: int
    notes: FileNotes = field(default_factory=FileNotes)


@dataclass(slots=True)
class Resource:
    """A labelled set of files that hangs from a node."""

    id: str
    label: str
    folder: Path
    notes: FileNotes = field(default_factory=FileNotes)
    files: dict[str, StoredFile] = field(default_factory=dict)

    def location(self, path: str) -> Path:
        return self.folder / "files" / path

    def size(self) -> int:
        return sum(file.size for file in self.files.values())


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
            yield from (e for e in self.project.children[kind].values() if e.fields["subject_ID"] == self.id)
        else:
            yield from self.children[kind].values()

    def find(self, kind: Kind, name: str) -> Node | None:
        """Return the child of that ID or, failing that, of that label."""
        children = list(self.under(kind))
        return next((c for c in children if c.id == name), None) or next((c for c in children if c.label == name), None)

    def find_resource(self, name: str) -> Resource | None:
        """Return the resource of that label or, failing that, of that number."""
        return self.resources.get(name) or next((r for r in self.resources.values() if r.id == name), None)


def uri(node: Node) -> str:
    if node.kind == "scans" and node.parent is not None:
        return f"{uri(node.parent)}/scans/{node.id}"
    return f"/data/{node.kind}/{node.id}"
