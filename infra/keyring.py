"""Passwords and keys: made when first asked for, one file each, readable by their owner only."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keyring:
    folder: Path

    def value(self, name: str) -> str:
        """Return 64 hexadecimal digits, the same ones for a name every time."""
        return self.file(name).read_text()

    def file(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            self.replace(name, secrets.token_hex(32))
        return path

    def replace(self, name: str, value: str) -> None:
        """Keep another value under this name from now on."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.folder / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value)
        fresh.replace(self.folder / name)
