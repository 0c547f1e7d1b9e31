"""When an answer leaves: at a step after its question began, so that its time tells little of the data."""

import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, exp2, log2

STEP_S, LONGEST_STEP_S = 1.0, 16.0
COST_PER_S = 100_000.0
"""What PostgreSQL works off of the planner's cost in a second, rather too low: then an answer waits a bit longer."""


@dataclass(slots=True)
class Pace:
    """One question's pace. `planned_s`: how long its queries take by their plans, at least."""

    began: datetime
    planned_s: float = 0.0

    def plan(self, cost: float, most_s: float) -> None:
        """Add a query that is about to run and will be stopped after `most_s` seconds."""
        self.planned_s += min(dithered(cost) / COST_PER_S, most_s)

    def is_slow(self, now: datetime) -> bool:
        """Whether it leaves after the first step: then its time may tell of the data, or of how common a value is."""
        return self.due_at(now) > self.began + timedelta(seconds=STEP_S)

    def due_at(self, now: datetime) -> datetime:
        """Return the next step: suppressed and released answers, failures and progress wait for it alike.

        Up to LONGEST_STEP_S each step is twice the one before: of a time only its magnitude is told, and of one within
        what was planned nothing.
        """
        elapsed_s = max((now - self.began).total_seconds(), self.planned_s)
        if elapsed_s <= 0:
            return self.began
        step_s = min(STEP_S * 2 ** ceil(log2(max(1.0, elapsed_s / STEP_S))), LONGEST_STEP_S)
        return self.began + timedelta(seconds=ceil(elapsed_s / step_s) * step_s)


def dithered(cost: float) -> float:
    """Make a cost up to twice as large by chance: one row more hardly ever decides on which side of a limit it is."""
    return cost * exp2(secrets.SystemRandom().random())


pace: ContextVar[Pace | None] = ContextVar("pace", default=None)
"""Of the question that is being worked on."""
