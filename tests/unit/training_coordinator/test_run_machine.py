"""Whatever comes, in whatever order, a run keeps its promises."""

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.aggregation import UpdateRefused
from schemas.message import Message
from schemas.training import (
    RoundClosed,
    RoundFinished,
    RunDeadlinePassed,
    RunFailed,
    RunFinished,
    RunStarted,
    UpdateAccepted,
)
from schemas.trust import EndRun, GrantExpired, RunRefused, RunTask, TaskFailed
from services.training_coordinator.domain.rounds import answer
from services.training_coordinator.domain.run import begin, evolve
from tests.unit.training_coordinator.scene import (
    GRANTS,
    NOW,
    TRUSTS,
    aggregated,
    evaluated,
    prepared,
    started,
    verified,
)

trusts = st.sampled_from((*TRUSTS, "dogwood"))
numbers = st.integers(0, 3)
kinds = st.sampled_from(("init", "train", "evaluate"))


class RunMachine(RuleBasedStateMachine):
    """Trusts, the aggregator and the clock say what they like; most of it out of turn."""

    @initialize(rounds=st.integers(1, 3), quorum=st.integers(1, 3), begun=st.booleans())
    def start(self, rounds: int, quorum: int, begun: bool) -> None:
        turn = started(rounds, quorum)
        self.run = turn.run
        self.said: list[Message] = list(turn.said)
        self.due = list(turn.due)
        if begun:
            for message in (*map(prepared, TRUSTS), verified(TRUSTS[0], 0), aggregated(0)):
                self.hear(message)

    def hear(self, message: Message) -> None:
        turn = answer(self.run, message, NOW + timedelta(seconds=len(self.said)), GRANTS)
        self.run = turn.run
        self.said += turn.said
        self.due += turn.due

    @rule(trust=trusts, labelled=st.sampled_from((0, 11, 12, 12, 12)))
    def a_trust_is_prepared(self, trust: str, labelled: int) -> None:
        self.hear(prepared(trust, labelled))

    @rule(trust=st.sampled_from(("cedar", "dogwood")))
    def a_trust_refuses(self, trust: str) -> None:
        self.hear(RunRefused(trust_id=trust, run_id="r1", code="refused", reason=""))

    @rule(trust=trusts, round_=numbers, examples=st.integers(0, 5))
    def any_update_is_verified(self, trust: str, round_: int, examples: int) -> None:
        self.hear(verified(trust, round_, examples))

    @precondition(lambda self: self.run.waiting)
    @rule(data=st.data())
    def an_awaited_update_is_verified(self, data: st.DataObject) -> None:
        self.hear(verified(data.draw(st.sampled_from(self.run.waiting)), self.run.round))

    @rule(trust=trusts)
    def an_update_of_this_round_is_verified(self, trust: str) -> None:
        self.hear(verified(trust, self.run.round))

    @rule(trust=trusts, round_=numbers, code=st.sampled_from(("not_finite", "wrong_digest")))
    def any_update_is_refused(self, trust: str, round_: int, code: str) -> None:
        self.hear(UpdateRefused(run_id="r1", round=round_, trust_id=trust, code=code, reason=""))

    @rule(trust=trusts, round_=numbers, kind=kinds)
    def any_task_fails(self, trust: str, round_: int, kind: str) -> None:
        self.hear(TaskFailed(trust_id=trust, run_id="r1", round=round_, kind=kind, code="died", reason=""))

    @rule(trust=trusts, round_=numbers, kind=kinds)
    def any_grant_expires(self, trust: str, round_: int, kind: str) -> None:
        self.hear(GrantExpired(trust_id=trust, run_id="r1", round=round_, kind=kind))

    @rule(trust=trusts, round_=numbers)
    def any_evaluation_comes(self, trust: str, round_: int) -> None:
        self.hear(evaluated(trust, round_))

    @rule(round_=numbers)
    def any_model_is_aggregated(self, round_: int) -> None:
        if any(isinstance(message, RoundClosed) and message.round == round_ for message in self.said):
            self.hear(aggregated(round_))

    @rule(data=st.data())
    def a_deadline_passes(self, data: st.DataObject) -> None:
        self.hear(data.draw(st.sampled_from(self.due)).event)

    @invariant()
    def a_trust_has_at_most_one_accepted_update_in_a_round(self) -> None:
        accepted = Counter((event.round, event.trust_id) for event in self.all(UpdateAccepted))
        assert not accepted or max(accepted.values()) == 1

    @invariant()
    def rounds_are_closed_and_finished_once_and_in_order(self) -> None:
        closed = [event.round for event in self.all(RoundClosed)]
        assert closed == list(range(len(closed)))
        finished = [event.round for event in self.all(RoundFinished)]
        assert finished == closed[: len(finished)]
        assert len(closed) <= self.run.plan.rounds + 1

    @invariant()
    def a_closed_round_has_its_quorum(self) -> None:
        for event in self.all(RoundClosed):
            assert len(event.updates) >= (self.run.plan.quorum if event.round else 1)

    @invariant()
    def the_run_is_over_or_waits_for_a_deadline_or_the_aggregator(self) -> None:
        stages = {due.event.phase for due in self.due}
        assert self.run.phase in {"over", "aggregating"} or self.run.stage in stages

    @invariant()
    def it_ends_once_and_then_says_no_more(self) -> None:
        ends = [place for place, message in enumerate(self.said) if isinstance(message, RunFinished | RunFailed)]
        assert len(ends) == (self.run.phase == "over")
        if ends:
            assert all(isinstance(message, EndRun) for message in self.said[ends[0] + 1 :])

    @invariant()
    def only_ready_trusts_are_given_tasks(self) -> None:
        assert {task.trust_id for task in self.all(RunTask)} <= set(self.run.ready)

    @invariant()
    def the_state_is_made_of_the_events_alone(self) -> None:
        run = begin(self.all(RunStarted)[0])
        for event in self.said[1:]:
            if event.topic == "training.events":
                run = evolve(run, event)
        assert run == self.run

    def all(self, kind: type) -> list:
        return [message for message in self.said if isinstance(message, kind)]

    def teardown(self) -> None:
        """When everybody falls silent, deadlines and the aggregator alone bring the run to its end."""
        for _ in range(30):
            if self.run.phase == "aggregating":
                self.hear(aggregated(self.run.round))
            elif self.run.phase != "over":
                self.hear(RunDeadlinePassed(run_id="r1", phase=self.run.stage))
        assert self.run.phase == "over"


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
