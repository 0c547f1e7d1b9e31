"""What may happen to a project. Pure: state + command → events, state + event → state."""

import hashlib
import json
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bus.errors import Late, Rejection
from schemas.deid import DeidWish
from schemas.project import (
    AddMember,
    ApprovalWithdrawn,
    ApproveProject,
    CloseProject,
    CreateProject,
    DeclineProject,
    EditProject,
    MemberAdded,
    MemberRemoved,
    ProjectActivated,
    ProjectApproved,
    ProjectClosed,
    ProjectCommand,
    ProjectCreated,
    ProjectDeclined,
    ProjectEdited,
    ProjectEvent,
    ProjectStaged,
    RemoveMember,
    StageProject,
    WithdrawApproval,
)

Status = Literal["draft", "staged", "active", "closed"]


class Decision(BaseModel):
    model_config = ConfigDict(frozen=True)

    approved: bool
    by: str
    withdrawn: bool = False


class Project(BaseModel):
    """The state of one project."""

    model_config = ConfigDict(frozen=True)

    project_id: str
    name: str
    description: str
    dicom_to_nifti: bool
    deid: DeidWish | None = None
    owner: str
    members: tuple[str, ...]
    status: Status = "draft"
    query_id: str | None = None
    trusts: tuple[str, ...] = ()
    requested_by: str | None = None
    request_digest: str | None = None
    decisions: dict[str, Decision] = {}


class Query(BaseModel):
    """A cohort query as this service knows it from events."""

    model_config = ConfigDict(frozen=True)

    query_id: str
    project_id: str
    sql_sha256: str
    answered: tuple[str, ...] = ()
    sql: str | None = None
    criteria: str | None = None
    cohort: str | None = None
    version: int | None = None


class Surroundings(BaseModel):
    """What a decision needs to know beside the project: the query it names, and who may approve for a trust."""

    model_config = ConfigDict(frozen=True)

    query: Query | None = None
    approvers: dict[str, tuple[str, ...]] = {}


def decide(project: Project | None, command: ProjectCommand, around: Surroundings) -> list[ProjectEvent]:
    """The events that a command causes; raises Rejection with a stable code."""
    if isinstance(command, CreateProject):
        return _create(project, command)
    if project is None:
        raise Rejection("unknown_project", "There is no such project: create it first.")
    match command:
        case EditProject() | AddMember() | RemoveMember():
            return [_change_draft(project, command)]
        case StageProject():
            return [_stage(project, command, around)]
        case ApproveProject():
            return _approve(project, command, around)
        case DeclineProject():
            return [_decline(project, command, around)]
        case WithdrawApproval():
            return [_withdraw(project, command, around)]
        case CloseProject():
            return [_close(project, command)]
        case _:
            raise TypeError(f"no decision for {command.type}")


def _create(project: Project | None, command: CreateProject) -> list[ProjectEvent]:
    if project is not None:
        raise Rejection("already_exists", "A project of this id exists already: choose another id.")
    return [
        ProjectCreated(
            project_id=command.project_id,
            name=command.name,
            description=command.description,
            dicom_to_nifti=command.dicom_to_nifti,
            owner=command.actor,
            deid=command.deid,
        )
    ]


def _change_draft(project: Project, command: EditProject | AddMember | RemoveMember) -> ProjectEvent:
    _require_draft(project)
    _require_member(project, command.actor)
    if isinstance(command, AddMember):
        return MemberAdded(project_id=project.project_id, member=command.member)
    if isinstance(command, RemoveMember):
        return _remove(project, command)
    return ProjectEdited(
        project_id=project.project_id,
        name=command.name or project.name,
        description=project.description if command.description is None else command.description,
        dicom_to_nifti=project.dicom_to_nifti if command.dicom_to_nifti is None else command.dicom_to_nifti,
        deid=project.deid if command.deid is None else command.deid,
    )


def _remove(project: Project, command: RemoveMember) -> MemberRemoved:
    if command.member == project.owner:
        raise Rejection("owner_stays", "The owner cannot be removed from the project.")
    if command.member not in project.members:
        raise Rejection("not_a_member", f"{command.member} is no member of this project.")
    return MemberRemoved(project_id=project.project_id, member=command.member)


def _stage(project: Project, command: StageProject, around: Surroundings) -> ProjectStaged:
    _require_draft(project)
    _require_member(project, command.actor)
    query = _query_of_record(project, command, around)
    return ProjectStaged(
        project_id=project.project_id,
        name=project.name,
        query_id=command.query_id,
        sql_sha256=query.sql_sha256,
        trusts=command.trusts,
        dicom_to_nifti=project.dicom_to_nifti,
        requested_by=command.actor,
        request_digest=request_digest(project, query, command.trusts),
        deid=project.deid,
        **query.model_dump(include={"sql", "criteria", "cohort", "version"}),
    )


def _query_of_record(project: Project, command: StageProject, around: Surroundings) -> Query:
    if around.query is None or around.query.project_id != project.project_id:
        raise Late("unknown_query", "This project has no such cohort query: run it first.")
    if not command.trusts or len(set(command.trusts)) != len(command.trusts):
        raise Rejection("no_trusts", "Name at least one trust to ask, each once.")
    silent = [trust for trust in command.trusts if trust not in around.query.answered]
    if silent:
        raise Late("trust_not_counted", f"No count was released by {', '.join(silent)}: leave them out or count again.")
    return around.query


def request_digest(project: Project, query: Query, trusts: Iterable[str]) -> str:
    """Sha256 of the canonical JSON of what an approver is asked to approve."""
    request = {
        "project_id": project.project_id,
        "name": project.name,
        "description": project.description,
        "dicom_to_nifti": project.dicom_to_nifti,
        "members": sorted(project.members),
        "query_id": query.query_id,
        "sql_sha256": query.sql_sha256,
        "trusts": sorted(trusts),
        **({"deid": project.deid.model_dump(mode="json")} if project.deid else {}),
    }
    return hashlib.sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _approve(project: Project, command: ApproveProject, around: Surroundings) -> list[ProjectEvent]:
    _require_approver(project, command, around)
    approved = ProjectApproved(
        project_id=project.project_id,
        trust_id=command.trust_id,
        name=project.name,
        query_id=project.query_id or "",
        dicom_to_nifti=project.dicom_to_nifti,
        approved_by=command.actor,
        request_digest=project.request_digest or "",
        deid=project.deid,
    )
    first = project.status == "staged"
    return [approved, ProjectActivated(project_id=project.project_id)] if first else [approved]


def _decline(project: Project, command: DeclineProject, around: Surroundings) -> ProjectDeclined:
    _require_approver(project, command, around)
    return ProjectDeclined(
        project_id=project.project_id,
        trust_id=command.trust_id,
        declined_by=command.actor,
        reason=command.reason,
        request_digest=project.request_digest or "",
    )


def _withdraw(project: Project, command: WithdrawApproval, around: Surroundings) -> ApprovalWithdrawn:
    decision = project.decisions.get(command.trust_id)
    if command.actor not in around.approvers.get(command.trust_id, ()):
        raise Rejection("not_an_approver", f"{command.actor} is no approver of {command.trust_id} by its own policy.")
    if decision is None or not decision.approved or decision.withdrawn:
        raise Rejection(
            "not_approved", f"{command.trust_id} takes no part in this project: there is nothing to withdraw."
        )
    return ApprovalWithdrawn(
        project_id=project.project_id, trust_id=command.trust_id, withdrawn_by=command.actor, reason=command.reason
    )


def _close(project: Project, command: CloseProject) -> ProjectClosed:
    if command.actor != project.owner:
        raise Rejection("not_the_owner", f"Only the owner, {project.owner}, may close this project.")
    if project.status == "closed":
        raise Rejection("already_closed", "The project is closed already.")
    return ProjectClosed(project_id=project.project_id, closed_by=command.actor)


def _require_draft(project: Project) -> None:
    if project.status != "draft":
        raise Rejection("not_draft", f"The project is {project.status}: only a draft can be changed.")


def _require_member(project: Project, actor: str) -> None:
    if actor not in project.members:
        raise Rejection("not_a_member", f"{actor} is no member of this project: ask its owner, {project.owner}.")


def _require_approver(project: Project, command: ApproveProject | DeclineProject, around: Surroundings) -> None:
    if project.status == "draft":
        raise Rejection("not_staged", "The project is a draft: stage it before anybody can decide on it.")
    if project.status == "closed":
        raise Rejection("already_closed", "The project is closed: nothing more may be decided on it.")
    if command.trust_id not in project.trusts:
        raise Rejection("trust_not_asked", f"{command.trust_id} was not asked: it is not among the staged trusts.")
    if command.actor == project.requested_by or command.actor in project.members:
        raise Rejection("own_request", "Nobody decides on a request of their own project.")
    if command.actor not in around.approvers.get(command.trust_id, ()):
        raise Rejection("not_an_approver", f"{command.actor} is no approver of {command.trust_id} by its own policy.")
    if command.trust_id in project.decisions:
        raise Rejection("already_decided", f"{command.trust_id} has decided already.")


def evolve(project: Project | None, event: ProjectEvent) -> Project:
    """The state after an event."""
    if isinstance(event, ProjectCreated):
        return Project(**event.model_dump(), members=(event.owner,))
    if project is None:
        raise TypeError(f"{event.type} before the project was created")
    return project.model_copy(update=_changes(project, event))


def _changes(project: Project, event: ProjectEvent) -> dict[str, object]:
    match event:
        case ProjectEdited():
            return {name: getattr(event, name) for name in ("name", "description", "dicom_to_nifti", "deid")}
        case MemberAdded() | MemberRemoved():
            return {"members": event.members_after(project.members)}
        case ProjectStaged():
            return {
                "status": "staged",
                **event.model_dump(include={"query_id", "trusts", "requested_by", "request_digest"}),
            }
        case ProjectApproved():
            return {"decisions": project.decisions | {event.trust_id: Decision(approved=True, by=event.approved_by)}}
        case ProjectDeclined():
            return {"decisions": project.decisions | {event.trust_id: Decision(approved=False, by=event.declined_by)}}
        case ProjectActivated():
            return {"status": "active"}
        case ApprovalWithdrawn():
            decision = project.decisions[event.trust_id].model_copy(update={"withdrawn": True})
            return {"decisions": project.decisions | {event.trust_id: decision}}
        case ProjectClosed():
            return {"status": "closed"}
        case _:
            raise TypeError(f"no evolution for {event.type}")
