"""The store: a folder per study under its pseudonym, complete or absent at every moment."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from trust_node.imaging.content.manifest import Manifest, Part
from trust_node.imaging.content.pins import LEGAL, Pin, pins, pull_pin, put_pin
from trust_node.imaging.content.purge import Purged

ARRIVING, LEAVING, PURGED = ".arriving", ".leaving", ".purged"


class PinnedError(Exception):
    """The study may not go: it is on legal hold, or in use."""


@dataclass(frozen=True, slots=True)
class Content:
    """A whole study; ``projects`` refer to it, ``pins`` are the reasons for which it stays."""

    folder: Path
    manifest: Manifest
    projects: frozenset[str]
    pins: dict[str, Pin]
    used_at: datetime

    @property
    def study(self) -> str:
        return self.manifest.study

    @property
    def files(self) -> list[Path]:
        """The originals, in a stable order."""
        return sorted((self.folder / "files").iterdir())


@dataclass(slots=True)
class ContentStore:
    """Originals under ``root``, at most ``quota_bytes`` of them once nobody works on them.

    Studies go by the pseudonym that the trust's key gives them, so a path names nobody. The folder is the only truth:
    a study is there if and only if its folder has a manifest, and it gets one last. The node's process takes in and
    drops; any other may look, and put pins and pull them.
    """

    root: Path
    quota_bytes: int
    _busy: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def sweep(self) -> None:
        """Drop what a killed process left half done; for the node, before it begins."""
        for rubbish in (ARRIVING, LEAVING):
            shutil.rmtree(self.root / rubbish, ignore_errors=True)

    @contextmanager
    def using(self, study: str) -> Iterator[None]:
        """Keep the study from being evicted meanwhile."""
        self._busy[study] = self._busy.get(study, 0) + 1
        try:
            yield
        finally:
            self._busy[study] -= 1
            if not self._busy[study]:
                del self._busy[study]

    def adopt(self, study: str, files: Iterable[Path], project: str) -> Content:
        """Take a study's files in, by hard link: they stay where they are too, until their owner drops them.

        An older content of the same study is replaced, its references stay.

        Raises
        ------
        PinnedError
            The older one is on legal hold.
        """
        arriving = self.root / ARRIVING / study
        shutil.rmtree(arriving, ignore_errors=True)
        (arriving / "files").mkdir(parents=True)
        for file in files:
            os.link(file, arriving / "files" / file.name)
        parts = {file.name: Part.of(file) for file in (arriving / "files").iterdir()}
        Manifest(study=study, arrived_at=datetime.now(UTC), parts=parts).write(arriving)
        self._take_over(study, arriving)
        arriving.replace(self.root / study)
        self._refer(study, project)
        self.make_room()
        return self._content(study)

    def find(self, study: str) -> Content | None:
        """Return the study if it is here, None if not; nothing is read but its manifest."""
        return self._content(study) if Manifest.read(self.root / study) else None

    def use(self, study: str, project: str) -> Content | None:
        """Return the study for a project, which refers to it from now on, if its bytes are still what arrived.

        A damaged one is dropped, to be fetched again.
        """
        content = self.find(study)
        if content is None:
            return None
        if not content.manifest.agrees_with(content.folder / "files"):
            self._leave(study, {LEGAL} & content.pins.keys())
            return None
        self._refer(study, project)
        return self._content(study)

    def forget(self, study: str) -> None:
        """Drop a study, so that it is fetched anew.

        Raises
        ------
        PinnedError
            On legal hold.
        """
        content = self.find(study)
        if content is not None:
            self._leave(study, {LEGAL} & content.pins.keys())

    def give_up(self, study: str, project: str) -> None:
        """End one project's reference to a study, and drop the study if nobody else refers to it; again is no error.

        One on legal hold stays.
        """
        content = self.find(study)
        if content is None or project not in content.projects:
            return
        if _only_for(project, content):
            self._leave(study)
        else:
            (content.folder / "projects" / project).unlink()

    def purge(self, project: str) -> Purged:
        """End a project's references and drop what nobody else refers to; again is the same as once."""
        referred = [content for content in self.listing() if project in content.projects]
        leaving = [content for content in referred if _only_for(project, content)]
        purged = Purged(
            project=project,
            removed=tuple(content.manifest for content in leaving),
            kept=tuple(content.study for content in referred if content.projects - {project}),
            retained=tuple(content.study for content in referred if _retained(project, content)),
        ).after(Purged.read(self.root / PURGED, project))
        purged.write(self.root / PURGED)
        for content in leaving:
            self._leave(content.study)
        for study in purged.kept:
            (self.root / study / "projects" / project).unlink()
        return purged

    def pin(self, study: str, kind: str, pin: Pin) -> None:
        """Keep the study for a reason.

        Raises
        ------
        LookupError
            There is no such study here.
        """
        if self.find(study) is None:
            raise LookupError(f"{study} is not in the content store: see `trustflow node content list`")
        put_pin(self.root / study, kind, pin)

    def unpin(self, study: str, kind: str) -> bool:
        """Tell whether it was kept for that reason; where the quota has waited for this, the node makes room next."""
        return pull_pin(self.root / study, kind)

    def listing(self) -> list[Content]:
        """Every whole study, the longest unused first."""
        names = [folder.name for folder in self.root.glob("[!.]*")]
        found = [content for name in names if (content := self.find(name))]
        return sorted(found, key=lambda content: content.used_at)

    def make_room(self) -> list[str]:
        """Evict the least recently used studies until the quota holds; return their pseudonyms.

        Those in use and those pinned stay, even above the quota.
        """
        listing = self.listing()
        surplus = sum(content.manifest.bytes for content in listing) - self.quota_bytes
        evicted: list[str] = []
        for content in listing:
            if surplus <= 0:
                break
            if content.study in self._busy or content.pins:
                continue
            self._leave(content.study)
            surplus -= content.manifest.bytes
            evicted.append(content.study)
        return evicted

    def _content(self, study: str) -> Content:
        folder = self.root / study
        manifest = Manifest.read(folder)
        if manifest is None:
            raise LookupError(f"{study} is not in the content store")
        projects = frozenset(entry.name for entry in (folder / "projects").glob("*"))
        used = (folder / "used").stat().st_mtime
        return Content(folder, manifest, projects, pins(folder), datetime.fromtimestamp(used, UTC))

    def _refer(self, study: str, project: str) -> None:
        folder = self.root / study
        (folder / "projects").mkdir(exist_ok=True)
        (folder / "projects" / project).touch()
        (folder / "used").touch()

    def _take_over(self, study: str, arriving: Path) -> None:
        """Give what is about to arrive the marks of what it replaces, and make way for it."""
        (arriving / "used").touch()
        for marks in ("pins", "projects"):
            if (self.root / study / marks).is_dir():
                shutil.copytree(self.root / study / marks, arriving / marks)
        self._leave(study, {LEGAL} & pins(arriving).keys())

    def _leave(self, study: str, forbidden: Iterable[str] = ()) -> None:
        """Out of sight in one step, then off the disk."""
        if any(forbidden):
            raise PinnedError(f"{study} is on legal hold: `trustflow node content unhold` ends that")
        leaving = self.root / LEAVING / study
        shutil.rmtree(leaving, ignore_errors=True)
        leaving.parent.mkdir(exist_ok=True)
        try:
            (self.root / study).replace(leaving)
        except FileNotFoundError:
            return
        shutil.rmtree(leaving, ignore_errors=True)


def _only_for(project: str, content: Content) -> bool:
    return content.projects == {project} and LEGAL not in content.pins


def _retained(project: str, content: Content) -> bool:
    return content.projects == {project} and LEGAL in content.pins
