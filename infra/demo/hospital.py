"""What the people of a demo hospital do: fill the PACS and the warehouse beforehand, label the images afterwards."""

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aiohttp
import asyncpg

from infra.demo.images import fetch_slices, write_study
from infra.demo.pacs import load_into_pacs
from infra.demo.people import Person, people_of
from infra.demo.plan import PlannedStudy, plan
from infra.demo.warehouse import Reader, load
from infra.federation import Federation, trust_role, warehouse_name, warehouse_reader
from infra.parts.xnat import ADMIN as XNAT_ADMIN
from trust_node.imaging.enrichment.labels import LABELS

Say = Callable[[str], None]

HELD_OUT_EVERY = 4


@dataclass(frozen=True, slots=True)
class Hospitals:
    """What was planned: the people of each trust, and every study with its planted identity."""

    people: Mapping[str, tuple[Person, ...]]
    studies: Sequence[PlannedStudy]

    def studies_at(self, trust: str) -> list[PlannedStudy]:
        return [study for study in self.studies if study.trust == trust]


def planned(federation: Federation) -> Hospitals:
    trusts = list(federation.trusts)
    people = people_of(trusts)
    return Hospitals(people, plan(trusts, people))


async def open_hospitals(federation: Federation, build: Path, say: Say) -> Hospitals:
    """Fill every PACS and warehouse; what was filled before stays as it is."""
    hospitals = planned(federation)
    slices = await asyncio.to_thread(fetch_slices, build / "cache")
    for trust in federation.trusts:
        images = await asyncio.to_thread(_fill_pacs, federation, trust, hospitals.studies_at(trust), slices, build)
        await _fill_warehouse(federation, trust, hospitals)
        say(f"{trust}: {len(hospitals.people[trust])} people in OMOP, {images} images in the PACS")
    return hospitals


def _fill_pacs(federation: Federation, trust: str, studies: Iterable[PlannedStudy], slices: Path, build: Path) -> int:
    """Return the number of images; the mark lies beside the PACS's own storage, and goes when that goes."""
    part = federation.orthanc(trust)
    mark = part.directory / "filled-by-demo"
    if mark.exists():
        return int(mark.read_text())
    folder = build / "demo" / "dicom"
    files = [file for study in studies if study.in_pacs for file in write_study(study, slices, folder)]
    images = load_into_pacs("127.0.0.1", part.dicom_port, part.title, files)
    mark.write_text(str(images))
    return images


async def _fill_warehouse(federation: Federation, trust: str, hospitals: Hospitals) -> None:
    mark = federation.run / f"warehouse-{trust}-filled-by-demo"
    if mark.exists():
        return
    name, role = warehouse_name(trust), warehouse_reader(trust)
    reader = Reader(role, federation.keys.value(f"postgres-{role}"))
    superuser = federation.postgres.dsn("postgres")
    await load(superuser, name, reader, hospitals.people[trust], hospitals.studies_at(trust))
    mark.touch()


async def label_images(federation: Federation, trust: str, project_id: str, hospitals: Hospitals) -> int:
    """Put the label file into the trust's XNAT, as its data manager would; return the number of labelled scans.

    A trust that takes no part in the project has nothing to label.
    """
    xnat_project, sessions = await _archived(federation, trust, project_id)
    studies = hospitals.studies_at(trust)
    by_accession = {study.identity.accession: study for study in studies if study.fate == "whole"}
    splits = split(list(by_accession.values()))
    rows = [
        (session, str(series.number), series.label, *splits[accession])
        for accession, session in sessions
        for series in by_accession[accession].series
    ]
    if xnat_project is None:
        return 0
    await _put(federation, trust, f"/data/projects/{quote(xnat_project)}/{LABELS}", _table(rows))
    return len(rows)


def split(studies: Sequence[PlannedStudy]) -> dict[str, tuple[str, str]]:
    """Case number and "train" or "held_out" by accession number: whole studies, one in four of each first label."""
    seen: Counter[str] = Counter()
    marked = {}
    for case, study in enumerate(studies):
        label = study.series[0].label
        seen[label] += 1
        marked[study.identity.accession] = (str(case), "train" if seen[label] % HELD_OUT_EVERY else "held_out")
    return marked


async def _archived(federation: Federation, trust: str, project_id: str) -> tuple[str | None, list[tuple[str, str]]]:
    """The XNAT project, if any, and (accession, session label) of each study; the trust's own database knows both."""
    connection = await asyncpg.connect(federation.database_url(trust_role(trust)))
    try:
        project = await connection.fetchval("select xnat_project from project where project_id = $1", project_id)
        rows = await connection.fetch(
            "select accession, session from study where project_id = $1 and state = 'converted'", project_id
        )
    finally:
        await connection.close()
    return project, [(row["accession"], row["session"]) for row in rows]


async def _put(federation: Federation, trust: str, address: str, content: bytes) -> None:
    archive = federation.xnat(trust)
    login = aiohttp.BasicAuth(XNAT_ADMIN, federation.keys.value(archive.name))
    params = {"inbody": "true", "overwrite": "true"}
    async with (
        aiohttp.ClientSession(auth=login) as http,
        http.put(f"{archive.url}{address}", params=params, data=content) as answer,
    ):
        answer.raise_for_status()


def _table(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("study", "scan", "label", "case", "split"))
    writer.writerows(rows)
    return text.getvalue().encode()
