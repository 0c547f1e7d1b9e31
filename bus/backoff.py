"""How long to wait after failures in a row."""

import random

FIRST_PAUSE_S = 0.03
LONGEST_PAUSE_S = 5.0
ENOUGH_DOUBLINGS = 20
"""To reach any longest wait of ours; hours of failures would overflow."""


def doubling_s(first_s: float, longest_s: float, failures: int) -> float:
    """Seconds after the n-th failure in a row, bounded."""
    return float(min(longest_s, first_s * 2.0 ** min(failures, ENOUGH_DOUBLINGS)))


def pause_s(failures: int) -> float:
    """Seconds to wait in place after the n-th failure in a row: doubling, with jitter, bounded."""
    return doubling_s(FIRST_PAUSE_S, LONGEST_PAUSE_S, failures) * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret
