"""A run: its trusts, its rounds, and how it ended."""

from typing import Literal

from pydantic import Field

from schemas.message import Message
from schemas.training import (
    RoundFinished,
    RoundStarted,
    RunFailed,
    RunFinished,
    RunPlan,
    RunStarted,
    RunStopped,
    TaskMissed,
    TrustLeft,
    TrustReady,
    UpdateAccepted,
    UpdateRejected,
)
from schemas.views.view import View, ViewDefinition


class RunView(View):
    """``round`` is the one under way; ``updates`` names who has delivered in it, ``left`` who takes no part and why.

    ``notes`` tells of updates that were rejected and tasks that were missed, each sentence once.
    """

    run_id: str
    model_id: str
    project_id: str
    bundle_sha256: str
    plan: RunPlan
    trusts: tuple[str, ...]
    status: Literal["running", "finished", "failed", "stopped"] = "running"
    ready: dict[str, TrustReady] = Field(default_factory=dict)
    left: dict[str, str] = Field(default_factory=dict)
    round: int = 0
    updates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rounds: tuple[RoundFinished, ...] = ()
    result: RunFinished | None = None
    failure: str | None = None


def fold_run(view: RunView | None, event: Message) -> RunView | None:
    if isinstance(event, RunStarted):
        return RunView(**event.model_dump(exclude={"evaluate_at"}))
    return view.model_copy(update=_changes(view, event)) if view else None


def _changes(view: RunView, event: Message) -> dict[str, object]:
    match event:
        case TrustReady():
            return {"ready": view.ready | {event.trust_id: event}}
        case TrustLeft():
            return {"left": view.left | {event.trust_id: f"{event.code}: {event.reason}"}}
        case RoundStarted():
            return {"round": event.round, "updates": ()}
        case UpdateAccepted():
            return {"updates": tuple(dict.fromkeys((*view.updates, event.trust_id)))}
        case UpdateRejected() | TaskMissed():
            note = f"round {event.round}, {event.trust_id}: {event.code}: {event.reason}"
            return {"notes": tuple(dict.fromkeys((*view.notes, note)))}
        case RoundFinished():
            earlier = (finished for finished in view.rounds if finished.round != event.round)
            return {"rounds": (*earlier, event)}
        case RunFinished():
            return {"status": "finished", "result": event}
        case RunFailed():
            return {"status": "failed", "failure": f"{event.code}: {event.reason}"}
        case RunStopped():
            return {"status": "stopped", "failure": f"stopped by {event.stopped_by}"}
        case _:
            return {}


RUN = ViewDefinition(
    "run",
    RunView,
    fold_run,
    (
        RunStarted,
        TrustReady,
        TrustLeft,
        RoundStarted,
        UpdateAccepted,
        UpdateRejected,
        TaskMissed,
        RoundFinished,
        RunFinished,
        RunFailed,
        RunStopped,
    ),
)
