"""What the end of a project removes here, written down before it is done, so that it can be said and signed."""

import hashlib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from trust_node.imaging.content.manifest import Manifest


class Purged(BaseModel):
    """``removed`` are gone from the disk, ``kept`` are still wanted by another project, ``retained`` on legal hold."""

    model_config = ConfigDict(frozen=True)

    project: str
    removed: tuple[Manifest, ...] = ()
    kept: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        return sum(len(manifest.parts) for manifest in self.removed)

    @property
    def bytes(self) -> int:
        return sum(manifest.bytes for manifest in self.removed)

    @property
    def listing(self) -> str:
        """A line per removed study: its pseudonym, images, bytes and digest. It stays at the trust."""
        return "".join(f"{one.study} {len(one.parts)} {one.bytes} {one.digest}\n" for one in self.removed)

    @property
    def digest(self) -> str:
        """SHA-256 of the listing: what a proof names."""
        return hashlib.sha256(self.listing.encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path, project: str) -> Self:
        """What was written down for the project, by a run that may have died since; nothing where none was."""
        file = folder / f"{project}.json"
        return cls.model_validate_json(file.read_bytes()) if file.exists() else cls(project=project)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{self.project}.part"
        part.write_text(self.model_dump_json())
        part.replace(folder / f"{self.project}.json")

    def after(self, earlier: Self) -> Self:
        """This and what an earlier run has removed."""
        known = {one.study: one for one in (*earlier.removed, *self.removed)}
        return self.model_copy(update={"removed": tuple(known[study] for study in sorted(known))})
