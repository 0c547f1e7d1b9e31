"""The circuit breaker: a bad release must not drain a topic into the dead letters."""

from collections import deque
from dataclasses import dataclass, field

LONGEST_RUN = 20
WINDOW = 1000
MOST_IN_WINDOW = 100


@dataclass(slots=True)
class Breaker:
    """Counts what was put aside by our own fault, if it was: a bug, or what another of ours has said."""

    run: int = 0
    window: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def tripped_by(self, dead: int, handled: int) -> str | None:
        """Count one batch; returns why nothing more should be read, or nothing."""
        self.run = dead if handled else self.run + dead
        self.window.extend([True] * dead + [False] * handled)
        if self.run > LONGEST_RUN:
            return f"{self.run} records in a row were put aside"
        share = sum(self.window)
        if share > MOST_IN_WINDOW:
            return f"{share} of the last {len(self.window)} records were put aside"
        return None
