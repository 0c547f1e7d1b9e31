"""Originals on the node's disk, between PACS and archive: a folder per study, a file per instance."""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable
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
        target = self.folder(study_uid) / f"{_digest(instance_uid)}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(target)
        return target

    def files(self, study_uid: str) -> list[Path]:
        """Return the study's whole files, in a stable order."""
        return sorted(self.folder(study_uid).glob("*.dcm"))

    def count(self, study_uid: str) -> int:
        """Return how many instances of the study are on disk now, those held included."""
        return len({file.name for file in self.files(study_uid) + self.held(study_uid)})

    def held(self, study_uid: str) -> list[Path]:
        """Return the study's originals that wait for a person."""
        return sorted(self._held(study_uid).glob("*/*.dcm"))

    def hold(self, study_uid: str, original: Path, reason: str) -> None:
        """Move an original out of the way of deletion, under the reason it is held for."""
        folder = self._held(study_uid) / reason
        folder.mkdir(parents=True, exist_ok=True)
        original.replace(folder / original.name)

    def discard(self, study_uid: str) -> None:
        """Delete the study's originals, but those held."""
        shutil.rmtree(self.folder(study_uid), ignore_errors=True)

    def folder(self, study_uid: str) -> Path:
        """Return where the study's originals lie; it may not exist."""
        return self.root / "received" / _digest(study_uid)

    def _held(self, study_uid: str) -> Path:
        return self.root / "held" / _digest(study_uid)


def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:32]
