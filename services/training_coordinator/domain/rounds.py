"""How a run goes on: each message of a trust, of the aggregator or of the clock moves it a step, or does nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bus.errors import Rejection
from schemas.aggregation import AggregationFailed, ModelAggregated, UpdateRefused, UpdateVerified
from schemas.message import Message
from schemas.training import (
    EvaluationStarted,
    FoldInput,
    GetModel,
    ModelGranted,
    RoundClosed,
    RoundFinished,
    RoundStarted,
    RunDeadlinePassed,
    RunFinished,
    RunStopped,
    SiteMetrics,
    StopRun,
    TaskMissed,
    TaskRepeated,
    TrustEvaluated,
    TrustLeft,
    TrustReady,
    UpdateAccepted,
    UpdateRejected,
)
from schemas.trust import GrantExpired, ModelEvaluated, RunPrepared, RunRefused, TaskFailed
from services.training_coordinator.domain.run import Run, weighted
from services.training_coordinator.domain.turn import Turn
from services.training_coordinator.grants import Grants

REPEATABLE = frozenset({"wrong_digest", "missing_object"})
"""A node that died while it uploaded, and then trained to other numbers, finds its old parts in the way."""

MOST_ATTEMPTS = 3
REJECTED = {
    "too_late": "The round is closed: the trust is asked again in the next one.",
    "wrong_round": "The run has not come to this round.",
    "not_asked": "The trust was not asked for an update in this round.",
    "duplicate": "An update of this trust was accepted in this round already.",
    "no_examples": "An update must be made of at least one example.",
}


def answer(run: Run, message: Message, now: datetime, grants: Grants) -> Turn:
    """Decide what a message means for a run; what comes after the end means nothing."""
    turn = Turn(run, now, grants)
    if run.phase != "over":
        REACTIONS[type(message)](turn, message)
    return turn


def stop(run: Run | None, command: StopRun, now: datetime, grants: Grants) -> Turn:
    if run is None:
        raise Rejection("unknown_run", "There is no such run: start it first.")
    if run.phase == "over":
        raise Rejection("run_is_over", "The run is over already.")
    turn = Turn(run, now, grants)
    turn.say(RunStopped, stopped_by=command.actor)
    turn.end()
    return turn


def regrant(run: Run | None, command: GetModel, now: datetime, grants: Grants) -> Turn:
    if run is None:
        raise Rejection("unknown_run", "There is no such run: start it first.")
    if run.model is None or run.phase != "over":
        raise Rejection("no_model", f"{command.run_id} has left no model: wait for its end or start another run.")
    turn = Turn(run, now, grants)
    turn.say(ModelGranted, model=grants.read(run.model, now))
    return turn


def _on_prepared(turn: Turn, message: RunPrepared) -> None:
    trust = message.trust_id
    if trust not in turn.run.unprepared:
        return
    if not 0 < message.labelled == message.images:
        reason = f"{message.labelled} of {message.images} images have a label: put the others' into the archive."
        turn.say(TrustLeft, trust_id=trust, code="labels_incomplete", reason=reason)
    else:
        turn.say(TrustReady, **message.model_dump(exclude={"run_id"}))
    _settle(turn)


def _on_refused(turn: Turn, message: RunRefused) -> None:
    if message.trust_id in turn.run.participants and message.trust_id not in turn.run.left:
        turn.say(TrustLeft, **message.model_dump(exclude={"run_id"}))
        _settle(turn)


def _on_verified(turn: Turn, message: UpdateVerified) -> None:
    if code := _why_not(turn.run, message):
        _reject(turn, message.round, message.trust_id, code, REJECTED[code])
        return
    turn.say(
        UpdateAccepted,
        round=message.round,
        trust_id=message.trust_id,
        order=len(turn.run.accepted) + 1,
        examples=message.examples,
        metrics=message.metrics,
        digest=message.manifest.sha256,
    )
    _settle(turn)


def _why_not(run: Run, message: UpdateVerified) -> str | None:
    if message.round > run.round:
        return "wrong_round"
    if message.round < run.round or run.phase != "training":
        return "too_late"
    if message.trust_id not in run.asked:
        return "not_asked"
    if message.trust_id in run.answered:
        return "duplicate"
    if message.trust_id not in run.waiting:
        return "too_late"
    return "no_examples" if message.examples < 1 and run.kind == "train" else None


def _reject(turn: Turn, round_: int, trust: str, code: str, reason: str) -> None:
    turn.say(UpdateRejected, round=round_, trust_id=trust, code=code, reason=reason)
    _settle(turn)


def _on_failed(turn: Turn, message: TaskFailed) -> None:
    if message.trust_id in turn.run.waiting and _is_present(turn.run, message):
        turn.say(TaskMissed, **message.model_dump(exclude={"run_id"}))
        _settle(turn)


def _on_expired_grant(turn: Turn, message: GrantExpired) -> None:
    if message.trust_id in turn.run.waiting and _is_present(turn.run, message):
        turn.ask(message.trust_id)


def _is_present(run: Run, message: TaskFailed | GrantExpired) -> bool:
    return run.phase in {"training", "evaluating"} and (message.round, message.kind) == (run.round, run.kind)


def _on_aggregation_failed(turn: Turn, message: AggregationFailed) -> None:
    if message.round == turn.run.round:
        turn.fail(message.code, message.reason)


def _on_update_refused(turn: Turn, message: UpdateRefused) -> None:
    run, trust = turn.run, message.trust_id
    awaited = run.phase == "training" and message.round == run.round and trust in run.waiting
    if awaited and message.code in REPEATABLE and run.attempt(trust) < MOST_ATTEMPTS:
        turn.say(UpdateRejected, **message.model_dump(exclude={"run_id"}))
        turn.say(TaskRepeated, round=run.round, trust_id=trust, attempt=run.attempt(trust) + 1)
        turn.ask(trust)
    else:
        _reject(turn, message.round, trust, message.code, message.reason)


def _on_evaluated(turn: Turn, message: ModelEvaluated) -> None:
    if turn.run.phase == "evaluating" and message.trust_id in turn.run.waiting and message.round == turn.run.round:
        site = SiteMetrics(trust_id=message.trust_id, examples=message.examples, metrics=message.metrics)
        turn.say(TrustEvaluated, site=site)
        _settle(turn)


def _on_deadline(turn: Turn, message: RunDeadlinePassed) -> None:
    if message.phase == turn.run.stage:
        _settle(turn, expired=True)


def _settle(turn: Turn, *, expired: bool = False) -> None:
    """Go on when nobody is waited for any longer, or when the time is over and enough have answered."""
    match turn.run.phase:
        case "preparing":
            _settle_preparation(turn, expired)
        case "training":
            _settle_round(turn, expired)
        case "evaluating" if expired or not turn.run.waiting:
            _finish(turn)
        case _:
            pass


def _settle_preparation(turn: Turn, expired: bool) -> None:
    run = turn.run
    hopeless = sum(trust not in run.left for trust in run.trusts) < run.plan.quorum
    if run.unprepared and not expired and not hopeless:
        return
    if len(run.trainers) < run.plan.quorum:
        _fail_quorum(turn, f"{len(run.trainers)} of {len(run.trusts)} trusts are ready", run.trusts, run.trainers)
    else:
        _ask_for_first_model(turn)


def _ask_for_first_model(turn: Turn) -> None:
    untried = [trust for trust in turn.run.trainers if trust not in turn.run.tried]
    if untried:
        _start_round(turn, 0, (untried[0],))
    else:
        told = ", ".join(f"{trust} ({turn.run.missed.get(trust, 'no answer')})" for trust in turn.run.tried)
        turn.fail("no_first_model", f"No trust could make a first model: {told}.")


def _start_round(turn: Turn, number: int, trusts: tuple[str, ...]) -> None:
    deadline_at = turn.after(turn.run.plan.round_deadline_s)
    turn.say(RoundStarted, round=number, trusts=trusts, started_at=turn.now, deadline_at=deadline_at)
    _ask_all(turn, deadline_at)


def _ask_all(turn: Turn, deadline_at: datetime) -> None:
    for trust in turn.run.asked:
        turn.ask(trust)
    turn.until(deadline_at)


def _settle_round(turn: Turn, expired: bool) -> None:
    run = turn.run
    hopeless = len(run.accepted) + len(run.waiting) < run.needed
    enough = len(run.accepted) >= run.needed
    if enough and (expired or not run.waiting):
        _close(turn)
    elif hopeless or expired:
        _give_round_up(turn)


def _close(turn: Turn) -> None:
    run = turn.run
    updates = tuple(
        FoldInput(trust_id=update.trust_id, examples=max(1, update.examples), digest=update.digest)
        for update in run.accepted
    )
    turn.say(RoundClosed, round=run.round, updates=updates, missing=run.missing, last=run.round == run.plan.rounds)


def _give_round_up(turn: Turn) -> None:
    run = turn.run
    if run.round == 0:
        _ask_for_first_model(turn)
    else:
        had = f"Round {run.round} has {len(run.accepted)} of {run.plan.quorum} updates"
        _fail_quorum(turn, had, run.asked, run.answered)


def _fail_quorum(turn: Turn, had: str, wanted: tuple[str, ...], have: tuple[str, ...]) -> None:
    run = turn.run
    codes = run.left | run.missed
    missing = ", ".join(f"{trust} ({codes.get(trust, 'no answer')})" for trust in wanted if trust not in have)
    turn.fail("quorum_not_reached", f"{had}, the quorum is {run.plan.quorum}; missing: {missing}.")


def _on_aggregated(turn: Turn, message: ModelAggregated) -> None:
    run = turn.run
    if run.phase != "aggregating" or message.round != run.round:
        return
    sites = tuple(
        SiteMetrics(trust_id=update.trust_id, examples=update.examples, metrics=update.metrics)
        for update in run.accepted
    )
    turn.say(
        RoundFinished,
        round=run.round,
        seconds=(turn.now - (run.started_at or turn.now)).total_seconds(),
        participants=message.folded,
        metrics=weighted(sites),
        sites=sites,
        model_digest=message.manifest.sha256,
        model=message.manifest,
    )
    _go_on(turn)


def _go_on(turn: Turn) -> None:
    run = turn.run
    if run.round == run.plan.rounds:
        _evaluate(turn)
    elif len(run.trainers) < run.plan.quorum:
        _fail_quorum(turn, f"{len(run.trainers)} trusts are left", run.trusts, run.trainers)
    else:
        _start_round(turn, run.round + 1, run.trainers)


def _evaluate(turn: Turn) -> None:
    if not turn.run.judges:
        _finish(turn)
        return
    deadline_at = turn.after(turn.run.plan.round_deadline_s)
    turn.say(EvaluationStarted, trusts=turn.run.judges, deadline_at=deadline_at)
    _ask_all(turn, deadline_at)


def _finish(turn: Turn) -> None:
    run = turn.run
    if run.model is None:
        raise TypeError("a run can't finish without a model")
    sites = tuple(sorted(run.sites, key=lambda site: site.trust_id))
    turn.say(
        RunFinished,
        model=turn.grants.read(run.model, turn.now),
        rounds=run.round,
        metrics=weighted(sites),
        sites=sites,
        provenance=run.provenance,
    )
    turn.end()


REACTIONS: dict[type[Message], Callable[[Turn, Any], None]] = {
    RunPrepared: _on_prepared,
    RunRefused: _on_refused,
    UpdateVerified: _on_verified,
    UpdateRefused: _on_update_refused,
    TaskFailed: _on_failed,
    ModelAggregated: _on_aggregated,
    AggregationFailed: _on_aggregation_failed,
    ModelEvaluated: _on_evaluated,
    GrantExpired: _on_expired_grant,
    RunDeadlinePassed: _on_deadline,
}
