"""A PACS, an archive, a converter and a journal that do what a test wants of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pydicom
from pydicom.data import get_testdata_file

from schemas.deid import DeidWish
from trust_node.imaging.content import ContentStore
from trust_node.imaging.conversion import Slices
from trust_node.imaging.deid import DeidKeys, DeidPlan, plan
from trust_node.imaging.deid.policy import DeidPolicy
from trust_node.imaging.holds import Reviewed
from trust_node.imaging.pacs import Outcome, PacsError, StudyHit, Trouble
from trust_node.imaging.passage import import_study
from trust_node.imaging.spool import Spool
from trust_node.imaging.states import StudyState
from trust_node.imaging.study import Found, Importer, StudyOrder
from trust_node.imaging.xnat import ArchivedFile

STUDY = "1.2.826.0.1.3680043.1"
ACCESSION = "ACC778899"
ORDER = StudyOrder(ACCESSION, "p1", "archive")
KEYS = DeidKeys(bytes(32))


@dataclass
class FakePacs:
    """Holds `images` under one accession number, by study, and sends only the first `brings` of each."""

    spool: Spool
    images: dict[str, list[bytes]]
    brings: int | None = None
    counts: bool = True
    trouble: Trouble | None = None
    status: int = 0
    retrievals: int = 0

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return [
            StudyHit(uid, len(images) if self.counts else None, date=f"2020010{number + 1}")
            for number, (uid, images) in enumerate(self.images.items())
        ]

    async def retrieve(self, hit: StudyHit) -> Outcome:
        if self.trouble:
            raise PacsError(self.trouble)
        self.retrievals += 1
        if self.status:
            return Outcome(0, 0, 0, self.status)
        images = self.images[hit.study_uid]
        sent = images[: self.brings]
        for number, image in enumerate(sent):
            self.spool.write(hit.study_uid, str(number), [image])
        return Outcome(len(sent), len(images) - len(sent), 0, 0)


@dataclass
class FakeXnat:
    """Sessions and the names and bytes of their files; the first `loses` of each import vanish."""

    sessions: dict[str, dict[str, bytes]] = field(default_factory=dict)
    error: Exception | None = None
    loses: int = 0
    imports: int = 0
    reports: dict[str, bytes] = field(default_factory=dict)

    @property
    def files(self) -> set[str]:
        return {name for files in self.sessions.values() for name in files}

    async def session_counts(self, project: str, session: str) -> dict[str, int]:
        images = len(self.sessions.get(session, {}))
        return {"DICOM": images, "NIFTI": images}

    async def list_files(self, project: str, session: str) -> list[ArchivedFile]:
        return [
            ArchivedFile("1", "DICOM", name, f"/{name}", len(content), md5(content).hexdigest())
            for name, content in self.sessions.get(session, {}).items()
        ]

    async def import_session(self, project: str, subject: str, session: str, archive: Path) -> str:
        if self.error:
            raise self.error
        self.imports += 1
        with ZipFile(archive) as zipped:
            kept = sorted(zipped.namelist())[self.loses :]
            self.sessions.setdefault(session, {}).update({name: zipped.read(name) for name in kept})
        return session

    async def list_sessions(self, project: str) -> list[str]:
        return list(self.sessions)

    async def delete_project(self, project: str) -> None:
        self.sessions.clear()

    async def put_file(self, address: str, content: bytes) -> None:
        self.reports[address] = content

    async def delete_session(self, project: str, session: str) -> None:
        self.sessions.pop(session, None)


@dataclass
class FakeConverter:
    error: Exception | None = None

    async def convert_session(self, project: str, session: str, work: Path) -> Slices:
        if self.error:
            raise self.error
        return Slices(3, 3)


@dataclass
class FakeJournal:
    """Remembers what was told, and what people decided."""

    states: list[StudyState] = field(default_factory=list)
    patience: int = 1
    listed: list[Found] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    decided: Reviewed = field(default_factory=lambda: Reviewed({}, frozenset()))

    async def tell(self, state: StudyState) -> bool:
        self.states.append(state)
        return self.patience <= 0

    async def found(self, studies: Iterable[Found]) -> None:
        self.listed = list(studies)

    async def reviewed(self, session: str) -> Reviewed:
        return self.decided

    async def hold(self, session: str, held: Iterable[tuple[str, str]]) -> None:
        self.held |= dict(held)

    async def waiting(self, session: str) -> Mapping[str, str]:
        decided = {*self.decided.rejected, *self.decided.released}
        return {image: reason for image, reason in self.held.items() if image not in decided}


def image(number: int, study: str = STUDY, **changes: Any) -> bytes:
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    dataset.StudyInstanceUID, dataset.SOPInstanceUID = study, f"{study}.{number}"
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def parts(folder: Path, pool: Executor, images: list[bytes] | None = None, quota: int = 2**30) -> Any:
    spool = Spool(folder / "spool")
    pacs: Any = FakePacs(spool, {STUDY: [image(number) for number in range(3)] if images is None else images})
    xnat: Any = FakeXnat()
    converter: Any = FakeConverter()
    content = ContentStore(folder / "content", quota)
    return Importer(pacs, spool, content, KEYS, basic, pool, xnat, converter, folder / "work")


def basic(wish: DeidWish, project: str) -> DeidPlan:
    """The plan of a trust whose policy says nothing of de-identification."""
    return plan(DeidPolicy(), wish, KEYS, project)


async def bring(importer: Importer, order: StudyOrder = ORDER, journal: FakeJournal | None = None) -> StudyState:
    return await import_study(importer, order, journal or FakeJournal())


def reasons(journal: FakeJournal) -> Counter[str]:
    return Counter(journal.held.values())
