"""Studies from a real PACS through the node into an archive, and what is left behind on the way."""

import asyncio
import gzip
import struct
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from infra.demo.pacs import load_into_pacs
from infra.parts.orthanc import Orthanc
from infra.parts.xnat import ADMIN
from infra.parts.xnat import Xnat as XnatPart
from schemas.deid import DeidWish
from tests.unit.imaging.importing import FakeJournal
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.content import ContentStore
from trust_node.imaging.conversion import Dcm2niix, ScanConverter
from trust_node.imaging.deid import DeidKeys, DeidPlan, plan
from trust_node.imaging.deid.policy import DeidPolicy
from trust_node.imaging.pacs import InvalidAccessionError, PacsError
from trust_node.imaging.pacs.move import ByMove
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.passage import import_study
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.spool import Spool
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.study import Importer, StudyOrder
from trust_node.imaging.xnat import Xnat

pytestmark = pytest.mark.integration

KEYS = DeidKeys(bytes(range(32)))
SLICES = 5
CANARIES = (b"Canaryson", b"MRN0815-4711", b"19660606", b"Canary Lane")


@dataclass(frozen=True)
class Planted:
    accession: str
    study_uid: str
    files: list[Path]

    @property
    def canaries(self) -> list[bytes]:
        return [*CANARIES, self.accession.encode(), self.study_uid.encode()]


def plant(folder: Path, accession: str, slices: int = SLICES, **changes: str) -> Planted:
    """A series of real MR slices under a planted identity."""
    study, series = generate_uid(), generate_uid()
    files = []
    for number in range(slices):
        image = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.PatientName, image.PatientID = "Canaryson^Jane", "MRN0815-4711"
        image.PatientBirthDate, image.PatientAddress = "19660606", "7 Canary Lane"
        image.AccessionNumber = accession
        image.InstanceNumber = number + 1
        image.PixelData = (image.pixel_array + number).tobytes()
        image.ImagePositionPatient = [-83.9, -91.2, 6.6 + 0.8 * number]
        for keyword, value in changes.items():
            setattr(image, keyword, value)
        files.append(folder / f"{image.SOPInstanceUID}.dcm")
        image.save_as(files[-1])
    return Planted(accession, study, files)


def store(orthanc: Orthanc, planted: Planted) -> Planted:
    load_into_pacs("127.0.0.1", orthanc.dicom_port, orthanc.title, planted.files)
    return planted


@pytest.fixture
def receiver(orthanc: Orthanc, tmp_path: Path) -> Iterator[Receiver]:
    spool = Spool(tmp_path / "spool")
    with Receiver(spool, orthanc.receiver_title, "127.0.0.1", orthanc.receiver_port, (orthanc.title,)) as started:
        yield started


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    # a forked worker would keep the port of the receiver that was open when it began
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.fixture
async def archive(xnat: XnatPart) -> AsyncIterator[Xnat]:
    async with Xnat(xnat.url, ADMIN, xnat.password, backoff_s=0.01) as client:
        yield client


@pytest.fixture
def pacs(orthanc: Orthanc, receiver: Receiver) -> ByMove:
    peer = Peer("127.0.0.1", orthanc.dicom_port, orthanc.title, orthanc.receiver_title, 20)
    return ByMove(peer, receiver.spool, receiver.title, 20)


@pytest.fixture
def importer(pacs: ByMove, receiver: Receiver, pool: ProcessPoolExecutor, archive: Xnat, tmp_path: Path) -> Importer:
    converter = ScanConverter(archive, Dcm2niix.pinned())
    content = ContentStore(tmp_path / "content", 2**30)
    return Importer(pacs, receiver.spool, content, KEYS, plan_of, pool, archive, converter, tmp_path / "work")


def plan_of(wish: DeidWish, project: str) -> DeidPlan:
    return plan(DeidPolicy(), wish, KEYS, project)


async def bring(
    importer: Importer, accession: str, project: str, journal: FakeJournal | None = None
) -> list[StudyState]:
    journal = journal or FakeJournal()
    before = len(journal.states)
    assert await import_study(importer, StudyOrder(accession, "hub", project), journal) == journal.states[-1]
    return journal.states[before:]


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_study_goes_from_the_pacs_to_nifti_in_the_archive(
    orthanc: Orthanc, importer: Importer, archive: Xnat, tmp_path: Path
) -> None:
    planted = store(orthanc, plant(tmp_path, "ACC-WHOLE-1"))
    project = await archive.ensure_project("hub-whole", "Brains")

    states = await bring(importer, planted.accession, project)

    steps = [state.step for state in states]
    assert [s for s in steps if s is not Step.MOVING] == [
        Step.RECEIVED, Step.DEIDENTIFIED, Step.ARCHIVED, Step.CONVERTED,
    ]  # fmt: skip
    last = states[-1]
    assert (last.expected, last.received, last.archived) == (SLICES, SLICES, SLICES)
    assert (last.slices_in, last.slices_out) == (SLICES, SLICES)
    assert last.sessions == (KEYS.study(planted.study_uid),)
    assert await archive.list_sessions(project) == list(last.sessions)
    counts = await archive.session_counts(project, last.sessions[0])
    assert counts == {"DICOM": SLICES, "NIFTI": 3}
    assert left(importer.spool.root) == []
    assert left(importer.work) == []


async def test_nothing_of_the_patient_is_in_the_archive_or_in_a_reported_state(
    orthanc: Orthanc, importer: Importer, archive: Xnat, xnat: XnatPart, tmp_path: Path
) -> None:
    planted = store(orthanc, plant(tmp_path, "ACC-CANARY-2"))
    project = await archive.ensure_project("hub-canary", "Canaries")

    states = await bring(importer, planted.accession, project)

    assert states[-1].step is Step.CONVERTED
    stored = b"".join(readable(path) for path in left(xnat.directory))
    assert [word for word in planted.canaries if word in stored] == []
    told = repr(states).encode()
    assert [word for word in planted.canaries if word in told] == []


async def test_the_nifti_holds_the_pixels_that_were_in_the_pacs(
    orthanc: Orthanc, importer: Importer, archive: Xnat, tmp_path: Path
) -> None:
    planted = store(orthanc, plant(tmp_path, "ACC-PIXELS-3"))
    project = await archive.ensure_project("hub-pixels", "Pixels")
    last = (await bring(importer, planted.accession, project))[-1]

    files = await archive.list_files(project, last.sessions[0])
    image = next(file for file in files if file.name.endswith(".nii.gz"))
    assert image.name.startswith("input_")
    await archive.download(image.uri, tmp_path / "out.nii.gz")

    # DICOM counts x and y to the patient's left and back, NIfTI's canonical form to the right and front.
    canonical = nibabel.as_closest_canonical(nibabel.load(tmp_path / "out.nii.gz")).get_fdata()
    originals = [pydicom.dcmread(file).pixel_array for file in planted.files]
    expected = np.stack([pixels.T for pixels in originals], axis=-1)
    assert np.array_equal(canonical[::-1, ::-1], expected)


async def test_an_accession_that_the_pacs_does_not_hold_fails_as_not_in_pacs(importer: Importer, archive: Xnat) -> None:
    project = await archive.ensure_project("hub-none", "None")
    states = await bring(importer, "ACC-NOWHERE", project)
    assert [state.code for state in states] == [FailureCode.NOT_IN_PACS]
    assert not FailureCode.NOT_IN_PACS.retryable


async def test_an_accession_that_matches_two_studies_fails_and_says_how_many(
    orthanc: Orthanc, importer: Importer, archive: Xnat, tmp_path: Path
) -> None:
    for _ in range(2):
        store(orthanc, plant(tmp_path, "ACC-TWICE", slices=1))
    project = await archive.ensure_project("hub-twice", "Twice")
    last = (await bring(importer, "ACC-TWICE", project))[-1]
    assert (last.step, last.code, last.matches) == (Step.FAILED, FailureCode.AMBIGUOUS_ACCESSION, 2)
    assert await archive.list_sessions(project) == []


async def test_a_wildcard_is_refused_before_the_pacs_is_asked(pacs: ByMove) -> None:
    nobody = replace(pacs, peer=replace(pacs.peer, port=1))
    for vague in ("", "*", "ACC*", "A?C", "A\\B", " ACC", "A" * 17, "A\nB"):
        with pytest.raises(InvalidAccessionError):
            await nobody.find_studies(vague)


async def test_an_accession_is_matched_with_its_case(orthanc: Orthanc, pacs: ByMove, tmp_path: Path) -> None:
    planted = store(orthanc, plant(tmp_path, "ACC-Case", slices=2))
    assert [hit.instances for hit in await pacs.find_studies("ACC-Case")] == [2]
    assert await pacs.find_studies("ACC-CASE") == []
    assert planted.study_uid == (await pacs.find_studies("ACC-Case"))[0].study_uid


async def test_a_pacs_that_does_not_listen_is_a_retryable_failure(importer: Importer, pacs: ByMove) -> None:
    deaf = replace(importer, pacs=replace(pacs, peer=replace(pacs.peer, port=1)))
    last = (await bring(deaf, "ACC-DEAF", "unused"))[-1]
    assert last.code is FailureCode.PACS_UNREACHABLE
    assert last.code.retryable


async def test_to_a_receiver_that_the_pacs_does_not_know_nothing_comes(
    orthanc: Orthanc, importer: Importer, pacs: ByMove, archive: Xnat, tmp_path: Path
) -> None:
    planted = store(orthanc, plant(tmp_path, "ACC-LOST", slices=1))
    project = await archive.ensure_project("hub-lost", "Lost")
    last = (await bring(replace(importer, pacs=replace(pacs, destination="NOBODY")), planted.accession, project))[-1]
    # Orthanc answers that it is unable to process, whatever the reason; others say 0xA801
    assert (last.code, last.received) == (FailureCode.INCOMPLETE, 0)


async def test_an_import_goes_on_after_each_step_at_which_it_was_killed(
    orthanc: Orthanc, importer: Importer, archive: Xnat, tmp_path: Path
) -> None:
    planted = store(orthanc, plant(tmp_path, "ACC-KILLED"))
    project = await archive.ensure_project("hub-killed", "Killed")

    for step in (Step.MOVING, Step.RECEIVED, Step.DEIDENTIFIED, Step.ARCHIVED):
        with pytest.raises(asyncio.CancelledError):
            await import_study(importer, StudyOrder(planted.accession, "hub", project), Dying(at=step))
    last = (await bring(importer, planted.accession, project))[-1]

    assert (last.step, last.slices_out) == (Step.CONVERTED, SLICES)
    assert await archive.session_counts(project, last.sessions[0]) == {"DICOM": SLICES, "NIFTI": 3}
    assert left(importer.spool.root) == []


async def test_what_must_wait_for_a_person_is_held_and_the_rest_goes_on(
    orthanc: Orthanc, importer: Importer, archive: Xnat, tmp_path: Path
) -> None:
    planted = plant(tmp_path, "ACC-HELD")
    marked = pydicom.dcmread(planted.files[0])
    marked.BurnedInAnnotation, marked.SeriesInstanceUID = "YES", generate_uid()
    marked.save_as(planted.files[0])
    store(orthanc, planted)
    project = await archive.ensure_project("hub-held", "Held")

    journal = FakeJournal()
    first = (await bring(importer, planted.accession, project, journal))[-1]
    again = (await bring(importer, planted.accession, project, journal))[-1]

    assert (first.step, first.archived, first.held) == (
        Step.CONVERTED, SLICES - 1, {"burned_in_annotation": 1},
    )  # fmt: skip
    assert (again.step, again.archived, again.held) == (Step.CONVERTED, first.archived, first.held)
    content = importer.content.find(KEYS.study(planted.study_uid))
    assert content is not None
    assert journal.held.keys() <= {file.name for file in content.files}


async def test_a_stranger_is_not_let_in_by_the_receiver(receiver: Receiver, orthanc: Orthanc) -> None:
    stranger = Peer("127.0.0.1", orthanc.receiver_port, receiver.title, "STRANGER", 5)
    with pytest.raises(PacsError, match="title"):
        await ByMove(stranger, receiver.spool, receiver.title, 5).echo()


@dataclass
class Dying(FakeJournal):
    at: Step = Step.MOVING

    async def tell(self, state: StudyState) -> bool:
        if state.step is self.at:
            raise asyncio.CancelledError
        return False


def readable(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == struct.pack("BB", 0x1F, 0x8B) else content
