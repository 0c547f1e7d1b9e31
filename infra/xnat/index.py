"""The index: what all the small documents on disk say, in one SQLite file that is read at start.

The documents stay the truth. A folder is noted before it changes and struck out once the index has followed, so
after a kill only the folders still noted are read again; without a sound index, all of them are.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from infra.xnat.model import CHILD_KINDS, FileNotes, Kind, Node, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from infra.xnat.model import Shelf

_VERSION = 1
_TABLES = """
    create table if not exists nodes (folder text primary key, document text not null);
    create table if not exists resources
        (folder text primary key, document text not null, file_count integer not null, file_size integer not null);
    create table if not exists changing (folder text primary key);
"""


class Index:
    """The SQLite file below `root`; folders are kept relative to `root`, so an archive may be moved."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / "index.sqlite"
        self.is_fresh = not self._is_sound()
        if self.is_fresh:
            for stale in root.glob("index.sqlite*"):
                stale.unlink()
        self._db = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        # A killed process loses nothing this way; after a power cut the check above finds what was torn.
        self._db.executescript("pragma journal_mode = wal; pragma synchronous = normal;" + _TABLES)
        self._db.execute(f"pragma user_version = {_VERSION}")

    def _is_sound(self) -> bool:
        if not self._file.exists():
            return False
        db = sqlite3.connect(self._file)
        try:
            found = [db.execute(f"pragma {what}").fetchone() for what in ("quick_check(1)", "user_version")]
            return found == [("ok",), (_VERSION,)]  # noqa: TRY300  the condition is what is asked
        except sqlite3.DatabaseError:
            return False
        finally:
            db.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def changing(self, folder: Path) -> Iterator[None]:
        """Note a folder while it changes; an error leaves the note, and the next start reads the folder again."""
        name = self._name(folder)
        is_first = self._db.execute("insert or ignore into changing values (?)", (name,)).rowcount
        self._db.execute("begin")
        try:
            yield
            # A note that an earlier error left stays: this change alone does not prove the rest of the folder.
            if is_first:
                self._db.execute("delete from changing where folder = ?", (name,))
        finally:
            self._db.execute("commit")

    def changed(self) -> list[Path]:
        """Return the folders that a kill or an error left in the middle of a change."""
        return [self._root / name for (name,) in self._db.execute("select folder from changing")]

    def settle(self) -> None:
        self._db.execute("delete from changing")

    def put(self, node: Node) -> None:
        """Write down a node, without what hangs from it."""
        document = {"kind": node.kind, "id": node.id, "fields": node.fields, "members": node.members}
        self._db.execute("replace into nodes values (?, ?)", (self._name(node.folder), json.dumps(document)))

    def put_resource(self, resource: Resource) -> None:
        document = {"id": resource.id, "label": resource.label, "notes": asdict(resource.notes)}
        row = (self._name(resource.folder), json.dumps(document), resource.file_count, resource.file_size)
        self._db.execute("replace into resources values (?, ?, ?, ?)", row)

    def put_all(self, nodes: Iterable[Node]) -> None:
        """Write down nodes with everything below them."""
        for node in nodes:
            self.put(node)
            for resource in node.resources.values():
                self.put_resource(resource)
            for children in node.children.values():
                self.put_all(children.values())

    def drop(self, folder: Path) -> None:
        """Forget a folder and everything below it."""
        name = self._name(folder)
        for table in ("nodes", "resources"):
            # What follows the folder's name is a slash; the character after it in order bounds the range.
            range_ = (name, f"{name}/", f"{name}0")
            self._db.execute(f"delete from {table} where folder = ? or (folder > ? and folder < ?)", range_)  # noqa: S608

    def fill(self, projects: Iterable[Node]) -> None:
        """Write down a whole archive at once."""
        self._db.execute("begin")
        self.put_all(projects)
        self._db.execute("commit")

    def load(self, shelf: Shelf) -> dict[str, Node]:
        """Return the projects with everything below them."""
        nodes: dict[str, Node] = {}
        # In the order of their names folders follow the ones they lie in.
        for name, document in self._db.execute("select folder, document from nodes order by folder"):
            self._hang(nodes, name, json.loads(document))
        for name, document, count, size in self._db.execute("select * from resources order by folder"):
            said = json.loads(document)
            notes = FileNotes(**said["notes"])
            resource = Resource(said["id"], said["label"], self._root / name, shelf, notes, count, size)
            nodes[_owner(name)].resources[resource.label] = resource
        return {node.id: node for node in nodes.values() if node.kind == "projects"}

    def _hang(self, nodes: dict[str, Node], name: str, said: dict[str, object]) -> None:
        kind, parent = cast("Kind", said["kind"]), nodes.get(_owner(name))
        fields, members = cast("dict[str, str]", said["fields"]), cast("dict[str, str]", said["members"])
        node = Node(kind, str(said["id"]), self._root / name, parent, fields, members)
        node.children = {child: {} for child in CHILD_KINDS[kind]}
        nodes[name] = node
        if parent:
            parent.children[kind][node.id] = node

    def _name(self, folder: Path) -> str:
        return str(folder.relative_to(self._root))


def _owner(name: str) -> str:
    """Return the folder of the node from which something hangs: two up, `scans/3` or `resources/DICOM`."""
    return name.rsplit("/", 2)[0]
