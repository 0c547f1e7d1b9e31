"""Originals on the node's disk, between PACS and archive: a folder per study, a file per instance."""

import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spool:
    """Files under `root`; names are digests of UIDs, so a path in a log names no one.

    A file is whole or absent at every moment, and the folder is the only truth about what was received.
    """

    root: Path

    def write(self, study_uid: str, instance_uid: str, pieces: Iterable[bytes]) -> Path:
        """Store one instance; a second arrival of the same one replaces the first."""
        part = self.begin()
        try:
            for piece in pieces:
                part.write(piece)
            return Path(part.keep(study_uid, instance_uid))
        finally:
            part.drop()

    def begin(self) -> "Part":
        """Open a file for an instance that is on its way.

        Raises
        ------
        OSError
            If the disk, or what this process may open, does not allow it.
        """
        path = f"{self._receiving}/{secrets.token_hex(8)}.part"
        try:
            return Part(self, path, _created(path))
        except FileNotFoundError:
            Path(self._receiving).mkdir(parents=True, exist_ok=True)
            return Part(self, path, _created(path))

    def sweep(self) -> int:
        """Make the folders, and delete what processes that were killed left behind; return how many."""
        receiving = Path(self._receiving)
        receiving.mkdir(parents=True, exist_ok=True)
        return sum(_delete_if_left(part) for part in receiving.glob("*.part"))

    def free_bytes(self) -> int:
        """Return the room on the spool's disk for us."""
        disk = os.statvfs(self.root)
        return disk.f_bavail * disk.f_frsize

    def files(self, study_uid: str) -> list[Path]:
        """Return the study's whole files, in a stable order."""
        return sorted(self.folder(study_uid).glob("*.dcm"))

    def count(self, study_uid: str) -> int:
        """Return how many instances of the study are on disk now."""
        return len(self.files(study_uid))

    def discard(self, study_uid: str) -> None:
        """Delete the study's originals."""
        shutil.rmtree(self.folder(study_uid), ignore_errors=True)

    def drop_unclaimed(self, older_than_s: float) -> int:
        """Delete studies of which nothing has come for so long, asked for or not; return how many."""
        before = time.time() - older_than_s
        unclaimed = [folder for folder in self.root.glob("received/*") if folder.stat().st_mtime < before]
        for folder in unclaimed:
            shutil.rmtree(folder, ignore_errors=True)
        return len(unclaimed)

    def folder(self, study_uid: str) -> Path:
        """Return where the study's originals lie; it may not exist."""
        return self.root / "received" / _digest(study_uid)

    @property
    def _receiving(self) -> str:
        return f"{self.root}/receiving"


@dataclass(slots=True)
class Part:
    """An instance on its way to disk: nobody sees it before `keep`, and `drop` undoes what was not kept.

    Its file is locked while its writer lives, which is how `sweep` knows it from what a killed writer left.
    """

    spool: Spool
    path: str
    descriptor: int
    kept: bool = False

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`, or raise OSError."""
        while data:
            data = data[os.write(self.descriptor, data) :]

    def keep(self, study_uid: str, instance_uid: str) -> str:
        """Let it be seen, whole, among its study's files; return its path."""
        folder = f"{self.spool.root}/received/{_digest(study_uid)}"
        target = f"{folder}/{_digest(instance_uid)}.dcm"
        try:
            os.replace(self.path, target)  # noqa: PTH105  every microsecond here is one that a PACS waits
        except FileNotFoundError:
            Path(folder).mkdir(parents=True, exist_ok=True)
            os.replace(self.path, target)  # noqa: PTH105
        self.kept = True
        return target

    def drop(self) -> None:
        """Close it, and delete it unless it was kept; safe to call twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
            if not self.kept:
                Path(self.path).unlink(missing_ok=True)


def _created(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _delete_if_left(part: Path) -> bool:
    with suppress(FileNotFoundError, BlockingIOError), part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink()
        return True
    return False


def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:32]
