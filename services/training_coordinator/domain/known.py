"""What this service knows of others, from their events: projects, their cohorts and images, and trusts."""

from pydantic import BaseModel, ConfigDict, Field

from bus.errors import Rejection
from schemas.cohort import CohortFrozen
from schemas.imaging import ImportFinished
from schemas.message import Message
from schemas.project import MemberAdded, MemberRemoved, ProjectApproved, ProjectCreated, ProjectStaged


class State(BaseModel):
    model_config = ConfigDict(frozen=True)


class Project(State):
    """``archived`` counts studies with their files in place, by trust; events may come in any order of topics."""

    project_id: str
    members: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    query_id: str | None = None
    sql_sha256: str | None = None
    request_digest: str | None = None
    approved_by: dict[str, str] = Field(default_factory=dict)
    cohort_digests: dict[str, str] = Field(default_factory=dict)
    archived: dict[str, int] = Field(default_factory=dict)


class Trust(State):
    trust_id: str
    approvers: tuple[str, ...]
    software: dict[str, str] = Field(default_factory=dict)


def learn(project: Project, event: Message) -> Project:
    """Return the project after an event of any service."""
    return project.model_copy(update=_changes(project, event))


def _changes(project: Project, event: Message) -> dict[str, object]:
    match event:
        case ProjectCreated():
            return {"members": (event.owner, *project.members)}
        case MemberAdded() | MemberRemoved():
            return {"members": event.members_after(project.members)}
        case ProjectStaged():
            staged = event.model_dump(include={"query_id", "sql_sha256", "request_digest"})
            return {"asked": event.trusts, **staged}
        case ProjectApproved():
            return {"approved_by": project.approved_by | {event.trust_id: event.approved_by}}
        case CohortFrozen():
            return {"cohort_digests": project.cohort_digests | {event.trust_id: event.digest}}
        case ImportFinished():
            return {"archived": project.archived | {event.trust_id: event.tally.archived}}
        case _:
            raise TypeError(f"nothing to learn from {event.type}")


def require_member(project: Project, actor: str) -> None:
    if actor not in project.members:
        raise Rejection("not_a_member", f"{actor} is no member of this project: ask its owner.")
