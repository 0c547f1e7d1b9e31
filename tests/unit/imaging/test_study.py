"""One study through the importer, with a PACS and an archive that fail on purpose."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion import Slices
from trust_node.imaging.deid import DeidKeys
from trust_node.imaging.nifti import ConversionError
from trust_node.imaging.pacs import MoveOutcome, PacsError, StudyHit
from trust_node.imaging.spool import Spool
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.study import Importer, StudyOrder
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError

STUDY = "1.2.826.0.1.3680043.1"
ORDER = StudyOrder("ACC778899", "project")


class PowerCutError(Exception):
    pass


@dataclass
class FakePacs:
    """Sends `images` into the spool, only the first `brings` of them."""

    spool: Spool
    images: list[bytes]
    brings: int | None = None
    counts: bool = True
    fails: bool = False
    moves: int = 0

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return [StudyHit(STUDY, len(self.images) if self.counts else None)]

    async def move(self, study_uid: str, destination: str) -> MoveOutcome:
        if self.fails:
            raise PacsError("gone")
        self.moves += 1
        sent = self.images[: self.brings]
        for number, image in enumerate(sent):
            self.spool.write(study_uid, str(number), [image])
        return MoveOutcome(len(sent), len(self.images) - len(sent), 0, 0)


@dataclass
class FakeXnat:
    files: set[str] = field(default_factory=set)
    error: Exception | None = None
    loses: int = 0

    async def session_counts(self, project: str, session: str) -> dict[str, int]:
        return {"DICOM": len(self.files)}

    async def import_session(self, project: str, subject: str, session: str, archive: Path) -> str:
        if self.error:
            raise self.error
        self.files |= set(sorted(ZipFile(archive).namelist())[self.loses :])
        return session


@dataclass
class FakeConverter:
    error: Exception | None = None

    async def convert_session(self, project: str, session: str, work: Path) -> Slices:
        if self.error:
            raise self.error
        return Slices(3, 3)


def image(number: int, **changes: Any) -> bytes:
    from io import BytesIO

    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    dataset.StudyInstanceUID, dataset.SOPInstanceUID = STUDY, f"{STUDY}.{number}"
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def parts(folder: Path, pool: Executor, images: list[bytes] | None = None) -> Any:
    spool = Spool(folder / "spool")
    pacs: Any = FakePacs(spool, images or [image(number) for number in range(3)])
    xnat: Any = FakeXnat()
    converter: Any = FakeConverter()
    return Importer(pacs, "NODE", spool, DeidKeys(bytes(32)), pool, xnat, converter, folder / "work")


async def bring(importer: Importer) -> StudyState:
    return await importer.import_study(ORDER, forget)


async def forget(state: StudyState) -> None:
    pass


async def test_fewer_images_than_the_pacs_counts_is_incomplete_and_goes_on_later(
    tmp_path: Path, pool: Executor
) -> None:
    importer = parts(tmp_path, pool)
    importer.pacs.brings = 2
    state = await bring(importer)
    assert (state.code, state.received, state.expected) == (FailureCode.INCOMPLETE, 2, 3)
    assert importer.xnat.files == set()

    importer.pacs.brings = None
    assert (await bring(importer)).step is Step.CONVERTED
    assert len(importer.xnat.files) == 3


async def test_where_the_pacs_counts_nothing_the_move_is_the_proof(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool)
    importer.pacs.counts = False
    state = await bring(importer)
    assert (state.step, state.expected) == (Step.CONVERTED, 3)

    lossy = parts(tmp_path / "lossy", pool)
    lossy.pacs.counts, lossy.pacs.brings = False, 1
    assert (await bring(lossy)).code is FailureCode.INCOMPLETE


async def test_what_is_archived_is_not_fetched_twice(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool)
    first, again = await bring(importer), await bring(importer)
    assert importer.pacs.moves == 1
    assert (again.step, again.archived) == (first.step, first.archived)


async def test_a_study_of_two_patients_goes_nowhere(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool, [image(1), image(2, PatientID="SOMEONE-ELSE")])
    assert (await bring(importer)).code is FailureCode.MIXED_PATIENTS
    assert importer.xnat.files == set()


async def test_a_study_of_which_nothing_may_leave_fails_as_all_held(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool, [image(1, BurnedInAnnotation="YES"), image(2, BurnedInAnnotation="YES")])
    for _ in range(2):
        state = await bring(importer)
        assert (state.code, state.held) == (FailureCode.ALL_HELD, {"burned_in_annotation": 2})
    assert importer.pacs.moves == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (XnatUnreachableError("down"), FailureCode.ARCHIVE_UNREACHABLE),
        (XnatRefusedError(403, "import"), FailureCode.ARCHIVE_REFUSED),
    ],
)
async def test_an_archive_that_fails_has_a_code_and_the_originals_stay(
    tmp_path: Path, pool: Executor, error: Exception, code: FailureCode
) -> None:
    importer = parts(tmp_path, pool)
    importer.xnat.error = error
    assert (await bring(importer)).code is code
    assert importer.spool.count(STUDY) == 3
    assert not (importer.work / importer.keys.study(STUDY)).exists()


async def test_an_archive_that_loses_a_file_is_noticed_and_the_originals_stay(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool)
    importer.xnat.loses = 1
    assert (await bring(importer)).code is FailureCode.ARCHIVE_INCOMPLETE
    assert importer.spool.count(STUDY) == 3


async def test_a_pacs_that_goes_away_during_the_move_is_unreachable(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool)
    importer.pacs.fails = True
    assert (await bring(importer)).code is FailureCode.PACS_UNREACHABLE


async def test_lost_slices_fail_the_study_but_the_images_stay_archived(tmp_path: Path, pool: Executor) -> None:
    importer = parts(tmp_path, pool)
    importer.converter.error = ConversionError(FailureCode.SLICES_LOST)
    state = await bring(importer)
    assert (state.step, state.code, state.archived) == (Step.FAILED, FailureCode.SLICES_LOST, 3)


async def test_without_conversion_a_study_ends_archived(tmp_path: Path, pool: Executor) -> None:
    state = await parts(tmp_path, pool).import_study(replace(ORDER, to_nifti=False), forget)
    assert state.step is Step.ARCHIVED


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=st.lists(st.sampled_from([Step.MOVING, Step.RECEIVED, Step.DEIDENTIFIED, Step.ARCHIVED]), max_size=4))
async def test_wherever_it_is_cut_off_the_study_ends_the_same(
    deaths: list[Step], tmp_path_factory: pytest.TempPathFactory, pool: Executor
) -> None:
    importer = parts(tmp_path_factory.mktemp("study"), pool)
    for step in deaths:
        await cut_off_at(importer, step)
    state = await bring(importer)
    assert (state.step, state.archived, state.slices_out) == (Step.CONVERTED, 3, 3)
    assert len(importer.xnat.files) == 3
    assert importer.spool.count(STUDY) == 0


async def cut_off_at(importer: Importer, step: Step) -> None:
    async def report(state: StudyState) -> None:
        if state.step is step:
            raise PowerCutError

    try:
        await importer.import_study(ORDER, report)
    except PowerCutError:
        return


def test_no_state_shows_the_accession() -> None:
    assert "ACC778899" not in repr(ORDER)
