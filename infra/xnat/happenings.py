"""What happened in the archive and which subscription it met: a log in SQLite that others poll."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from infra.xnat.model import uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from infra.xnat.model import Node

_TABLE = """
    create table if not exists delivered (
        id integer primary key autoincrement, event text not null, subscription integer not null,
        project text not null, uri text not null, at text not null
    )
"""
_EVENTS = {"projects": "ProjectEvent", "subjects": "SubjectEvent", "experiments": "SessionEvent", "scans": "ScanEvent"}
_PACKAGE = "org.nrg.xnat.eventservice.events."
MOST = 1_000


def event_types() -> list[str]:
    return [f"{_PACKAGE}{name}:{what}" for name in _EVENTS.values() for what in ("CREATED", "DELETED")]


def event_of(what: str, node: Node) -> str:
    return f"{_PACKAGE}{_EVENTS[node.kind]}:{what}"


class Happenings:
    """Appends a row per event and subscription; rows are never changed."""

    def __init__(self, file: Path, now: Callable[[], datetime]) -> None:
        self._now = now
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.executescript("pragma journal_mode = wal; pragma synchronous = normal;" + _TABLE)

    def close(self) -> None:
        self._db.close()

    def note(self, event: str, node: Node, subscriptions: Iterable[int]) -> None:
        rows = [(event, each, node.project.id, uri(node), self._now().isoformat()) for each in subscriptions]
        insert = "insert into delivered (event, subscription, project, uri, at) values (?, ?, ?, ?, ?)"
        self._db.executemany(insert, rows)

    def after(self, since: int, project: str | None, most: int = MOST) -> list[dict[str, object]]:
        """Return what came after row `since`, oldest first, of one project or of all."""
        wanted = "select * from delivered where id > ? and (? is null or project = ?) order by id limit ?"
        names = ("id", "event-type", "subscription-id", "project-id", "uri", "timestamp")
        rows = self._db.execute(wanted, (since, project, project, most))
        return [dict(zip(names, row, strict=True)) for row in rows]
