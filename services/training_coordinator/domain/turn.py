"""One message being answered: what is said because of it, and the run as it is by then."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.manifest import Manifest
from schemas.message import Message
from schemas.training import RunDeadlinePassed, RunEvent, RunFailed, RunStarted
from schemas.trust import EndRun, PrepareRun, RunTask
from services.training_coordinator.domain.run import Run, begin, evolve
from services.training_coordinator.grants import Grants


@dataclass(frozen=True, slots=True)
class Due:
    at: datetime
    event: RunDeadlinePassed


@dataclass(slots=True)
class Turn:
    """``said`` in order; each event has changed ``run`` already, commands to trusts change nothing."""

    run: Run
    now: datetime
    grants: Grants
    said: list[Message] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)

    def say(self, event: type[RunEvent], **content: Any) -> None:
        message = event(run_id=self.run.run_id, **content)
        self.run = evolve(self.run, message)
        self.said.append(message)

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def until(self, at: datetime) -> None:
        """Be told when the present stage has had its time."""
        self.due.append(Due(at, RunDeadlinePassed(run_id=self.run.run_id, phase=self.run.stage)))

    def prepare(self, bundle: Manifest) -> None:
        run = self.run
        for trust in run.participants:
            self.said.append(
                PrepareRun(
                    trust_id=trust,
                    run_id=run.run_id,
                    project_id=run.project_id,
                    model_id=run.model_id,
                    bundle=self.grants.read(bundle, self.now),
                    bundle_sha256=run.bundle_sha256,
                    approved_by=run.provenance.bundle_approved_by[trust],
                )
            )
        self.until(self.after(run.plan.prepare_deadline_s))

    def ask(self, trust: str) -> None:
        """Give a trust its task, with fresh addresses: asking again does no harm."""
        run = self.run
        size = run.model.size if run.model else self.grants.max_first_model
        prefix = update_prefix(run.run_id, run.round, trust, run.attempt(trust))
        self.said.append(
            RunTask(
                trust_id=trust,
                run_id=run.run_id,
                round=run.round,
                kind=run.kind,
                seed=seed_of(run.plan.seed, run.round, trust),
                config=run.plan.config,
                model=self.grants.read(run.model, self.now) if run.model else None,
                upload=None if run.kind == "evaluate" else self.grants.write(prefix, size, self.now),
                deadline_at=run.deadline_at or self.now,
            )
        )

    def end(self) -> None:
        self.said += [EndRun(trust_id=trust, run_id=self.run.run_id) for trust in self.run.participants]

    def fail(self, code: str, reason: str) -> None:
        self.say(RunFailed, code=code, reason=reason[:500])
        self.end()


def opening(started: RunStarted, bundle: Manifest, now: datetime, grants: Grants) -> Turn:
    turn = Turn(begin(started), now, grants, said=[started])
    turn.prepare(bundle)
    return turn


def update_prefix(run_id: str, round_: int, trust: str, attempt: int) -> str:
    """A part is written once, so that another attempt needs another place."""
    first = f"runs/{run_id}/{round_}/{trust}"
    return first if attempt == 1 else f"{first}/again-{attempt}"


def seed_of(seed: int, round_: int, trust: str) -> int:
    """A number below 2**31 that is the same whenever, and in whatever order, trusts are asked."""
    digest = hashlib.sha256(f"{seed}/{round_}/{trust}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
