"""What a whole study consists of; a folder without one holds nothing that counts."""

import hashlib
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

NAME = "manifest.json"
PIECE_BYTES = 1 << 20


class Part(BaseModel):
    """One file: its bytes, and their CRC-32 (against accidents on the disk, not against people who may write there)."""

    model_config = ConfigDict(frozen=True)

    size: int
    crc: int

    @classmethod
    def of(cls, file: Path) -> Self:
        crc = size = 0
        with file.open("rb") as opened:
            while piece := opened.read(PIECE_BYTES):
                crc, size = zlib.crc32(piece, crc), size + len(piece)
        return cls(size=size, crc=crc)


class Manifest(BaseModel):
    """A study's files by name, as they were when the last of them had arrived."""

    model_config = ConfigDict(frozen=True)

    study: str
    arrived_at: datetime
    parts: Mapping[str, Part]

    @property
    def bytes(self) -> int:
        return sum(part.size for part in self.parts.values())

    @property
    def digest(self) -> str:
        """SHA-256 over names, sizes and sums: the same files, the same digest."""
        lines = (f"{name} {part.size} {part.crc}\n" for name, part in sorted(self.parts.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the folder's manifest, None where there is none."""
        try:
            return cls.model_validate_json((folder / NAME).read_bytes())
        except FileNotFoundError:
            return None

    def write(self, folder: Path) -> None:
        part = folder / f"{NAME}.part"
        part.write_text(self.model_dump_json())
        part.replace(folder / NAME)

    def agrees_with(self, files: Path) -> bool:
        """Tell whether the folder still holds these bytes, and no other files."""
        present = {file.name: file for file in files.iterdir()} if files.is_dir() else {}
        return present.keys() == self.parts.keys() and all(
            Part.of(present[name]) == part for name, part in self.parts.items()
        )
