"""Small studies in a trust's PACS and warehouse, some of them broken on purpose, each in a known way."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, build_opener

import asyncpg
import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from infra.demo.people import people_of
from infra.demo.warehouse import (
    FIRST_IMAGED_PROCEDURE,
    IMAGE_COLUMNS,
    MR,
    MR_PROCEDURE_TYPE,
    PROCEDURE_COLUMNS,
    Reader,
    load,
)
from infra.federation import Federation, warehouse_name, warehouse_reader
from infra.parts.orthanc import USER, Orthanc

SLICES = 3
TAKEN = date(2020, 3, 5)
SENDERS = 4
FAULTS: Mapping[str, frozenset[str]] = {
    "missing": frozenset({"not_in_pacs"}),
    "empty": frozenset({"incomplete"}),
    "miscounted": frozenset({"incomplete"}),
    "corrupt": frozenset({"incomplete", "unreadable"}),
    "duplicate": frozenset({"ambiguous_accession"}),
}
"""What is wrong with a study, and the codes by which the trust may name it."""


@dataclass(frozen=True, slots=True)
class Planted:
    """``fault`` is none for a good study; ``instances`` are the ids that the PACS gave its images."""

    accession: str
    study_uid: str
    fault: str | None = None
    instances: tuple[str, ...] = ()


def planned(studies: int, broken: int) -> list[Planted]:
    """Good studies and bad ones, spread evenly; of each fault about as many."""
    faults = cycle(FAULTS)
    every = max(1, studies // max(1, broken))
    marks = [
        next(faults) if place % every == every - 1 and place // every < broken else None for place in range(studies)
    ]
    return [Planted(f"MANY{place:06d}", generate_uid(), fault) for place, fault in enumerate(marks)]


def fill_pacs(orthanc: Orthanc, studies: Iterable[Planted]) -> list[Planted]:
    """Store what is there of each study, then break on the PACS's disk what is to be broken."""
    with ThreadPoolExecutor(SENDERS) as senders:
        stored = list(senders.map(lambda study: _stored(orthanc, study), studies))
    for study in stored:
        _break(orthanc, study)
    return stored


def _stored(orthanc: Orthanc, study: Planted) -> Planted:
    if study.fault == "missing":
        return study
    uids = [study.study_uid, generate_uid()] if study.fault == "duplicate" else [study.study_uid]
    images = [image for uid in uids for image in images_of(study.accession, uid)]
    return replace(study, instances=tuple(_ask(orthanc, "/instances", image)["ID"] for image in images))


def images_of(accession: str, study_uid: str) -> Iterator[bytes]:
    series = generate_uid()
    for number in range(SLICES):
        image = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        image.StudyInstanceUID, image.SeriesInstanceUID = study_uid, series
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.PatientName, image.PatientID = "Canaryson^Jane", f"ID-{accession}"
        image.AccessionNumber, image.InstanceNumber = accession, number + 1
        image.ImagePositionPatient = [-83.9, -91.2, 6.6 + 0.8 * number]
        buffer = BytesIO()
        image.save_as(buffer)
        yield buffer.getvalue()


def _break(orthanc: Orthanc, study: Planted) -> None:
    match study.fault:
        case "empty":
            for instance in study.instances:
                _file_of(orthanc, instance).unlink()
        case "miscounted":
            _file_of(orthanc, study.instances[0]).unlink()
        case "corrupt":
            file = _file_of(orthanc, study.instances[0])
            file.write_bytes(file.read_bytes()[:700])


def _file_of(orthanc: Orthanc, instance: str) -> Path:
    uuid: str = _ask(orthanc, f"/instances/{instance}/attachments/dicom/info")["Uuid"]
    return orthanc.directory / "storage" / uuid[:2] / uuid[2:4] / uuid


def _ask(orthanc: Orthanc, path: str, body: bytes | None = None) -> Any:
    passwords = HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, orthanc.url, USER, orthanc.password)
    with build_opener(HTTPBasicAuthHandler(passwords)).open(orthanc.url + path, body) as answer:
        return json.loads(answer.read())


async def fill_warehouse(federation: Federation, trust: str, studies: Iterable[Planted]) -> None:
    """Everybody of the demo lives at this trust, and the studies are theirs in turn."""
    people = people_of([trust])[trust]
    name, role = warehouse_name(trust), warehouse_reader(trust)
    superuser = federation.postgres.dsn("postgres")
    await load(superuser, name, Reader(role, federation.keys.value(f"postgres-{role}")), people, ())
    numbered = list(enumerate(zip(studies, cycle(people), strict=False), FIRST_IMAGED_PROCEDURE))
    procedures = [(number, person.id, MR, TAKEN, MR_PROCEDURE_TYPE) for number, (_, person) in numbered]
    images = [
        (number, person.id, number, TAKEN, study.study_uid, study.study_uid, MR, study.accession)
        for number, (study, person) in numbered
    ]
    connection = await asyncpg.connect(superuser, database=name)
    try:
        copy = connection.copy_records_to_table
        await copy("procedure_occurrence", schema_name="omop", columns=PROCEDURE_COLUMNS, records=procedures)
        await copy("image_occurrence", schema_name="omop", columns=IMAGE_COLUMNS, records=images)
    finally:
        await connection.close()
