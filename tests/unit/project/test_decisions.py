"""Each refusal of the project service has a stable code."""

import pytest

from bus.errors import Late, Rejection
from schemas.project import (
    AddMember,
    ApproveProject,
    CreateProject,
    DeclineProject,
    EditProject,
    MemberRemoved,
    ProjectActivated,
    ProjectApproved,
    ProjectCommand,
    ProjectEvent,
    RemoveMember,
    StageProject,
)
from services.project.domain import Project, Query, Surroundings, decide, evolve, request_digest

ME = {"project_id": "p1", "actor": "ada"}
QUERY = Query(query_id="q1", project_id="p1", sql_sha256="ab" * 32, answered=("amber", "birch"))
AROUND = Surroundings(query=QUERY, approvers={"amber": ("bob",), "birch": ("bea",)})


def after(*commands: ProjectCommand) -> Project:
    project: Project | None = None
    for command in commands:
        for event in decide(project, command, AROUND):
            project = evolve(project, event)
    assert project is not None
    return project


CREATE = CreateProject(**ME, name="Knees")
STAGE = StageProject(**ME, query_id="q1", trusts=("amber", "birch"))
APPROVE = ApproveProject(project_id="p1", actor="bob", trust_id="amber")
DECLINE = DeclineProject(project_id="p1", actor="bea", trust_id="birch", reason="Too busy.")
DRAFT, STAGED, ACTIVE = after(CREATE), after(CREATE, STAGE), after(CREATE, STAGE, APPROVE)


def refused(project: Project | None, command: ProjectCommand, around: Surroundings = AROUND) -> str:
    with pytest.raises((Rejection, Late)) as refusal:
        decide(project, command, around)
    assert refusal.value.reason.endswith(".")
    return refusal.value.code


def said(project: Project, command: ProjectCommand) -> list[type[ProjectEvent]]:
    return [type(event) for event in decide(project, command, AROUND)]


@pytest.mark.parametrize("command", [STAGE, APPROVE, DECLINE, EditProject(**ME), AddMember(**ME, member="eve")])
def test_an_unknown_project(command: ProjectCommand) -> None:
    assert refused(None, command) == "unknown_project"


@pytest.mark.parametrize("project", [DRAFT, STAGED, ACTIVE])
def test_an_id_is_used_once(project: Project) -> None:
    assert refused(project, CREATE) == "already_exists"


@pytest.mark.parametrize("project", [STAGED, ACTIVE])
@pytest.mark.parametrize("command", [STAGE, EditProject(**ME, name="x"), AddMember(**ME, member="eve")])
def test_what_is_staged_is_frozen(project: Project, command: ProjectCommand) -> None:
    assert refused(project, command) == "not_draft"


@pytest.mark.parametrize(
    "command",
    [
        EditProject(project_id="p1", actor="eve", name="x"),
        AddMember(project_id="p1", actor="eve", member="eve"),
        StageProject(project_id="p1", actor="eve", query_id="q1", trusts=("amber",)),
    ],
)
def test_strangers_change_nothing(command: ProjectCommand) -> None:
    assert refused(DRAFT, command) == "not_a_member"


def test_the_owner_stays() -> None:
    assert refused(DRAFT, RemoveMember(**ME, member="ada")) == "owner_stays"


def test_who_is_no_member_can_not_be_removed() -> None:
    assert refused(DRAFT, RemoveMember(**ME, member="eve")) == "not_a_member"


@pytest.mark.parametrize(
    ("around", "trusts", "code"),
    [
        (AROUND.model_copy(update={"query": None}), ("amber",), "unknown_query"),
        (
            AROUND.model_copy(update={"query": QUERY.model_copy(update={"project_id": "p2"})}),
            ("amber",),
            "unknown_query",
        ),
        (AROUND, (), "no_trusts"),
        (AROUND, ("amber", "amber"), "no_trusts"),
        (AROUND, ("amber", "cedar"), "trust_not_counted"),
    ],
)
def test_staging_needs_a_query_that_each_trust_answered(
    around: Surroundings, trusts: tuple[str, ...], code: str
) -> None:
    assert refused(DRAFT, StageProject(**ME, query_id="q1", trusts=trusts), around) == code


@pytest.mark.parametrize("command", [APPROVE, DECLINE])
def test_a_draft_is_not_decided_on(command: ProjectCommand) -> None:
    assert refused(DRAFT, command) == "not_staged"


@pytest.mark.parametrize(
    ("actor", "trust", "code"),
    [
        ("bob", "cedar", "trust_not_asked"),
        ("ada", "amber", "own_request"),
        ("eve", "amber", "not_an_approver"),
        ("bea", "amber", "not_an_approver"),
    ],
)
def test_only_the_trusts_own_approver_decides(actor: str, trust: str, code: str) -> None:
    approve = ApproveProject(project_id="p1", actor=actor, trust_id=trust)
    assert refused(STAGED, approve) == code
    assert refused(STAGED, DeclineProject(**approve.model_dump(), reason="No.")) == code


def test_an_approver_who_is_a_member_does_not_decide() -> None:
    staged = after(CREATE, AddMember(**ME, member="bob"), STAGE)
    assert refused(staged, APPROVE) == "own_request"


def test_a_trust_decides_once() -> None:
    assert refused(ACTIVE, APPROVE) == "already_decided"
    assert refused(after(CREATE, STAGE, DECLINE), DECLINE) == "already_decided"


def test_the_first_approval_activates_and_the_second_does_not() -> None:
    assert said(STAGED, APPROVE) == [ProjectApproved, ProjectActivated]
    assert said(ACTIVE, ApproveProject(project_id="p1", actor="bea", trust_id="birch")) == [ProjectApproved]


def test_a_declined_project_is_not_active() -> None:
    assert after(CREATE, STAGE, DECLINE).status == "staged"


def test_an_edit_changes_only_what_it_names() -> None:
    edited = after(CREATE, EditProject(**ME, description="MR of knees."))
    assert (edited.name, edited.description, edited.dicom_to_nifti) == ("Knees", "MR of knees.", True)


def test_the_digest_is_of_all_that_an_approver_sees() -> None:
    seen = {
        request_digest(DRAFT, QUERY, ("amber",)),
        request_digest(DRAFT, QUERY, ("amber", "birch")),
        request_digest(DRAFT, QUERY.model_copy(update={"sql_sha256": "cd" * 32}), ("amber",)),
        request_digest(DRAFT.model_copy(update={"name": "Hips"}), QUERY, ("amber",)),
        request_digest(DRAFT.model_copy(update={"members": ("ada", "eve")}), QUERY, ("amber",)),
        request_digest(DRAFT.model_copy(update={"dicom_to_nifti": False}), QUERY, ("amber",)),
    }
    assert len(seen) == 6


def test_the_digest_does_not_depend_on_an_order() -> None:
    assert request_digest(DRAFT, QUERY, ("birch", "amber")) == request_digest(DRAFT, QUERY, ("amber", "birch"))


def test_nothing_happens_to_a_project_before_it_is_created() -> None:
    with pytest.raises(TypeError, match="before the project was created"):
        evolve(None, MemberRemoved(project_id="p1", member="eve"))
