"""The state of one run, made of its own events alone."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.manifest import Manifest
from schemas.training import (
    EvaluationStarted,
    Metrics,
    Provenance,
    RoundClosed,
    RoundFinished,
    RoundStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    RunPlan,
    RunStarted,
    RunStopped,
    SiteMetrics,
    TaskKind,
    TaskMissed,
    TaskRepeated,
    TrustEvaluated,
    TrustLeft,
    TrustReady,
    UpdateAccepted,
    UpdateRejected,
)
from services.training_coordinator.domain.known import State

Phase = Literal["preparing", "training", "aggregating", "evaluating", "over"]
HARMLESS = frozenset({"wrong_round", "not_asked", "duplicate", "too_late"})
"""Codes of rejected updates that change nothing: what was asked of the trust is still awaited or already here."""


class Run(State):
    """``tried`` were asked for a first model; ``missed`` maps trusts of this round to the code of what went wrong."""

    run_id: str
    model_id: str
    project_id: str
    bundle_sha256: str
    trusts: tuple[str, ...]
    evaluate_at: tuple[str, ...]
    plan: RunPlan
    provenance: Provenance
    phase: Phase = "preparing"
    ready: tuple[str, ...] = ()
    left: dict[str, str] = Field(default_factory=dict)
    tried: tuple[str, ...] = ()
    round: int = 0
    asked: tuple[str, ...] = ()
    missed: dict[str, str] = Field(default_factory=dict)
    attempts: dict[str, int] = Field(default_factory=dict)
    accepted: tuple[UpdateAccepted, ...] = ()
    started_at: datetime | None = None
    deadline_at: datetime | None = None
    model: Manifest | None = None
    sites: tuple[SiteMetrics, ...] = ()

    @property
    def participants(self) -> tuple[str, ...]:
        return tuple(sorted({*self.trusts, *self.evaluate_at}))

    @property
    def unprepared(self) -> tuple[str, ...]:
        return tuple(trust for trust in self.participants if trust not in self.ready and trust not in self.left)

    @property
    def trainers(self) -> tuple[str, ...]:
        """Trusts that can be asked for an update now."""
        return tuple(trust for trust in sorted(self.trusts) if trust in self.ready and trust not in self.left)

    @property
    def judges(self) -> tuple[str, ...]:
        """Trusts that can be asked to evaluate now."""
        return tuple(trust for trust in sorted(self.evaluate_at) if trust in self.ready and trust not in self.left)

    @property
    def answered(self) -> tuple[str, ...]:
        answers = self.sites if self.phase == "evaluating" else self.accepted
        return tuple(answer.trust_id for answer in answers)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Trusts whose answer to the present task is still to come."""
        return tuple(trust for trust in self.asked if trust not in {*self.answered, *self.missed, *self.left})

    def attempt(self, trust: str) -> int:
        """Counts from 1 how often a trust was asked for this round's update."""
        return self.attempts.get(trust, 1)

    @property
    def missing(self) -> tuple[str, ...]:
        """Trusts of the run without an update in this round, whether they were asked or not even there."""
        wanted = self.asked if self.round == 0 else sorted(self.trusts)
        return tuple(trust for trust in wanted if trust not in self.answered)

    @property
    def needed(self) -> int:
        """Answers that suffice to close the round: one trust alone makes the first model."""
        return 1 if self.round == 0 else self.plan.quorum

    @property
    def kind(self) -> TaskKind:
        if self.phase == "evaluating":
            return "evaluate"
        return "init" if self.round == 0 else "train"

    @property
    def stage(self) -> str:
        """Names what a deadline is for, so that a deadline of the past is known as such."""
        return f"{self.phase}-{self.round}-{len(self.tried)}"


def begin(event: RunStarted) -> Run:
    if event.provenance is None:
        raise TypeError("a run of an older release: start it again")
    return Run(**{name: getattr(event, name) for name in RunStarted.model_fields})


def evolve(run: Run, event: RunEvent) -> Run:
    """The state after an event."""
    return run.model_copy(update=_changes(run, event))


def _changes(run: Run, event: RunEvent) -> dict[str, object]:
    match event:
        case TrustReady():
            return {"ready": (*run.ready, event.trust_id), "provenance": _with_trust(run.provenance, event)}
        case TrustLeft():
            return {"left": run.left | {event.trust_id: event.code}}
        case RoundStarted() | EvaluationStarted():
            return _asking(run, event)
        case UpdateAccepted():
            return {"accepted": (*run.accepted, event)}
        case UpdateRejected() | TaskMissed() | TaskRepeated():
            return _setback(run, event)
        case RoundClosed():
            return {"phase": "aggregating"}
        case RoundFinished():
            return {"model": event.model}
        case TrustEvaluated():
            return {"sites": (*run.sites, event.site)}
        case RunFinished() | RunFailed() | RunStopped():
            return {"phase": "over"}
        case _:
            return {}


def _asking(run: Run, event: RoundStarted | EvaluationStarted) -> dict[str, object]:
    asking: dict[str, object] = {"asked": event.trusts, "deadline_at": event.deadline_at, "missed": {}, "attempts": {}}
    if isinstance(event, EvaluationStarted):
        return {**asking, "phase": "evaluating"}
    tried = (*run.tried, *event.trusts) if event.round == 0 else run.tried
    return {
        **asking,
        "phase": "training",
        "round": event.round,
        "started_at": event.started_at,
        "accepted": (),
        "tried": tried,
    }


def _setback(run: Run, event: UpdateRejected | TaskMissed | TaskRepeated) -> dict[str, object]:
    trust = event.trust_id
    if isinstance(event, TaskRepeated):
        missed = {other: code for other, code in run.missed.items() if other != trust}
        return {"missed": missed, "attempts": run.attempts | {trust: event.attempt}}
    counts = trust in run.waiting and event.round == run.round and event.code not in HARMLESS
    return {"missed": run.missed | {trust: event.code}} if counts else {}


def _with_trust(provenance: Provenance, ready: TrustReady) -> Provenance:
    trust = ready.trust_id
    software = {f"{trust}:{name}": version for name, version in ready.software.items()}
    return provenance.model_copy(
        update={
            "images": provenance.images | {trust: ready.images},
            "isolation": provenance.isolation | {trust: ready.isolation},
            "software": provenance.software | software,
        }
    )


def weighted(sites: tuple[SiteMetrics, ...]) -> Metrics:
    """Means over the sites that report a metric, weighted by examples; a site without a count weighs one example."""
    names = sorted({name for site in sites for name in site.metrics})
    return {name: _mean([site for site in sites if name in site.metrics], name) for name in names}


def _mean(sites: list[SiteMetrics], name: str) -> float:
    total = sum(max(1, site.examples) for site in sites)
    return sum(site.metrics[name] * max(1, site.examples) for site in sites) / total
