"""Sessions that wait outside the archive until somebody archives, moves or deletes them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from infra.xnat import dicom, disk, importing, names
from infra.xnat.archive import Archive, Arrival
from infra.xnat.importing import Order
from infra.xnat.refusal import not_found
from infra.xnat.shelf import LatestLists

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.xnat.dicom import Instance
    from infra.xnat.importing import Overwrite
    from infra.xnat.model import Node, Resource, StoredFile

READY, CONFLICT, ERROR = "READY", "CONFLICT", "ERROR"
_CODES = {"0": "Manual", "4": "AutoArchive", "5": "AutoArchiveOverwrite"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session in the prearchive; its node names the project that it is meant for as its parent."""

    node: Node
    key: tuple[str, str, str]

    @property
    def project(self) -> Node:
        return self.node.project

    @property
    def uri(self) -> str:
        return "/prearchive/projects/" + "/".join(self.key)

    def order(self, overwrite: Overwrite, **renamed: str) -> Order:
        fields = self.node.fields
        wanted = {"project": self.project.id, "subject": fields["subject"], "session": fields["label"]}
        return Order(**(wanted | {key: value for key, value in renamed.items() if value}), overwrite=overwrite)

    def row(self) -> dict[str, str]:
        """Return how XNAT lists it; times are those of `timestamp`."""
        project, timestamp, folder = self.key
        fields = self.node.fields
        at = datetime.strptime(timestamp, "%Y%m%d_%H%M%S%f").strftime("%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ007  as told
        return {
            "project": project,
            "timestamp": timestamp,
            "folderName": folder,
            "name": fields["label"],
            "subject": fields["subject"],
            "status": fields["status"],
            "tag": fields["UID"],
            "scan_date": fields["date"],
            "scan_time": fields["time"],
            "uploaded": at,
            "lastmod": at,
            "url": self.uri,
            "autoarchive": _CODES.get(self.project.fields.get("prearchive_code", "4"), "Manual"),
            "prevent_anon": "false",
            "prevent_auto_commit": "false",
            "visit": "",
            "protocol": "",
            "timezone": "",
            "source": "",
        }

    def resources(self) -> Iterator[tuple[Node, Resource]]:
        for scan in self.node.children["scans"].values():
            for resource in scan.resources.values():
                yield scan, resource


class Prearchive:
    """The sessions below `root/prearchive/{project}/{timestamp}/{label}`, read from disk at start."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._root = archive.root / "prearchive"
        self._shelf = LatestLists()
        self.sessions = {waiting.key: waiting for waiting in self._found()}
        archive.watchers.append(self._follow)

    def _follow(self, what: str, node: Node) -> None:
        """Nothing waits for a project that is gone."""
        if (what, node.kind) == ("DELETED", "projects"):
            for waiting in self.of(node.id):
                self.discard(waiting)

    def _found(self) -> Iterator[Waiting]:
        for document in sorted(self._root.glob("*/*/*/" + disk.NODE)):
            project = self._archive.projects.get(document.parts[-4])
            if project:
                yield self._open(document.parent, project)

    def _open(self, folder: Path, project: Node) -> Waiting:
        node = disk.load_node("experiments", folder, project, self._shelf)
        return Waiting(node, (project.id, folder.parent.name, folder.name))

    def of(self, project: str) -> list[Waiting]:
        return [waiting for waiting in self.sessions.values() if waiting.project.id == project]

    def find(self, project: str, timestamp: str, folder: str) -> Waiting:
        waiting = self.sessions.get((project, timestamp, folder))
        if waiting is None or waiting.project is not self._archive.projects.get(project):
            raise not_found("prearchive: there is no such session here")
        return waiting

    def hold(self, project: Node, order: Order, instances: list[Instance], by: str, status: str) -> Waiting:
        """Put a study aside; one that waits already under the same names and UID gets the new images added."""
        known = (w for w in self.of(project.id) if self._is_same(w, order, instances[0]))
        if found := next(known, None):
            importing.lay_out(self._archive, found.node, instances, by)
            return found
        said = {"subject": order.subject, "status": status, "subject_ID": ""}
        draft = importing.draft(self._archive, project, order, instances, by, said)
        return self._place(draft.folder, project, order.session)

    def _is_same(self, waiting: Waiting, order: Order, first: Instance) -> bool:
        fields = waiting.node.fields
        return (fields["subject"], fields["label"], fields["UID"]) == (order.subject, order.session, first.study)

    def _place(self, left: Path, project: Node, label: str) -> Waiting:
        folder = self._free(project.id) / names.clean(label)
        folder.parent.mkdir(parents=True)
        left.rename(folder)
        waiting = self._open(folder, project)
        self.sessions[waiting.key] = waiting
        return waiting

    def _free(self, project: str) -> Path:
        at = self._archive.now()
        while True:
            folder = self._root / project / at.strftime("%Y%m%d_%H%M%S%f")[:-3]
            if not folder.exists():
                return folder
            at += timedelta(milliseconds=1)

    def archive(self, waiting: Waiting, order: Order, by: str) -> str:
        """Bring a session into the archive and return its address there. Raises 409, and then it stays."""
        project = self._archive.projects.get(order.project)
        if project is None:
            raise not_found("project: there is none of that name, create it first")
        if importing.find_session(project, order) is None:
            self._adopt(waiting, project, order, by)
        else:
            self._merge(waiting, project, order, by)
        return importing.address(order)

    def _merge(self, waiting: Waiting, project: Node, order: Order, by: str) -> None:
        """Add a session's images to one of the archive, by links: it keeps its own until the archive has them all."""
        instances = self._read(waiting, linked=True)
        try:
            importing.commit(self._archive, project, order, instances, by)
        finally:
            for instance in instances:
                instance.arrival.location.unlink(missing_ok=True)
        self.discard(waiting)

    def _adopt(self, waiting: Waiting, project: Node, order: Order, by: str) -> None:
        subject = importing.ensure_subject(self._archive, project, order.subject, by)
        node, stamp = waiting.node, waiting.node.folder.parent
        del self.sessions[waiting.key]
        # What the archive needs is on disk before the folder is renamed, what only we need leaves after it.
        node.parent, node.fields = project, node.fields | {"subject_ID": subject.id, "label": order.session}
        disk.save_node(node)
        node.fields = {key: value for key, value in node.fields.items() if key not in {"subject", "status"}}
        self._archive.adopt(node)
        stamp.rmdir()

    def _read(self, waiting: Waiting, *, linked: bool = False) -> list[Instance]:
        files = [(r.location(f.path), f) for _, r in waiting.resources() for f in r.files.values()]
        return [dicom.read(self._arrival(location, file, linked=linked)) for location, file in files]

    def _arrival(self, location: Path, file: StoredFile, *, linked: bool) -> Arrival:
        if linked:
            os.link(location, beside := self._archive.incoming())
            location = beside
        return Arrival(location, file.size, file.md5, file.crc32)

    def rebuild(self, waiting: Waiting) -> None:
        """Read the images again; what they say of the session is noted anew."""
        fields = waiting.node.fields
        fields["xsiType"] = dicom.session_type(instance.modality for instance in self._read(waiting))
        self.mark(waiting, READY)

    def mark(self, waiting: Waiting, status: str) -> None:
        waiting.node.fields["status"] = status
        disk.save_node(waiting.node)

    def move(self, waiting: Waiting, project: Node) -> Waiting:
        left, stamp = waiting.node.folder, waiting.node.folder.parent
        moved = self._place(left, project, waiting.node.label)
        del self.sessions[waiting.key]
        stamp.rmdir()
        return moved

    def discard(self, waiting: Waiting) -> None:
        del self.sessions[waiting.key]
        self._archive.discard(waiting.node.folder)
        waiting.node.folder.parent.rmdir()
