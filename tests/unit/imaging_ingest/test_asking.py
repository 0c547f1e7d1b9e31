"""What members may ask of an import, what the trust is then told, and what a project's end does."""

import pytest

from bus.errors import Late, Rejection
from schemas.cohort import CohortFrozen
from schemas.imaging import (
    ImagesPurged,
    ImportReconciled,
    ReconcileImport,
    ReimportStudy,
    RetryStudies,
    SkipStudy,
    SwitchConversion,
    Tally,
)
from schemas.project import ApprovalWithdrawn, ProjectClosed
from schemas.trust_imaging import (
    CompareImport,
    ImportCompared,
    ProjectPurged,
    PurgeProject,
    RepeatImport,
    RetryImport,
    SetConversion,
    SetMembers,
    SkipImport,
)
from services.imaging_ingest import domain
from services.imaging_ingest.asking import Ask, ask
from services.imaging_ingest.domain import Import, Project, Study
from services.imaging_ingest.relaying import relayed

ABOUT = {"actor": "ada", "project_id": "p1", "trust_id": "amber"}
ONE = "S0123456789abcdef"
PROJECT = Project(name="Knees", dicom_to_nifti=True, members=("ada",), trusts=("amber", "birch"))
FAILED = Import(project_id="p1", trust_id="amber", tally=Tally(asked=2, failed=1), settled=2, finished=True)
ASKS: list[tuple[Ask, type]] = [
    (RetryStudies(**ABOUT), RetryImport),
    (SkipStudy(**ABOUT, study=ONE), SkipImport),
    (ReimportStudy(**ABOUT, study=ONE), RepeatImport),
    (ReconcileImport(**ABOUT), CompareImport),
    (SwitchConversion(**ABOUT, on=False), SetConversion),
]


@pytest.mark.parametrize(("command", "told"), ASKS)
def test_each_ask_is_told_to_the_trust(command: Ask, told: type) -> None:
    message = ask(PROJECT, FAILED, Study(), command)
    assert isinstance(message, told)
    assert message.topic == "trust.amber.commands"


@pytest.mark.parametrize("command", [command for command, _ in ASKS])
@pytest.mark.parametrize(
    ("project", "import_", "code"),
    [
        (None, FAILED, "unknown_project"),
        (PROJECT.model_copy(update={"members": ("eve",)}), FAILED, "not_a_member"),
        (PROJECT, None, "no_import"),
        (PROJECT.model_copy(update={"closed": True}), FAILED, "project_ended"),
        (PROJECT.model_copy(update={"left": ("amber",)}), FAILED, "project_ended"),
    ],
)
def test_each_refusal_has_a_code(command: Ask, project: Project | None, import_: Import | None, code: str) -> None:
    with pytest.raises((Rejection, Late)) as refusal:
        ask(project, import_, Study(), command)
    assert refusal.value.code == code


def test_a_retry_needs_a_failure_and_a_skip_a_study_that_was_told_of() -> None:
    whole = FAILED.model_copy(update={"tally": Tally(asked=2)})
    with pytest.raises(Rejection) as nothing_failed:
        ask(PROJECT, whole, None, RetryStudies(**ABOUT))
    with pytest.raises(Rejection) as unknown:
        ask(PROJECT, whole, None, SkipStudy(**ABOUT, study=ONE))
    assert (nothing_failed.value.code, unknown.value.code) == ("nothing_failed", "unknown_study")


def test_a_closed_project_is_purged_once_at_every_trust_that_is_still_in_it() -> None:
    withdrawn = ApprovalWithdrawn(project_id="p1", trust_id="birch", withdrawn_by="bob", reason="Enough.")
    project, first = domain.end(PROJECT, withdrawn)
    project, second = domain.end(project, ProjectClosed(project_id="p1", closed_by="ada"))
    assert [(type(said), said.trust_id) for said in (*first, *second)] == [  # type: ignore[attr-defined]
        (PurgeProject, "birch"),
        (PurgeProject, "amber"),
    ]
    assert domain.end(project, ProjectClosed(project_id="p1", closed_by="ada"))[1] == []


def test_what_has_ended_imports_nothing_and_lets_nobody_in() -> None:
    project, _ = domain.end(PROJECT, ProjectClosed(project_id="p1", closed_by="ada"))
    frozen = CohortFrozen(project_id="p1", query_id="q1", trust_id="amber", digest="ab" * 32)
    assert domain.import_cohort(project, frozen) == []
    assert domain.set_members("p1", project, "amber") == []


def test_a_cohort_that_overtakes_its_approval_waits_for_what_was_approved() -> None:
    frozen = CohortFrozen(project_id="p1", query_id="q1", trust_id="cedar", digest="ab" * 32)
    with pytest.raises(Late):
        domain.import_cohort(PROJECT, frozen)


def test_members_are_set_at_the_trusts_that_take_part() -> None:
    project = PROJECT.model_copy(update={"left": ("birch",)})
    (said,) = domain.set_members("p1", project, *project.trusts)
    assert isinstance(said, SetMembers)
    assert (said.trust_id, said.members) == ("amber", ("ada",))


def test_what_a_trust_found_is_said_on() -> None:
    about = {"trust_id": "amber", "project_id": "p1"}
    compared = ImportCompared(**about, studies=3, agreed=2, differences={"no_job": 1}, repaired=1)
    assert relayed(compared) == ImportReconciled(**about, studies=3, agreed=2, differences={"no_job": 1}, repaired=1)
    purged = ProjectPurged(
        **about, studies=1, images=9, kept=0, retained=1, sessions=2, digest="ab" * 32, signature="A" * 86 + "=="
    )
    assert relayed(purged) == ImagesPurged(**about, studies=1, images=9, retained=1, digest="ab" * 32)
