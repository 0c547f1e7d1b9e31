"""Any commands by anybody in any order: the rules of approval hold."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bus.errors import Late, Rejection
from schemas.project import (
    AddMember,
    ApprovalWithdrawn,
    ApproveProject,
    CloseProject,
    CreateProject,
    DeclineProject,
    EditProject,
    ProjectActivated,
    ProjectApproved,
    ProjectClosed,
    ProjectCommand,
    ProjectDeclined,
    ProjectEvent,
    ProjectStaged,
    RemoveMember,
    StageProject,
    WithdrawApproval,
)
from services.project.domain import Project, Query, Surroundings, decide, evolve, request_digest

PEOPLE = ("ada", "bob", "bea", "eve")
TRUSTS = ("amber", "birch", "cedar")
APPROVERS = {"amber": ("bob",), "birch": ("bea", "bob"), "cedar": ("ada",)}
QUERY = Query(query_id="q1", project_id="p1", sql_sha256="ab" * 32, answered=("amber", "birch"))
AROUND = Surroundings(query=QUERY, approvers=APPROVERS)

people = st.sampled_from(PEOPLE)
trusts = st.sampled_from(TRUSTS)


class ProjectMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.project: Project | None = None
        self.events: list[ProjectEvent] = []

    def send(self, command: ProjectCommand) -> None:
        before = self.project
        try:
            events = decide(self.project, command, AROUND)
        except (Rejection, Late):
            assert self.project is before
            return
        assert events, "a command that is carried out says something"
        for event in events:
            self.project = evolve(self.project, event)
            self.events.append(event)

    @rule(actor=people)
    def create(self, actor: str) -> None:
        self.send(CreateProject(project_id="p1", actor=actor, name="Knees"))

    @rule(actor=people, name=st.none() | st.sampled_from(("Hips", "Knees")))
    def edit(self, actor: str, name: str | None) -> None:
        self.send(EditProject(project_id="p1", actor=actor, name=name))

    @rule(actor=people, member=people)
    def add_member(self, actor: str, member: str) -> None:
        self.send(AddMember(project_id="p1", actor=actor, member=member))

    @rule(actor=people, member=people)
    def remove_member(self, actor: str, member: str) -> None:
        self.send(RemoveMember(project_id="p1", actor=actor, member=member))

    @precondition(lambda self: self.project is not None)
    @rule(actor=people, asked=st.lists(trusts, max_size=3))
    def stage(self, actor: str, asked: list[str]) -> None:
        self.send(StageProject(project_id="p1", actor=actor, query_id="q1", trusts=tuple(asked)))

    @rule(actor=people, trust=trusts)
    def approve(self, actor: str, trust: str) -> None:
        self.send(ApproveProject(project_id="p1", actor=actor, trust_id=trust))

    @rule(actor=people, trust=trusts)
    def decline(self, actor: str, trust: str) -> None:
        self.send(DeclineProject(project_id="p1", actor=actor, trust_id=trust, reason="No."))

    @rule(actor=people, trust=trusts)
    def withdraw(self, actor: str, trust: str) -> None:
        self.send(WithdrawApproval(project_id="p1", actor=actor, trust_id=trust, reason="Enough."))

    @rule(actor=people)
    def close(self, actor: str) -> None:
        self.send(CloseProject(project_id="p1", actor=actor))

    def all(self, kind: type[ProjectEvent]) -> list[ProjectEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @invariant()
    def it_is_active_only_by_an_approval(self) -> None:
        if self.project is not None:
            activated = len(self.all(ProjectActivated))
            assert activated == bool(self.all(ProjectApproved))
            assert self.project.status != "active" or activated

    @invariant()
    def what_is_closed_was_closed_by_its_owner_and_nothing_is_decided_on_it_any_more(self) -> None:
        ends = [place for place, event in enumerate(self.events) if isinstance(event, ProjectClosed)]
        assert len(ends) <= 1
        for end in ends:
            assert self.project is not None
            assert (self.project.status, self.events[end].closed_by) == ("closed", self.project.owner)  # type: ignore[attr-defined]
            assert not any(isinstance(event, ProjectApproved | ProjectStaged) for event in self.events[end:])

    @invariant()
    def only_what_was_approved_is_withdrawn_once(self) -> None:
        approved = [event.trust_id for event in self.all(ProjectApproved)]  # type: ignore[attr-defined]
        withdrawn = [event.trust_id for event in self.all(ApprovalWithdrawn)]  # type: ignore[attr-defined]
        assert len(withdrawn) == len(set(withdrawn))
        assert set(withdrawn) <= set(approved)

    @invariant()
    def nobody_decides_on_their_own_request(self) -> None:
        for event in self.events:
            if isinstance(event, ProjectApproved):
                self.check_decision(event.trust_id, event.approved_by)
            if isinstance(event, ProjectDeclined):
                self.check_decision(event.trust_id, event.declined_by)

    def check_decision(self, trust: str, by: str) -> None:
        assert self.project is not None
        assert by in APPROVERS[trust]
        assert by not in (*self.project.members, self.project.owner, self.project.requested_by)
        assert trust in self.project.trusts

    @invariant()
    def each_trust_decides_at_most_once(self) -> None:
        decided = [event.trust_id for event in self.events if isinstance(event, ProjectApproved | ProjectDeclined)]
        assert len(decided) == len(set(decided))

    @invariant()
    def what_was_staged_is_what_was_approved(self) -> None:
        for staged in self.all(ProjectStaged):
            assert self.project is not None
            assert len(self.all(ProjectStaged)) == 1
            assert len(set(self.project.trusts)) == len(self.project.trusts) > 0
            assert self.project.request_digest == request_digest(self.project, QUERY, self.project.trusts)
            assert all(event.request_digest == staged.request_digest for event in self.all(ProjectApproved))  # type: ignore[attr-defined]

    @invariant()
    def the_owner_is_a_member(self) -> None:
        if self.project is not None:
            assert self.project.owner in self.project.members

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: Project | None = None
        for event in self.events:
            replayed = evolve(replayed, event)
        assert replayed == self.project


TestProjects = ProjectMachine.TestCase
