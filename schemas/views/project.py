"""A project as its events and those of its cohorts tell it."""

from typing import Literal

from pydantic import Field

from schemas.cohort import CohortFrozen, CohortNotFrozen, CohortShrunk
from schemas.deid import DeidWish
from schemas.message import Message
from schemas.project import (
    ApprovalWithdrawn,
    MemberAdded,
    MemberRemoved,
    ProjectActivated,
    ProjectApproved,
    ProjectClosed,
    ProjectCreated,
    ProjectDeclined,
    ProjectEdited,
    ProjectStaged,
)
from schemas.views.view import Decision, View, ViewDefinition

STAGED = {"query_id", "sql", "criteria", "cohort", "version", "trusts"}
TOO_SMALL = "too_small: too few are left at the trust; nothing more is done with its cohort"


class ProjectView(View):
    """``status`` is unknown while only `cohort.events`, which fills ``frozen`` and nothing else, has told of it.

    ``sql`` is the text of the query of record, ``criteria`` what it was made from, both as approvers are asked.
    """

    project_id: str
    name: str = ""
    description: str = ""
    dicom_to_nifti: bool = True
    deid: DeidWish | None = None
    owner: str = ""
    members: tuple[str, ...] = ()
    status: Literal["unknown", "draft", "staged", "active", "closed"] = "unknown"
    query_id: str | None = None
    sql: str | None = None
    criteria: str | None = None
    cohort: str | None = None
    version: int | None = None
    trusts: tuple[str, ...] = ()
    decisions: dict[str, Decision] = Field(default_factory=dict)
    frozen: dict[str, str] = Field(default_factory=dict)


def fold_project(view: ProjectView | None, event: Message) -> ProjectView | None:
    match event:
        case ProjectCreated():
            frozen = view.frozen if view else {}
            return ProjectView(**event.model_dump(), members=(event.owner,), status="draft", frozen=frozen)
        case CohortFrozen():
            return _with_cohort(view, event, _told(event.persons))
        case CohortShrunk():
            return _with_cohort(view, event, f"shrunk: {_told(event.persons)}" if event.usable else TOO_SMALL)
        case CohortNotFrozen():
            return _with_cohort(view, event, f"{event.code}: {event.reason}")
        case _ if view and view.status != "unknown":
            return view.model_copy(update=_changes(view, event))
        case _:
            return view


def _told(persons: int | None) -> str:
    return "suppressed" if persons is None else str(persons)


def _with_cohort(
    view: ProjectView | None, event: CohortFrozen | CohortNotFrozen | CohortShrunk, persons: str
) -> ProjectView:
    view = view or ProjectView(project_id=event.project_id)
    return view.model_copy(update={"frozen": view.frozen | {event.trust_id: persons}})


def _changes(view: ProjectView, event: Message) -> dict[str, object]:
    match event:
        case ProjectEdited():
            return {name: getattr(event, name) for name in ("name", "description", "dicom_to_nifti", "deid")}
        case MemberAdded() | MemberRemoved():
            return {"members": event.members_after(view.members)}
        case ProjectStaged():
            return {"status": "staged", **event.model_dump(include=STAGED)}
        case ProjectApproved():
            return {"decisions": view.decisions | {event.trust_id: Decision(approved=True, by=event.approved_by)}}
        case ProjectDeclined():
            declined = Decision(approved=False, by=event.declined_by, reason=event.reason)
            return {"decisions": view.decisions | {event.trust_id: declined}}
        case ProjectActivated():
            return {"status": "active"}
        case ApprovalWithdrawn():
            withdrawn = Decision(approved=False, by=event.withdrawn_by, reason=f"withdrawn: {event.reason}")
            return {"decisions": view.decisions | {event.trust_id: withdrawn}}
        case ProjectClosed():
            return {"status": "closed"}
        case _:
            return {}


PROJECT = ViewDefinition(
    "project",
    ProjectView,
    fold_project,
    (
        ProjectCreated,
        ProjectEdited,
        MemberAdded,
        MemberRemoved,
        ProjectStaged,
        ProjectApproved,
        ProjectDeclined,
        ProjectActivated,
        ApprovalWithdrawn,
        ProjectClosed,
        CohortFrozen,
        CohortNotFrozen,
        CohortShrunk,
    ),
)
