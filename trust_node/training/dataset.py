"""What training code sees: a table and image files, gathered from the trust's XNAT into a folder of the project."""

import asyncio
import csv
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from trust_node.cohort.frozen.covariates import Covariates
from trust_node.imaging.enrichment.coverage import Coverage, unmatched
from trust_node.imaging.enrichment.flaws import Problem
from trust_node.imaging.enrichment.labels import KEYS, Labels, LabelsUnreadableError, labels_of, values_of
from trust_node.imaging.xnat import Xnat
from trust_node.training.library import LOCKS, Library, folder_name
from trust_node.training.view import RESOURCES, Picture, View

PARALLEL_STUDIES = 4

LeftOut = Callable[[], Awaitable[frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """``images`` counts image files, ``labelled`` those that the label file speaks of."""

    coverage: Coverage

    @property
    def images(self) -> int:
        return self.coverage.images

    @property
    def labelled(self) -> int:
        return self.coverage.labelled


async def nothing() -> frozenset[str]:
    return frozenset()


async def gather(
    xnat: Xnat,
    project: str,
    folder: Path,
    left_out: LeftOut = nothing,
    covariates: Covariates | None = None,
) -> Dataset:
    """Bring images, masks and labels of an XNAT project to ``folder``; write its ``table.csv``.

    Resources that are here as XNAT lists them are not fetched again. A mask that does not fit is left out, and told
    of in the coverage's problems. Nothing of the studies ``left_out`` is brought, and what is here of them goes; they
    are asked for once nobody else works on the folder, so that the last to do so knows them all.
    ``covariates`` are kept in the folder and added to the table; without, those of the last time are.

    Raises
    ------
    LabelsUnreadableError
        When ``labels.csv`` or ``labels.json`` is not what it should be, or has a column of the covariates.
    XnatUnreachableError, XnatRefusedError
    """
    async with LOCKS[folder]:
        gone = await left_out()
        added = (Covariates.read(folder) if covariates is None else covariates).without(gone)
        added.write(folder)
        studies = await _bring(Library(xnat, project, folder), gone)
        labels, known = await _labels(xnat, project, gone), await values_of(xnat, project)
        _check_columns(labels, added)
        view = View(folder, known, [])
        pictures = await asyncio.to_thread(view.build, studies)
        rows = [_row(picture, labels.get((picture.study, picture.scan), {}), added) for picture in pictures]
        await asyncio.to_thread(_write_table, folder / "table.csv", rows, added.columns)
    scans = [(picture.study, picture.scan) for picture in pictures]
    lost = unmatched(labels, scans, "labels.csv")
    return Dataset(_coverage(pictures, labels, [*view.problems, *lost]))


async def leave_out(folder: Path, studies: frozenset[str]) -> None:
    """Take studies out of what training code finds in ``folder``; unlike ``gather`` this needs no archive."""
    if not studies:
        return
    if await asyncio.to_thread(_holds, folder, studies):
        async with LOCKS[folder]:
            await asyncio.to_thread(_drop, folder, studies)


async def cover(xnat: Xnat, project: str, folder: Path, left_out: LeftOut = nothing) -> Coverage:
    """Tell how far a project's images are labelled; ``folder`` is the project's, as for ``gather``, which it does."""
    return (await gather(xnat, project, folder, left_out)).coverage


async def _labels(xnat: Xnat, project: str, left_out: frozenset[str]) -> Labels:
    labels = await labels_of(xnat, project)
    return {(study, scan): row for (study, scan), row in labels.items() if study not in left_out}


def _holds(folder: Path, studies: frozenset[str]) -> bool:
    _, rows = _read_table(folder / "table.csv")
    named = {row["study"] for row in rows} | Covariates.read(folder).rows.keys()
    return not studies.isdisjoint(named) or any(place.exists() for place in _places(folder, studies))


def _drop(folder: Path, studies: frozenset[str]) -> None:
    names, rows = _read_table(folder / "table.csv")
    Covariates.read(folder).without(studies).write(folder)
    if names:
        _write_table(folder / "table.csv", [row for row in rows if row["study"] not in studies], names)
    for place in _places(folder, studies):
        shutil.rmtree(place, ignore_errors=True)


def _places(folder: Path, studies: Iterable[str]) -> list[Path]:
    return [folder / part / folder_name(study) for part in ("images", "resources") for study in studies]


def _check_columns(labels: Labels, added: Covariates) -> None:
    taken = {name for row in labels.values() for name in row} & set(added.columns)
    if taken:
        raise LabelsUnreadableError(
            f"labels.csv and the approved query both have a column {min(taken)}: rename it in labels.csv"
        )


async def _bring(library: Library, left_out: frozenset[str]) -> list[str]:
    gate = asyncio.Semaphore(PARALLEL_STUDIES)
    studies = {study: files for study, files in (await library.files()).items() if study not in left_out}
    await asyncio.to_thread(library.tidy, studies)

    async def one(study: str) -> None:
        async with gate:
            for resource in RESOURCES:
                await library.fetch(study, resource, studies[study])

    await asyncio.gather(*(one(study) for study in studies))
    return list(studies)


def _coverage(
    pictures: Iterable[Picture], labels: Mapping[tuple[str, str], Mapping[str, str]], problems: Iterable[Problem]
) -> Coverage:
    each = list(pictures)
    labelled = sum(bool(labels.get((picture.study, picture.scan))) for picture in each)
    return Coverage(len(each), labelled, sum(bool(picture.mask) for picture in each), tuple(problems))


def _row(picture: Picture, labels: Mapping[str, str], added: Covariates) -> dict[str, str]:
    told = {name: value for name, value in asdict(picture).items() if value}
    return {**labels, **added.rows.get(picture.study, {}), **told}


def _read_table(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the names of the columns, and the rows; none where nothing was gathered yet."""
    if not file.exists():
        return [], []
    with file.open(newline="") as table:
        reader = csv.DictReader(table)
        return list(reader.fieldnames or ()), list(reader)


def _write_table(target: Path, rows: Iterable[dict[str, str]], added: Iterable[str]) -> None:
    rows = list(rows)
    target.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys([*KEYS, "path", *added, *(name for row in rows for name in row)]))
    part = target.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    part.replace(target)
