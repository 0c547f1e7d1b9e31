"""When an answer leaves: at the next full step after its question began, so that its time tells little of the data."""

from datetime import datetime, timedelta
from math import ceil

STEP_S = 0.5


def due_at(began: datetime, now: datetime, step_s: float = STEP_S) -> datetime:
    """Return the next full step; suppressed and released answers, failures and progress wait for it alike."""
    return began + timedelta(seconds=ceil((now - began).total_seconds() / step_s) * step_s)
