"""Resources of a project's studies, brought from XNAT once and kept whole: a half-fetched one is never seen."""

import asyncio
import hashlib
import json
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from trust_node.imaging.xnat import ArchivedFile, Xnat, XnatUnreachableError

MARK = "complete.json"
PARALLEL = 8
LOCKS: defaultdict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)
"""By a project's folder: who changes what lies there holds its lock."""


@dataclass(frozen=True, slots=True)
class Library:
    """``folder/resources/<study>/<resource>/<scan>/<file>``, with a mark that tells count and digest of the whole.

    ``fetch`` and ``tidy`` are for who holds the folder's lock.
    """

    xnat: Xnat
    project: str
    folder: Path

    async def files(self) -> dict[str, list[ArchivedFile]]:
        """List the files of each of the project's studies."""
        gate = asyncio.Semaphore(PARALLEL)

        async def listed(study: str) -> list[ArchivedFile]:
            async with gate:
                return await self.xnat.list_files(self.project, study)

        studies = sorted(await self.xnat.list_sessions(self.project))
        return dict(zip(studies, await asyncio.gather(*map(listed, studies)), strict=True))

    async def fetch(self, study: str, resource: str, files: Iterable[ArchivedFile]) -> Path:
        """Have the resource here as XNAT lists it now; return its folder.

        Raises
        ------
        XnatUnreachableError
            Also when a file came otherwise than listed: it was changed meanwhile.
        """
        wanted = [file for file in files if file.resource == resource]
        place = self.folder / "resources" / folder_name(study) / folder_name(resource)
        mark = _mark(wanted)
        if read_mark(place) != mark:
            await self._bring(wanted, place, mark)
        return place

    def tidy(self, studies: Iterable[str]) -> None:
        """Remove what an ended process left half-fetched, and every study that is no more in the project."""
        shutil.rmtree(self.folder / "incoming", ignore_errors=True)
        kept = {folder_name(study) for study in studies}
        for place in (*(self.folder / "resources").glob("*"), *(self.folder / "images").glob("*")):
            if place.name not in kept:
                shutil.rmtree(place)

    async def _bring(self, wanted: Sequence[ArchivedFile], place: Path, mark: dict[str, str | int]) -> None:
        staged = self.folder / "incoming" / uuid.uuid4().hex
        staged.mkdir(parents=True)
        gate = asyncio.Semaphore(PARALLEL)
        try:
            await asyncio.gather(*(self._file(gate, file, staged) for file in wanted))
            (staged / MARK).write_text(json.dumps(mark))
            await asyncio.to_thread(_replace, staged, place)
        finally:
            await asyncio.to_thread(shutil.rmtree, staged, ignore_errors=True)

    async def _file(self, gate: asyncio.Semaphore, file: ArchivedFile, staged: Path) -> None:
        target = staged / folder_name(file.scan) / folder_name(file.name)
        target.parent.mkdir(exist_ok=True)
        async with gate:
            await self.xnat.download(file.uri, target)
        if not await asyncio.to_thread(_is_as_listed, target, file):
            raise XnatUnreachableError("a file was changed in XNAT while it was read, or came damaged")


def folder_name(label: str) -> str:
    """Return a label as one name of a file or folder, whatever stands in it."""
    return quote(label or "-", safe="").replace(".", "%2E", 1) if label[:1] in {"", "."} else quote(label, safe="")


def read_mark(place: Path) -> dict[str, str | int] | None:
    """Return the mark of a resource that is here whole, None of any other."""
    try:
        told: dict[str, str | int] = json.loads((place / MARK).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return told


def _mark(files: Sequence[ArchivedFile]) -> dict[str, str | int]:
    lines = sorted(f"{file.scan}\t{file.name}\t{file.size}\t{file.digest}" for file in files)
    return {"count": len(lines), "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def _is_as_listed(target: Path, file: ArchivedFile) -> bool:
    if target.stat().st_size != file.size:
        return False
    with target.open("rb") as opened:
        digest = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return file.digest in {"", digest}


def _replace(staged: Path, place: Path) -> None:
    """Put a whole folder in another's place; a crash between leaves none, which is fetched again."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    staged.replace(place)
