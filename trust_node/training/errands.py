"""What training code may ask for while it works on a task: more of a study, or a place for what it made of one.

Both stay in the trust: the code has no network, and what it hands back is checked and goes into the archive only.
"""

import asyncio
import csv
import io
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trust_node.imaging.enrichment.flaws import FlawError
from trust_node.imaging.enrichment.grids import grid_of
from trust_node.imaging.xnat import Xnat, XnatRefusedError, XnatUnreachableError, scan_address
from trust_node.training.library import LOCKS, Library, folder_name

RESOURCES = ("DICOM", "NIFTI", "SEG", "LABELS", "DERIVED")
LARGEST_IMAGE = 512 << 20
LARGEST_TABLE = 16 << 20
MOST_FILES = 1000
PIECE_BYTES = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}(\.nii\.gz|\.json|\.csv)")
AWAY = "the trust's archive does not answer now: let the task fail, it is tried again"


class RefusedError(Exception):
    """An errand that is not done; the text tells the training code why, and what to do."""


class Errands(Protocol):
    async def serve(self, asked: Mapping[str, Any], file: int | None) -> dict[str, str]:
        """Do what is asked and answer; ``file`` is a descriptor that came with it, and stays the caller's."""


@dataclass(slots=True)
class ArchiveErrands:
    """For one task of a run: ``folder`` is the project's data folder, ``aside`` one of the run's own."""

    xnat: Xnat
    project: str
    run_id: str
    folder: Path
    aside: Path
    written: int = 0

    async def serve(self, asked: Mapping[str, Any], file: int | None) -> dict[str, str]:
        try:
            return await self._served(asked, file)
        except RefusedError as refused:
            return {"refused": str(refused)}
        except (XnatUnreachableError, XnatRefusedError):
            return {"refused": AWAY}

    async def _served(self, asked: Mapping[str, Any], file: int | None) -> dict[str, str]:
        match asked:
            case {"errand": "fetch", "study": str(study), "resource": str(resource)}:
                return {"path": await self._fetch(study, resource)}
            case {"errand": "write_back", "study": str(study), "scan": str(scan), "name": str(name)} if (
                file is not None
            ):
                await self._write_back(study, scan, name, file)
                return {}
            case _:
                raise RefusedError("errand: this trust knows fetch and write_back only")

    async def _fetch(self, study: str, resource: str) -> str:
        if resource not in RESOURCES:
            raise RefusedError(f"resource: choose of {', '.join(RESOURCES)}")
        async with LOCKS[self.folder]:
            if not (self.folder / "images" / folder_name(study)).is_dir():
                raise RefusedError("study: none of that name is in this project's table")
            files = await self.xnat.list_files(self.project, study)
            place = await Library(self.xnat, self.project, self.folder).fetch(study, resource, files)
        return str(place.relative_to(self.folder))

    async def _write_back(self, study: str, scan: str, name: str, file: int) -> None:
        if not NAME.fullmatch(name):
            raise RefusedError("name: letters, digits, _ and - only, and .nii.gz, .json or .csv at its end")
        images = self.folder / "images" / folder_name(study) / folder_name(scan)
        if not images.is_dir():
            raise RefusedError("study, scan: that scan is not in this project's table")
        if self.written >= MOST_FILES:
            raise RefusedError(f"files: one task may write back {MOST_FILES}")
        self.written += 1
        copy = self.aside / name
        try:
            await asyncio.to_thread(_take, file, copy)
            await asyncio.to_thread(_judge, copy, images)
            address = f"{scan_address(self.project, study, scan)}/resources/DERIVED/files/{self.run_id}-{name}"
            await self.xnat.put_file(address, copy)
        finally:
            copy.unlink(missing_ok=True)


def _take(file: int, copy: Path) -> None:
    """Copy what the code handed over, which it could still change, up to the limit."""
    limit = LARGEST_IMAGE if copy.name.endswith(".nii.gz") else LARGEST_TABLE
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise RefusedError("path: hand over a plain file")
    copy.parent.mkdir(parents=True, exist_ok=True)
    with copy.open("wb") as out:
        while piece := os.pread(file, PIECE_BYTES, out.tell()):
            out.write(piece)
            if out.tell() > limit:
                raise RefusedError(f"path: at most {limit >> 20} MiB")


def _judge(copy: Path, images: Path) -> None:
    """Let an image pass that lies where the scan's own does, a table or a document that can be read as one."""
    try:
        if copy.name.endswith(".nii.gz"):
            _judge_image(copy, images)
        elif copy.suffix == ".json":
            json.loads(copy.read_bytes())
        else:
            list(csv.reader(io.StringIO(copy.read_bytes().decode()), strict=True))
    except (ValueError, RecursionError, csv.Error, FlawError) as error:
        raise RefusedError(f"path: this is no whole {copy.name.split('.', 1)[1]} file") from error


def _judge_image(copy: Path, images: Path) -> None:
    grid = grid_of(copy)
    if not any(grid.is_at(grid_of(image)) for image in images.glob("*.nii.gz")):
        raise RefusedError("path: as many voxels in the same place as the scan's own image, keep its affine")
