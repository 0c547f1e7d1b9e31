"""One study through the importer, with a PACS and an archive that fail on purpose."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.deid import DeidWish
from tests.unit.imaging.importing import KEYS, ORDER, STUDY, FakeJournal, bring, image, parts
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.content import LEGAL, Pin
from trust_node.imaging.conversion import ConversionError
from trust_node.imaging.holds import Reviewed
from trust_node.imaging.pacs import Trouble
from trust_node.imaging.passage import import_study
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.study import Importer
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError

SESSION = KEYS.study(STUDY)
MARKED = {"BurnedInAnnotation": "YES"}
ANOTHER_SERIES = {"SeriesInstanceUID": "1.2.3.9"}


class PowerCutError(Exception):
    pass


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


class TestCounts:
    async def test_fewer_images_than_the_pacs_counts_is_incomplete_and_goes_on_later(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer = parts(tmp_path, pool)
        importer.pacs.brings = 2
        state = await bring(importer)
        assert (state.code, state.received, state.expected) == (FailureCode.INCOMPLETE, 2, 3)
        assert importer.xnat.files == set()
        assert importer.content.find(SESSION) is None

        importer.pacs.brings = None
        assert (await bring(importer)).step is Step.CONVERTED
        assert len(importer.xnat.files) == 3

    async def test_what_came_of_a_study_that_failed_for_good_stays_nowhere(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer = parts(tmp_path, pool)
        importer.pacs.brings = 2
        await bring(importer)
        assert importer.spool.count(STUDY) == 2
        await bring(importer, journal=FakeJournal(patience=0))
        assert importer.spool.count(STUDY) == 0

    async def test_where_the_pacs_counts_nothing_the_retrieval_is_the_proof(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer = parts(tmp_path, pool)
        importer.pacs.counts = False
        state = await bring(importer)
        assert (state.step, state.archived) == (Step.CONVERTED, 3)

        lossy = parts(tmp_path / "lossy", pool)
        lossy.pacs.counts, lossy.pacs.brings = False, 1
        assert (await bring(lossy)).code is FailureCode.INCOMPLETE

    async def test_a_study_without_images_is_named_so(self, tmp_path: Path, pool: Executor) -> None:
        assert (await bring(parts(tmp_path, pool, []))).code is FailureCode.EMPTY

    async def test_a_study_of_two_patients_goes_nowhere(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool, [image(1), image(2, PatientID="SOMEONE-ELSE")])
        assert (await bring(importer)).code is FailureCode.MIXED_PATIENTS
        assert importer.xnat.files == set()


class TestContent:
    async def test_what_is_archived_is_not_fetched_twice(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        first, again = await bring(importer), await bring(importer)
        assert importer.pacs.retrievals == 1
        assert (again.step, again.archived) == (first.step, first.archived)

    async def test_another_project_takes_what_is_here(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        await bring(importer)
        importer.xnat.sessions.clear()
        assert (await bring(importer, replace(ORDER, project="p2"))).archived == 3
        assert importer.pacs.retrievals == 1
        assert importer.content.find(SESSION).projects == {"p1", "p2"}

    async def test_from_scratch_means_fetched_and_archived_anew(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        await bring(importer)
        assert (await bring(importer, replace(ORDER, fresh=True))).step is Step.CONVERTED
        assert (importer.pacs.retrievals, importer.xnat.imports) == (2, 2)

    async def test_from_scratch_stops_at_a_legal_hold(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        await bring(importer)
        importer.content.pin(SESSION, LEGAL, Pin(by="bob", reason="court", at=datetime.now(UTC)))
        assert (await bring(importer, replace(ORDER, fresh=True))).code is FailureCode.LEGAL_HOLD
        assert importer.pacs.retrievals == 1

    async def test_a_study_that_has_grown_in_the_pacs_is_fetched_again(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        await bring(importer)
        importer.pacs.images[STUDY].append(image(9))
        assert (await bring(importer)).archived == 4

    async def test_above_the_quota_a_study_in_work_stays_until_it_is_archived(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer = parts(tmp_path, pool, quota=0)
        assert (await bring(importer)).archived == 3


class TestHolds:
    async def test_what_waits_is_counted_and_the_rest_goes_on(self, tmp_path: Path, pool: Executor) -> None:
        importer, journal = parts(tmp_path, pool, [image(1), image(2, **MARKED, **ANOTHER_SERIES)]), FakeJournal()
        for _ in range(2):
            state = await bring(importer, journal=journal)
            assert (state.archived, dict(state.held)) == (1, {"burned_in_annotation": 1})
        assert importer.pacs.retrievals == 1

    async def test_originals_that_a_person_has_to_see_stay_past_the_quota_until_it_is_decided(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer, journal = parts(tmp_path, pool, [image(1), image(2, **MARKED)], quota=0), FakeJournal()
        await bring(importer, journal=journal)
        importer.content.make_room()
        assert importer.content.find(SESSION) is not None
        journal.decided = Reviewed({}, frozenset(journal.held))
        await bring(importer, journal=journal)
        importer.content.make_room()
        assert importer.content.find(SESSION) is None

    async def test_a_study_of_which_all_waits_ends_there(self, tmp_path: Path, pool: Executor) -> None:
        importer, journal = parts(tmp_path, pool, [image(1, **MARKED), image(2, **MARKED)]), FakeJournal()
        for _ in range(2):
            state = await bring(importer, journal=journal)
            assert (state.code, state.archived, dict(state.held)) == (None, 0, {"burned_in_annotation": 2})
        assert importer.pacs.retrievals == 1
        assert importer.xnat.imports == 0

    async def test_what_was_rejected_is_left_out_and_the_study_is_whole_without_it(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer, journal = parts(tmp_path, pool, [image(1), image(2, **MARKED)]), FakeJournal()
        await bring(importer, journal=journal)
        journal.decided = Reviewed({}, frozenset(journal.held))
        state = await bring(importer, journal=journal)
        assert (state.step, state.archived, dict(state.held)) == (Step.CONVERTED, 1, {})

    async def test_where_everything_was_rejected_nothing_is_left(self, tmp_path: Path, pool: Executor) -> None:
        importer, journal = parts(tmp_path, pool, [image(2, **MARKED)]), FakeJournal()
        await bring(importer, journal=journal)
        journal.decided = Reviewed({}, frozenset(journal.held))
        assert (await bring(importer, journal=journal)).code is FailureCode.ALL_REJECTED


class TestPlan:
    async def test_a_wish_that_the_trust_does_not_allow_fetches_nothing(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        wish = DeidWish(options=("retain_uids",))
        assert (await bring(importer, replace(ORDER, wish=wish))).code is FailureCode.NO_VALID_PROFILE
        assert importer.pacs.retrievals == 0

    async def test_what_was_done_lies_beside_the_study_without_a_value_of_the_patient(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer = parts(tmp_path, pool)
        await bring(importer)
        ((address, report),) = importer.xnat.reports.items()
        assert address.endswith(f"/experiments/{SESSION}/resources/DEID/files/report.json")
        assert json.loads(report)["images"] == 3
        assert b"CompressedSamples" not in report

    async def test_a_released_image_passes_just_the_rule_that_held_it(self, tmp_path: Path, pool: Executor) -> None:
        importer, journal = parts(tmp_path, pool, [image(1), image(2, **MARKED)]), FakeJournal()
        await bring(importer, journal=journal)
        journal.decided = Reviewed({name: frozenset({reason}) for name, reason in journal.held.items()}, frozenset())
        state = await bring(importer, journal=journal)
        assert (state.archived, dict(state.held), importer.pacs.retrievals) == (2, {}, 1)


class TestSeveral:
    TWO = ("1.2.3.1", "1.2.3.2")

    def twice(self, folder: Path, pool: Executor) -> Importer:
        importer: Importer = parts(folder, pool)
        importer.pacs.images = {uid: [image(number, uid) for number in range(2)] for uid in self.TWO}  # type: ignore[attr-defined]
        return importer

    async def test_none_is_taken_silently_and_all_are_listed(self, tmp_path: Path, pool: Executor) -> None:
        importer, journal = self.twice(tmp_path, pool), FakeJournal()
        state = await bring(importer, journal=journal)
        assert (state.code, state.matches) == (FailureCode.AMBIGUOUS_ACCESSION, 2)
        assert [(found.expected, found.chosen) for found in journal.listed] == [(2, False), (2, False)]

    async def test_all_of_them(self, tmp_path: Path, pool: Executor) -> None:
        importer = self.twice(tmp_path, pool)
        state = await bring(importer, replace(ORDER, several="all"))
        assert (state.step, state.expected, state.archived) == (Step.CONVERTED, 4, 4)
        assert set(importer.xnat.sessions) == {KEYS.study(uid) for uid in self.TWO}  # type: ignore[attr-defined]

    async def test_the_newest(self, tmp_path: Path, pool: Executor) -> None:
        importer, journal = self.twice(tmp_path, pool), FakeJournal()
        state = await bring(importer, replace(ORDER, several="newest"), journal)
        assert (state.sessions, state.archived) == ((KEYS.study(self.TWO[1]),), 2)
        assert [found.chosen for found in journal.listed] == [False, True]


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (XnatUnreachableError("down"), FailureCode.ARCHIVE_UNREACHABLE),
            (XnatRefusedError(403, "import"), FailureCode.ARCHIVE_REFUSED),
        ],
    )
    async def test_an_archive_that_fails_has_a_code_and_the_originals_stay(
        self, tmp_path: Path, pool: Executor, error: Exception, code: FailureCode
    ) -> None:
        importer = parts(tmp_path, pool)
        importer.xnat.error = error
        assert (await bring(importer)).code is code
        assert len(importer.content.find(SESSION).files) == 3
        assert not (importer.work / SESSION).exists()

    async def test_an_archive_that_loses_a_file_is_noticed(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        importer.xnat.loses = 1
        assert (await bring(importer)).code is FailureCode.ARCHIVE_INCOMPLETE

    @pytest.mark.parametrize(
        ("trouble", "code"),
        [
            (Trouble.PORT_CLOSED, FailureCode.PACS_UNREACHABLE),
            (Trouble.OUR_TITLE_UNKNOWN, FailureCode.PACS_REFUSED),
        ],
    )
    async def test_whether_the_pacs_may_come_back_decides_the_code(
        self, tmp_path: Path, pool: Executor, trouble: Trouble, code: FailureCode
    ) -> None:
        importer = parts(tmp_path, pool)
        importer.pacs.trouble = trouble
        assert (await bring(importer)).code is code

    async def test_a_pacs_that_does_not_know_our_receiver_refuses_to_send(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)
        importer.pacs.status = 0xA801
        assert (await bring(importer)).code is FailureCode.MOVE_REFUSED

    async def test_lost_slices_fail_the_study_but_the_images_stay_archived(
        self, tmp_path: Path, pool: Executor
    ) -> None:
        importer = parts(tmp_path, pool)
        importer.converter.error = ConversionError(FailureCode.SLICES_LOST)
        state = await bring(importer)
        assert (state.step, state.code, state.archived) == (Step.FAILED, FailureCode.SLICES_LOST, 3)

    async def test_without_conversion_a_study_ends_archived(self, tmp_path: Path, pool: Executor) -> None:
        assert (await bring(parts(tmp_path, pool), replace(ORDER, to_nifti=False))).step is Step.ARCHIVED

    async def test_a_step_that_hangs_is_ended(self, tmp_path: Path, pool: Executor) -> None:
        importer = parts(tmp_path, pool)

        async def hang(_accession: str) -> None:
            await asyncio.Event().wait()

        importer.pacs.find_studies = hang
        assert (await bring(replace(importer, step_s=0.02))).code is FailureCode.STEP_TIMED_OUT


@dataclass
class Dying(FakeJournal):
    at: Step = Step.MOVING

    async def tell(self, state: StudyState) -> bool:
        if state.step is self.at:
            raise PowerCutError
        return False


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
    assert len(importer.content.find(SESSION).files) == 3


async def cut_off_at(importer: Importer, step: Step) -> None:
    try:
        await import_study(importer, ORDER, Dying(at=step))
    except PowerCutError:
        return


def test_no_state_shows_the_accession() -> None:
    assert "ACC778899" not in repr(ORDER)
