"""Objects that no event names: leftovers of uploads that were never told of.

An object exists once an event carries its manifest. Everything that travels is read, dead letters and types of a
newer release included: whatever names an object keeps it.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from bus.speaker import Speaker
from client.ops.account import Act, Refused, Warrant, accounted
from client.ops.tail import originals


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as its store has it: parts, bytes, and when the last part was written."""

    prefix: str
    parts: int
    size: int
    written_at: datetime


class Store(Protocol):
    """A place of objects that can be listed; the signed addresses of the object lane cannot do that."""

    def objects(self) -> Iterator[Stored]: ...

    def remove(self, stored: Stored) -> bool:
        """True when it is gone; false when it was written to meanwhile, and stays."""
        ...


@dataclass(frozen=True, slots=True)
class FolderStore:
    """What nginx serves: a folder for each object, a file for each part."""

    root: Path

    def objects(self) -> Iterator[Stored]:
        for folder in sorted(path for path in self.root.rglob("*") if path.is_dir()):
            if found := self._stored(folder):
                yield found

    def remove(self, stored: Stored) -> bool:
        folder = self.root / stored.prefix
        if self._stored(folder) != stored:
            return False
        shutil.rmtree(folder)
        self._tidy(folder.parent)
        return True

    def _stored(self, folder: Path) -> Stored | None:
        facts = [path.stat() for path in folder.iterdir() if path.is_file()]
        if not facts:
            return None
        newest = datetime.fromtimestamp(max(fact.st_mtime for fact in facts), UTC)
        size = sum(fact.st_size for fact in facts)
        return Stored(folder.relative_to(self.root).as_posix(), len(facts), size, newest)

    def _tidy(self, folder: Path) -> None:
        """Folders that are empty now; one that is not ends it."""
        with suppress(OSError):
            while folder != self.root:
                folder.rmdir()
                folder = folder.parent


def names_in(payload: bytes | None, now: datetime) -> Iterator[str]:
    """Prefixes that a record names: manifests for ever, leave to upload until it expires."""
    with suppress(ValueError):
        yield from _prefixes(json.loads(payload or b"null"), now)


def rubbish(stored: Iterable[Stored], named: frozenset[str], before: datetime) -> list[Stored]:
    """Objects that nothing names and that nobody has written to since a moment."""
    return [one for one in stored if one.prefix not in named and one.written_at < before]


async def named_objects(speaker: Speaker, now: datetime) -> frozenset[str]:
    async with aclosing(speaker.records(await originals(speaker), until="now")) as records:
        return frozenset([prefix async for record in records for prefix in names_in(record.value, now)])


@dataclass(frozen=True, slots=True)
class Finding:
    """Objects that no event names, of so many that are stored."""

    unnamed: tuple[Stored, ...]
    stored: int

    @property
    def is_most(self) -> bool:
        """More than half: this may rather be the store of another broker, or a broker that lost records."""
        return 2 * len(self.unnamed) > self.stored


async def look(speaker: Speaker, store: Store, now: datetime, grace: timedelta) -> Finding:
    """List first, then read: what is named in between was listed already."""
    listed = list(store.objects())
    return Finding(tuple(rubbish(listed, await named_objects(speaker, now), now - grace)), len(listed))


async def sweep(
    speaker: Speaker, store: Store, finding: Finding, warrant: Warrant, *, most: bool = False
) -> list[Stored]:
    """Remove objects; return those that are gone.

    Raises
    ------
    Refused
        it is most of what is stored, and nobody has said that this is right.
    """
    meant = finding.unnamed
    if finding.is_most and not most:
        raise Refused(
            f"{len(meant)} of {finding.stored} objects would go, more than half: is this the broker that they belong "
            "to, and has it all its records? If so, add --most"
        )
    about = f"{len(meant)} objects, {sum(one.size for one in meant)} bytes"
    gone: list[Stored] = []
    async with accounted(speaker, warrant, Act("sweep_objects", about, len(meant))) as progress:
        for one in meant:
            if store.remove(one):
                gone.append(one)
                progress.count += 1
    return gone


def _prefixes(value: Any, now: datetime) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("prefix"), str) and not _expired(value, now):
            yield value["prefix"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _prefixes(inner, now)


def _expired(named: dict[str, Any], now: datetime) -> bool:
    """True of leave to upload that has passed; whatever is not surely that, counts as naming its object."""
    if "urls" not in named or "parts" in named:
        return False
    try:
        return datetime.fromisoformat(named["expires_at"]) < now
    except (KeyError, TypeError, ValueError):
        return False
