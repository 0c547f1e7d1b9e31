"""How far an answer is blurred: one length, growing with the questions asked, sets noise, edge and floor."""

import hmac
from dataclasses import dataclass
from functools import cached_property
from math import asin, pi, sqrt
from statistics import NormalDist

from trust_node.cohort.release.policy import ReleasePolicy

LIFETIME = 0.16
"""Sum of 1 / sigma² over all questions that a project will ever ask: what they tell of one person, together."""
CUT = 3.0
"""Noise is never larger than so many sigma: a number that stands so far above the threshold is surely above it."""

_NORMAL = NormalDist()
_LOWEST = _NORMAL.cdf(-CUT)


@dataclass(frozen=True)
class Scale:
    """`asked`: questions asked before this one by the project, or by its user in other projects.

    `cells`: in how many cells of the answer one person may be.
    """

    policy: ReleasePolicy
    asked: int
    cells: int = 1

    @cached_property
    def sigma(self) -> float:
        """Persons. With m = LIFETIME · noise², sigma = noise · (1 + asked / m): 1 / sigma² sums up to LIFETIME."""
        noise = self.policy.noise
        return (noise + self.asked / (LIFETIME * noise)) * sqrt(self.cells) if noise else 0.0

    @property
    def floor(self) -> float:
        """A blurred number below this is hidden."""
        return self.policy.threshold + CUT * self.sigma

    def radius(self, fraction: float, staleness: int = 0) -> float:
        """Return within how many persons of a set others get its answer; `fraction`, drawn evenly, places the edge.

        At least threshold - 1; that it is more than x besides has the chance cos²(π/2 · x / window): whether one more
        person matters is told equally little wherever the edge is looked for. `staleness`: by how many persons the
        answer is off already; the more, the narrower the window.
        """
        window = max(float(self.policy.threshold), CUT * self.sigma - staleness)
        return self.policy.threshold - 1 + window * asin(sqrt(fraction)) * 2 / pi

    def blurred(self, persons: int, fraction: float) -> float:
        """Add normal noise cut at CUT sigma, the `fraction`-th quantile of it."""
        return persons + self.sigma * _NORMAL.inv_cdf(_LOWEST + fraction * (1 - 2 * _LOWEST))

    def number(self, persons: int, fraction: float) -> int | None:
        """Return what may leave, or None: none and too few look the same."""
        blurred = self.blurred(persons, fraction)
        if persons < self.policy.threshold or blurred < self.floor:
            return None
        return rounded(blurred, self.policy)


def rounded(persons: float, policy: ReleasePolicy) -> int:
    """Return the nearest multiple of `rounding` (half up) that is not below the threshold."""
    step = policy.rounding
    nearest = int((persons + step / 2) // step) * step
    lowest = -(-policy.threshold // step) * step
    return max(nearest, lowest)


def fraction(key: bytes, *parts: bytes) -> float:
    """Draw from 0 to 1, always the same for the same parts, by HMAC-SHA256 with the trust's key."""
    drawn = hmac.new(key, digestmod="sha256")
    for part in parts:
        drawn.update(len(part).to_bytes(4) + part)
    return int.from_bytes(drawn.digest()[:7]) / 2**56
