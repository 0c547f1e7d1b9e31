"""The tally of an import: whatever a trust tells, it adds up."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bus.errors import Late
from schemas.cohort import CohortFrozen
from schemas.imaging import ImportFinished, ImportProgressed, ImportStarted, Tally
from schemas.message import Message
from schemas.project import ProjectApproved
from schemas.trust_imaging import ImportCohort, ImportPlanned, StudyAdvanced
from schemas.upcast import upcast
from services.imaging_ingest import domain
from services.imaging_ingest.domain import Import, Project, Study

STEPS = ("moving", "received", "deidentified", "archived", "converted")
PSEUDONYMS = tuple(f"S{number:016x}" for number in range(4))
PROJECT = Project(name="Knees", dicom_to_nifti=True, members=("ada",))
NO_PIXELS = {"code": "no_pixels", "final": True}


def planned(studies: int) -> tuple[Import, list[Message]]:
    return domain.planned(ImportPlanned(trust_id="amber", project_id="p1", studies=studies))


def step(study: str, state: str, attempt: int = 1, **more: object) -> StudyAdvanced:
    about = {"trust_id": "amber", "project_id": "p1", "study": study, "state": state, "attempt": attempt}
    return StudyAdvanced.model_validate(about | more)


class TestImporting:
    def test_a_frozen_cohort_is_imported_under_the_approved_name(self) -> None:
        approved = ProjectApproved(
            project_id="p1",
            trust_id="amber",
            name="Hips",
            query_id="q1",
            dicom_to_nifti=False,
            approved_by="bob",
            request_digest="ab" * 32,
        )
        frozen = CohortFrozen(project_id="p1", query_id="q1", trust_id="amber", persons=20, digest="ab" * 32)
        (command,) = domain.import_cohort(domain.remember(PROJECT, approved), frozen)
        assert isinstance(command, ImportCohort)
        assert (command.topic, command.project_name, command.dicom_to_nifti) == ("trust.amber.commands", "Hips", False)

    def test_a_cohort_that_overtakes_its_project_waits(self) -> None:
        with pytest.raises(Late):
            domain.import_cohort(None, CohortFrozen(project_id="p", query_id="q", trust_id="t", digest="ab" * 32))

    def test_an_import_without_studies_is_over_at_once(self) -> None:
        import_, said = planned(0)
        assert import_.finished
        assert [type(message) for message in said] == [ImportStarted, ImportFinished]

    def test_a_study_that_fails_counts_nothing_it_counted_before(self) -> None:
        import_, _ = planned(1)
        import_, study, _ = domain.advance(import_, Study(), step(PSEUDONYMS[0], "received", expected=30, present=30))
        assert (import_.tally.received, import_.tally.slices_in) == (1, 30)
        import_, _, said = domain.advance(import_, study, step(PSEUDONYMS[0], "received", failure=NO_PIXELS))
        assert import_.tally == Tally(asked=1, failed=1)
        assert isinstance(said[-1], ImportFinished)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ({"state": "received", "expected": 9, "present": 9}, {"state": "received", "expected": 9, "present": 9}),
            ({"state": "archived", "final": True, "present": 9}, {"state": "archived", "arrived": True, "present": 9}),
            ({"state": "failed", "final": True, "code": "no_pixels"}, {"state": "deidentified", "failure": NO_PIXELS}),
            ({"state": "failed", "code": "no_pixels"}, {"state": "moving", "failure": NO_PIXELS | {"final": False}}),
        ],
    )
    def test_a_hospital_that_upgrades_late_is_tallied_the_same(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        said = {"trust_id": "amber", "project_id": "p1", "study": PSEUDONYMS[0], "attempt": 1} | old
        upgraded = upcast("trustflow.trust.study_advanced.v1", json.dumps(said).encode())
        import_, _ = planned(1)
        by_old = domain.advance(import_, Study(), StudyAdvanced.parse(upgraded))
        assert by_old == domain.advance(import_, Study(), step(PSEUDONYMS[0], attempt=1, **new))


class ImportMachine(RuleBasedStateMachine):
    """Studies step forward, fail, are tried again from the start; steps come twice."""

    @initialize(studies=st.integers(1, len(PSEUDONYMS)))
    def plan(self, studies: int) -> None:
        self.names = PSEUDONYMS[:studies]
        self.import_, self.said = planned(studies)
        self.studies: dict[str, Study] = {}

    def tell(self, event: StudyAdvanced) -> None:
        before = self.studies.get(event.study, Study())
        self.import_, self.studies[event.study], said = domain.advance(self.import_, before, event)
        self.said += said

    @rule(index=st.integers(0, 3), state=st.sampled_from(STEPS), images=st.none() | st.integers(0, 500))
    def advance(self, index: int, state: str, images: int | None) -> None:
        self.tell(step(self.name(index), state, arrived=state == "converted", expected=images, present=images))

    @rule(index=st.integers(0, 3), state=st.sampled_from(STEPS), final=st.booleans())
    def fail(self, index: int, state: str, final: bool) -> None:
        self.tell(step(self.name(index), state, failure=NO_PIXELS | {"final": final}))

    @rule(index=st.integers(0, 3), state=st.sampled_from(STEPS), rest=st.sampled_from(["held", "skipped"]))
    def come_to_rest(self, index: int, state: str, rest: str) -> None:
        self.tell(step(self.name(index), state, rest=rest, expected=5, present=4))

    @rule()
    def end_all(self) -> None:
        for name in self.names:
            self.tell(step(name, "converted", arrived=True, expected=7, present=7))
        assert self.import_.finished
        assert self.import_.tally.slices_in == self.import_.tally.slices_out == 7 * len(self.names)

    def name(self, index: int) -> str:
        return self.names[index % len(self.names)]

    @invariant()
    def no_number_is_negative_and_none_above_what_was_asked(self) -> None:
        tally = self.import_.tally
        assert min(tally.model_dump().values()) >= 0
        assert tally.converted <= tally.archived <= tally.received <= tally.asked == len(self.names)
        assert tally.received + tally.failed + tally.skipped <= tally.asked
        assert tally.held <= tally.asked

    @invariant()
    def it_is_finished_when_every_study_is_where_it_stays(self) -> None:
        settled = [study for study in self.studies.values() if study.final]
        assert self.import_.settled == len(settled)
        assert self.import_.finished == (len(settled) == len(self.names))
        if self.import_.finished:
            ends = self.import_.tally
            assert ends.converted + ends.failed + ends.held + ends.skipped >= ends.asked

    @invariant()
    def every_step_is_told_with_the_tally_of_that_moment(self) -> None:
        told = [message for message in self.said if isinstance(message, ImportProgressed)]
        assert not told or told[-1].tally == self.import_.tally
        ends = [message for message in self.said if isinstance(message, ImportFinished)]
        assert not self.import_.finished or ends[-1].tally == self.import_.tally


TestImports = ImportMachine.TestCase
