"""What training code sees: a table and image files, gathered from the trust's XNAT into a folder of the project."""

import asyncio
import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from trust_node.imaging.xnat import ArchivedFile, Xnat, XnatRefusedError

LABELS = "resources/LABELS/files/labels.csv"
KEYS = ("study", "scan")
PARALLEL = 8


class LabelsUnreadableError(ValueError):
    """The label file is no table of study, scan and label columns; the text names the fault."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """``images`` counts image files, ``labelled`` those that the label file speaks of."""

    images: int
    labelled: int


async def gather(xnat: Xnat, project: str, folder: Path) -> Dataset:
    """Bring all NIfTI images and the label file of an XNAT project to ``folder``; write its ``table.csv``.

    Files that are there already, by name and size, are not fetched again.
    """
    files = await _nifti_files(xnat, project)
    gate = asyncio.Semaphore(PARALLEL)
    await asyncio.gather(*(_fetch(xnat, gate, file, folder / _place(study, file)) for study, file in files))
    labels = await _labels(xnat, project)
    rows = [_row(study, file, labels) for study, file in files]
    await asyncio.to_thread(_write_table, folder / "table.csv", rows)
    return Dataset(len(rows), sum(len(row) > len(KEYS) + 1 for row in rows))


async def _nifti_files(xnat: Xnat, project: str) -> list[tuple[str, ArchivedFile]]:
    sessions = sorted(await xnat.list_sessions(project))
    listed = await asyncio.gather(*(xnat.list_files(project, session) for session in sessions))
    return [
        (session, file)
        for session, files in zip(sessions, listed, strict=True)
        for file in sorted(files, key=lambda file: (file.scan, file.name))
        if file.resource == "NIFTI" and file.name.endswith(".nii.gz")
    ]


async def _fetch(xnat: Xnat, gate: asyncio.Semaphore, file: ArchivedFile, target: Path) -> None:
    if target.exists() and target.stat().st_size == file.size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    async with gate:
        await xnat.download(file.uri, target)


async def _labels(xnat: Xnat, project: str) -> Mapping[tuple[str, str], dict[str, str]]:
    try:
        content = await xnat.read_file(f"/data/projects/{quote(project)}/{LABELS}")
    except XnatRefusedError as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return {}
        raise
    return read_labels(content)


def read_labels(content: bytes) -> dict[tuple[str, str], dict[str, str]]:
    """The label columns by (study, scan); raises LabelsUnreadableError."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelsUnreadableError("labels.csv is no UTF-8 table: save it as comma separated values") from error
    if rows and not set(KEYS) < set(rows[0]):
        raise LabelsUnreadableError("labels.csv needs the columns study, scan and at least one label")
    return {(row["study"], row["scan"]): {k: v for k, v in row.items() if k not in KEYS and v} for row in rows}


def _place(study: str, file: ArchivedFile) -> Path:
    return Path("images") / quote(study, safe="") / quote(file.scan, safe="") / quote(file.name, safe="")


def _row(study: str, file: ArchivedFile, labels: Mapping[tuple[str, str], dict[str, str]]) -> dict[str, str]:
    return {"study": study, "scan": file.scan, "path": str(_place(study, file)), **labels.get((study, file.scan), {})}


def _write_table(target: Path, rows: Iterable[dict[str, str]]) -> None:
    rows = list(rows)
    target.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row)) or [*KEYS, "path"]
    part = target.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    part.replace(target)
