"""Projects: from a draft, over staging and each trust's own decision, to active."""

from schemas.deid import DeidWish
from schemas.ids import Count, Id, Json, Sentence, Sha256, Sql, Title, TrustId, UserId
from schemas.message import Accepted, Command, Message, Rejected


class ProjectCommand(Command, topic="project.commands", key="project_id"):
    project_id: Id


class CreateProject(ProjectCommand, type="trustflow.project.create.v1"):
    name: Title
    description: Sentence = ""
    dicom_to_nifti: bool = True
    deid: DeidWish | None = None


class EditProject(ProjectCommand, type="trustflow.project.edit.v1"):
    """Change a draft; a field that is left out stays as it is."""

    name: Title | None = None
    description: Sentence | None = None
    dicom_to_nifti: bool | None = None
    deid: DeidWish | None = None


class AddMember(ProjectCommand, type="trustflow.project.add_member.v1"):
    member: UserId


class RemoveMember(ProjectCommand, type="trustflow.project.remove_member.v1"):
    member: UserId


class StageProject(ProjectCommand, type="trustflow.project.stage.v1"):
    """Freeze the request and ask these trusts for their approval."""

    query_id: Id
    trusts: tuple[TrustId, ...]


class ApproveProject(ProjectCommand, type="trustflow.project.approve.v1"):
    trust_id: TrustId


class DeclineProject(ProjectCommand, type="trustflow.project.decline.v1"):
    trust_id: TrustId
    reason: Sentence


class WithdrawApproval(ProjectCommand, type="trustflow.project.withdraw.v1"):
    """A trust's approver takes the approval back: its part of the project ends, and its images go."""

    trust_id: TrustId
    reason: Sentence


class CloseProject(ProjectCommand, type="trustflow.project.close.v1"):
    """Nothing more is asked under this project; every trust removes its images."""


class ProjectEvent(Message, topic="project.events", key="project_id"):
    project_id: Id


class ProjectCreated(ProjectEvent, type="trustflow.project.created.v1"):
    name: Title
    description: Sentence
    dicom_to_nifti: bool
    owner: UserId
    deid: DeidWish | None = None


class ProjectEdited(ProjectEvent, type="trustflow.project.edited.v1"):
    name: Title
    description: Sentence
    dicom_to_nifti: bool
    deid: DeidWish | None = None


class MemberAdded(ProjectEvent, type="trustflow.project.member_added.v1"):
    member: UserId

    def members_after(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """The members with this one, each once."""
        return tuple(dict.fromkeys((*before, self.member)))


class MemberRemoved(ProjectEvent, type="trustflow.project.member_removed.v1"):
    member: UserId

    def members_after(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """The members without this one."""
        return tuple(member for member in before if member != self.member)


class ProjectStaged(ProjectEvent, type="trustflow.project.staged.v1"):
    """The request as the approvers see it; ``request_digest`` is sha256 of its canonical JSON.

    ``sql`` is the text of the query of record, ``criteria`` what it was made from.
    """

    name: Title
    query_id: Id
    sql_sha256: Sha256
    trusts: tuple[TrustId, ...]
    dicom_to_nifti: bool
    requested_by: UserId
    request_digest: Sha256
    deid: DeidWish | None = None
    sql: Sql | None = None
    criteria: Json | None = None
    cohort: Title | None = None
    version: Count | None = None


class ProjectApproved(ProjectEvent, type="trustflow.project.approved.v1"):
    """One trust approved the frozen request."""

    trust_id: TrustId
    name: Title
    query_id: Id
    dicom_to_nifti: bool
    approved_by: UserId
    request_digest: Sha256
    deid: DeidWish | None = None


class ProjectDeclined(ProjectEvent, type="trustflow.project.declined.v1"):
    trust_id: TrustId
    declined_by: UserId
    reason: Sentence
    request_digest: Sha256


class ProjectActivated(ProjectEvent, type="trustflow.project.activated.v1"):
    """At least one trust approved: work may begin there."""


class ApprovalWithdrawn(ProjectEvent, type="trustflow.project.approval_withdrawn.v1"):
    """A trust takes no further part in this project."""

    trust_id: TrustId
    withdrawn_by: UserId
    reason: Sentence


class ProjectClosed(ProjectEvent, type="trustflow.project.closed.v1"):
    """Nothing more may be asked under this project."""

    closed_by: UserId


class ProjectCommandAccepted(
    Accepted, type="trustflow.project.command_accepted.v1", topic="project.events", key="subject"
):
    pass


class ProjectCommandRejected(
    Rejected, type="trustflow.project.command_rejected.v1", topic="project.events", key="subject"
):
    pass
