"""A run, step by step."""

from datetime import timedelta

import pytest

from bus.errors import Rejection
from schemas.aggregation import AggregationFailed, UpdateRefused
from schemas.message import Message
from schemas.training import (
    GetModel,
    ModelGranted,
    RoundClosed,
    RoundFinished,
    RoundStarted,
    RunDeadlinePassed,
    RunFailed,
    RunFinished,
    RunStopped,
    StopRun,
    TaskMissed,
    TrustLeft,
    UpdateRejected,
)
from schemas.trust import EndRun, GrantExpired, PrepareRun, RunRefused, RunTask, TaskFailed
from services.training_coordinator.domain.rounds import answer, regrant, stop
from services.training_coordinator.domain.run import Run
from services.training_coordinator.domain.turn import Turn, seed_of
from tests.unit.training_coordinator.scene import GRANTS, NOW, aggregated, evaluated, prepared, started, verified


def told(turn: Turn, *messages: Message) -> Turn:
    """Everything that is said because of these messages, one after another."""
    run, said = turn.run, []
    for message in messages:
        turn = answer(run, message, NOW + timedelta(seconds=1), GRANTS)
        run, said = turn.run, [*said, *turn.said]
    return Turn(run, NOW, GRANTS, said, turn.due)


def only(turn: Turn, kind: type) -> list:
    return [message for message in turn.said if isinstance(message, kind)]


def deadline(turn: Turn) -> RunDeadlinePassed:
    return RunDeadlinePassed(run_id="r1", phase=turn.run.stage)


def all_prepared(rounds: int = 2, quorum: int = 2) -> Turn:
    return told(started(rounds, quorum), *map(prepared, ("birch", "amber", "cedar")))


def in_first_round(rounds: int = 2, quorum: int = 2) -> Turn:
    return told(all_prepared(rounds, quorum), verified("amber", 0), aggregated(0, ("amber",)))


def failed(trust: str, round_: int, kind: str = "train") -> TaskFailed:
    return TaskFailed(trust_id=trust, run_id="r1", round=round_, kind=kind, code="out_of_memory", reason="r")


def test_a_started_run_asks_every_trust_to_prepare_and_sets_a_deadline() -> None:
    turn = started()
    assert [message.trust_id for message in only(turn, PrepareRun)] == ["amber", "birch", "cedar"]
    assert only(turn, PrepareRun)[0].approved_by == "amber-dm"
    assert [due.at for due in turn.due] == [NOW + timedelta(seconds=600)]


def test_the_first_trust_in_order_of_names_makes_the_first_model() -> None:
    turn = all_prepared()
    task = only(turn, RunTask)[0]
    assert (task.trust_id, task.kind, task.round, task.model) == ("amber", "init", 0, None)
    assert task.upload.prefix == "runs/r1/0/amber"
    assert len(only(turn, RunTask)) == 1


def test_another_trust_makes_the_first_model_when_one_fails() -> None:
    turn = told(all_prepared(), failed("amber", 0, "init"))
    assert [(task.trust_id, task.kind) for task in only(turn, RunTask)] == [("birch", "init")]
    turn = told(turn, deadline(turn))
    assert [task.trust_id for task in only(turn, RunTask)] == ["cedar"]
    assert only(told(turn, failed("cedar", 0, "init")), RunFailed)[0].code == "no_first_model"


def test_the_first_global_model_goes_to_every_ready_trust() -> None:
    turn = in_first_round()
    tasks = [task for task in only(turn, RunTask) if task.kind == "train"]
    assert [task.trust_id for task in tasks] == ["amber", "birch", "cedar"]
    assert {task.model.manifest.prefix for task in tasks} == {"runs/r1/0/global"}
    assert len({task.seed for task in tasks}) == 3


def test_updates_are_counted_in_the_order_of_acceptance() -> None:
    turn = told(in_first_round(), *(verified(trust, 1) for trust in ("cedar", "amber", "birch")))
    assert [update.order for update in turn.run.accepted] == [1, 2, 3]
    closed = only(turn, RoundClosed)[0]
    assert [update.trust_id for update in closed.updates] == ["cedar", "amber", "birch"]
    assert (closed.missing, closed.last) == ((), False)


def test_means_are_weighted_by_examples() -> None:
    turn = told(
        in_first_round(quorum=2),
        verified("amber", 1, examples=30, loss=1.0),
        verified("birch", 1, examples=10, loss=5.0),
        failed("cedar", 1),
        aggregated(1, ("amber", "birch")),
    )
    finished = only(turn, RoundFinished)[0]
    assert finished.metrics == {"loss": 2.0}
    assert finished.participants == ("amber", "birch")
    assert only(turn, TaskMissed)[0].code == "out_of_memory"


def test_a_deadline_with_a_quorum_closes_the_round_and_the_late_trust_is_asked_again() -> None:
    turn = told(in_first_round(), verified("amber", 1), verified("birch", 1))
    assert only(turn, RoundClosed) == []
    turn = told(turn, deadline(turn))
    assert only(turn, RoundClosed)[0].missing == ("cedar",)
    turn = told(turn, verified("cedar", 1), aggregated(1))
    assert only(turn, UpdateRejected)[0].code == "too_late"
    assert only(turn, RoundStarted)[0].trusts == ("amber", "birch", "cedar")


def test_a_deadline_without_a_quorum_fails_the_run_and_names_who_was_missing() -> None:
    turn = told(in_first_round(), verified("amber", 1), failed("cedar", 1))
    turn = told(turn, deadline(turn))
    reason = only(turn, RunFailed)[0].reason
    assert "birch (no answer)" in reason
    assert "cedar (out_of_memory)" in reason
    assert len(only(turn, EndRun)) == 3


def test_a_run_fails_at_once_when_the_quorum_is_out_of_reach() -> None:
    turn = told(in_first_round(), failed("birch", 1), failed("cedar", 1))
    assert only(turn, RunFailed)[0].code == "quorum_not_reached"


def test_a_deadline_of_the_past_means_nothing() -> None:
    before = all_prepared()
    turn = told(before, verified("amber", 0), aggregated(0), deadline(started()), deadline(before))
    assert only(turn, RunFailed) == only(turn, RoundClosed)[1:] == []


@pytest.mark.parametrize(
    ("update", "code"),
    [
        (verified("amber", 2), "wrong_round"),
        (verified("amber", 0), "too_late"),
        (verified("dogwood", 1), "not_asked"),
        (verified("birch", 1, examples=0), "no_examples"),
    ],
)
def test_an_update_that_does_not_fit_is_rejected(update, code) -> None:
    turn = told(in_first_round(), update)
    assert [event.code for event in only(turn, UpdateRejected)] == [code]
    assert turn.run.accepted == ()


def test_a_second_update_of_the_same_trust_is_a_duplicate() -> None:
    turn = told(in_first_round(), verified("amber", 1), verified("amber", 1))
    assert only(turn, UpdateRejected)[0].code == "duplicate"
    assert len(turn.run.accepted) == 1


def test_a_refused_update_makes_its_trust_miss_the_round_only() -> None:
    refused = UpdateRefused(run_id="r1", round=1, trust_id="cedar", code="not_finite", reason="r")
    turn = told(in_first_round(), refused, verified("amber", 1), verified("birch", 1))
    assert only(turn, UpdateRejected)[0].code == "not_finite"
    assert only(turn, RoundClosed)[0].missing == ("cedar",)
    assert "cedar" in only(told(turn, aggregated(1)), RoundStarted)[0].trusts


def test_an_upload_that_is_not_what_was_said_is_asked_for_again_elsewhere() -> None:
    refused = UpdateRefused(run_id="r1", round=1, trust_id="cedar", code="wrong_digest", reason="r")
    turn = told(in_first_round(), refused, refused)
    assert [event.code for event in only(turn, UpdateRejected)] == ["wrong_digest"] * 2
    places = [task.upload.prefix for task in only(turn, RunTask)]
    assert places == ["runs/r1/1/cedar/again-2", "runs/r1/1/cedar/again-3"]
    assert turn.run.waiting == ("amber", "birch", "cedar")
    assert told(turn, refused).run.waiting == ("amber", "birch")


@pytest.mark.parametrize("labelled", [0, 11])
def test_a_trust_without_all_labels_is_left_out(labelled) -> None:
    turn = told(started(), prepared("amber", labelled), prepared("birch"), prepared("cedar"))
    assert only(turn, TrustLeft)[0].code == "labels_incomplete"
    assert only(turn, RunTask)[0].trust_id == "birch"


def test_a_run_fails_when_too_few_trusts_prepare() -> None:
    refusal = {"run_id": "r1", "code": "bundle_differs", "reason": "r"}
    turn = told(started(), *(RunRefused(trust_id=trust, **refusal) for trust in ("amber", "birch")))
    assert "amber (bundle_differs)" in only(turn, RunFailed)[0].reason


def test_a_silent_trust_is_not_waited_for_after_the_deadline_and_may_join_later() -> None:
    turn = told(started(), prepared("amber"), prepared("birch"))
    assert only(turn, RoundStarted) == []
    turn = told(turn, deadline(turn))
    assert only(turn, RoundStarted)[0].trusts == ("amber",)
    turn = told(turn, prepared("cedar"), verified("amber", 0), aggregated(0))
    assert only(turn, RoundStarted)[0].trusts == ("amber", "birch", "cedar")


def test_a_trust_that_leaves_is_not_asked_again() -> None:
    leaving = RunRefused(trust_id="cedar", run_id="r1", code="withdrawn", reason="r")
    turn = told(in_first_round(), leaving, verified("amber", 1), verified("birch", 1), aggregated(1))
    assert only(turn, RoundStarted)[0].trusts == ("amber", "birch")


def test_an_expired_grant_sends_the_same_task_again() -> None:
    turn = told(in_first_round(), GrantExpired(trust_id="birch", run_id="r1", round=1, kind="train"))
    assert [(task.trust_id, task.seed) for task in only(turn, RunTask)] == [("birch", seed_of(0, 1, "birch"))]
    assert told(turn, GrantExpired(trust_id="birch", run_id="r1", round=0, kind="init")).said == []


def final(turn: Turn) -> Turn:
    updates = [verified(trust, 1) for trust in ("amber", "birch", "cedar")]
    return told(turn, *updates, aggregated(1))


def test_the_last_model_is_evaluated_and_the_run_finished() -> None:
    turn = final(in_first_round(rounds=1))
    assert [(task.kind, task.upload) for task in only(turn, RunTask)] == [("evaluate", None)] * 3
    turn = told(turn, evaluated("amber", 1, 30, 0.5), evaluated("birch", 1, 10, 0.9), failed("cedar", 1, "evaluate"))
    finished = only(turn, RunFinished)[0]
    assert finished.metrics == {"accuracy": pytest.approx(0.6)}
    assert finished.model.manifest.prefix == "runs/r1/1/global"
    assert finished.provenance.software == {
        "hub:trustflow": "1", "amber:torch": "2", "birch:torch": "2", "cedar:torch": "2",
    }  # fmt: skip
    assert len(only(turn, EndRun)) == 3


def test_nobody_has_to_evaluate_for_the_run_to_finish() -> None:
    turn = final(in_first_round(rounds=1))
    finished = only(told(turn, deadline(turn)), RunFinished)[0]
    assert (finished.metrics, finished.sites) == ({}, ())


def test_what_comes_after_the_end_means_nothing() -> None:
    turn = final(in_first_round(rounds=1))
    over = told(turn, deadline(turn))
    stale = [verified("amber", 1), evaluated("amber", 1), aggregated(1), failed("amber", 1), prepared("amber")]
    assert told(over, *stale).said == []


def test_a_failed_aggregation_fails_the_run() -> None:
    broken = AggregationFailed(run_id="r1", round=1, code="internal_error", reason="r")
    assert only(told(in_first_round(), broken), RunFailed)[0].code == "internal_error"


def test_stopping_ends_the_run_everywhere_and_only_once() -> None:
    turn = stop(in_first_round().run, StopRun(actor="ann", run_id="r1"), NOW, GRANTS)
    assert only(turn, RunStopped)[0].stopped_by == "ann"
    assert len(only(turn, EndRun)) == 3
    with pytest.raises(Rejection, match="run_is_over"):
        stop(turn.run, StopRun(actor="ann", run_id="r1"), NOW, GRANTS)


def test_only_a_run_that_is_over_gives_its_model() -> None:
    asked = GetModel(actor="ann", run_id="r1")
    with pytest.raises(Rejection, match="no_model"):
        regrant(in_first_round().run, asked, NOW, GRANTS)
    turn = final(in_first_round(rounds=1))
    over = told(turn, deadline(turn)).run
    assert only(regrant(over, asked, NOW, GRANTS), ModelGranted)[0].model.manifest == over.model


def test_a_run_is_the_same_after_being_stored() -> None:
    run = final(in_first_round(rounds=1)).run
    assert Run.model_validate(run.model_dump(mode="json")) == run
