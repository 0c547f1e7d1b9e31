"""Versions of what did the work, for the record of a run and of a frozen cohort."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import schemas.sql

NAMED = ("trustflow", "torch", "pydicom", "pynetdicom", "numpy")
JUDGES = Path(schemas.sql.__file__).parent
RUNS = Path(__file__).parent / "cohort"


@cache
def versions() -> dict[str, str]:
    return {name: version(name) for name in NAMED}


@cache
def cohort_software() -> str:
    """Return the version, and a digest of the code that judges, runs and releases queries."""
    digest = hashlib.sha256()
    for name, content in _sources():
        digest.update(len(name).to_bytes(4) + name + len(content).to_bytes(8) + content)
    return f"trustflow {version('trustflow')} sha256:{digest.hexdigest()}"


def _sources() -> Iterator[tuple[bytes, bytes]]:
    for folder in (JUDGES, RUNS):
        for file in sorted(folder.rglob("*")):
            if file.suffix in {".py", ".txt"}:
                yield f"{folder.name}/{file.relative_to(folder).as_posix()}".encode(), file.read_bytes()
