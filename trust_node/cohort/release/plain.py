"""The floor and the rounding alone, for figures that no researcher's question can vary."""

from trust_node.cohort.release.policy import ReleasePolicy
from trust_node.cohort.release.scale import rounded


def release(persons: int, policy: ReleasePolicy) -> int | None:
    """Return the number that may leave, or None: none and too few look the same.

    The nearest multiple of `rounding` (half up), and never below the threshold. No guard, no noise, no budget: answers
    to a researcher's questions go by `Releasing`.
    """
    return None if persons < policy.threshold else rounded(persons, policy)
