"""How often an attacker is right: the threshold is learnt on half of the targets and tried on the other half."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from math import sqrt
from operator import itemgetter

from tests.attack.modes import opened
from tests.attack.strategies import STRATEGIES, Asking
from tests.attack.world import world

COLLUDING = "five colluding users"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`right` of `targets` guesses; `error`: two standard errors."""

    right: int
    targets: int

    @property
    def share(self) -> float:
        return self.right / self.targets

    @property
    def error(self) -> float:
        return 2 * sqrt(self.share * (1 - self.share) / self.targets)

    def __str__(self) -> str:
        return f"{100 * self.share:.0f} % ± {100 * self.error:.0f}"


def attacked(strategy: str, mode: str, seed: int) -> list[tuple[float, bool]]:
    """Return the attacker's scores for the targets of a fresh hospital, and the truth."""
    hospital = world(seed)
    trust = opened(mode, hospital.everyone, hospital.key, 5 if strategy == COLLUDING else 1)
    asking = Asking(trust, grows=mode == "default")
    try:
        scores = STRATEGIES[strategy](hospital, asking)
    except Exception as error:
        raise RuntimeError(f"{strategy} on {mode} with seed {seed}") from error
    return list(zip(scores, hospital.secrets, strict=False))


def accuracy(strategy: str, mode: str, seeds: Iterable[int], executor: Executor | None = None) -> Accuracy:
    """Attack one hospital per seed; the threshold for each half is the one that is best for the other half."""
    run = executor.map if executor else map
    found = [pair for pairs in run(partial(attacked, strategy, mode), seeds) for pair in pairs]
    half = len(found) // 2
    return Accuracy(_right(found[:half], found[half:]) + _right(found[half:], found[:half]), len(found))


def _right(learnt: Sequence[tuple[float, bool]], tried: Sequence[tuple[float, bool]]) -> int:
    threshold = _best_threshold(learnt)
    return sum((score > threshold) == truth for score, truth in tried)


def _best_threshold(found: Sequence[tuple[float, bool]]) -> float:
    """The cut that is right most often, midway between two scores: one pass over them in their order."""
    right = best = sum(truth for _, truth in found)
    cut = float("-inf")
    scores = sorted({score for score, _ in found})
    after = dict(pairwise([*scores, float("inf")]))
    for score, ties in groupby(sorted(found), key=itemgetter(0)):
        right += sum(-1 if truth else 1 for _, truth in ties)
        if right > best:
            best, cut = right, (score + after[score]) / 2
    return cut
