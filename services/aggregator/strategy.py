"""How values of several trusts become one."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import torch


class Strategy(Protocol):
    """``shares`` weighs updates by their numbers of examples; ``combine`` writes into ``out``, block by block.

    Values come in the order of the shares, one after another, so that only one of them needs to be in memory.
    Both must be pure: a fold that is cut by a crash is done again and must give the same bytes.
    """

    def shares(self, examples: Sequence[int]) -> tuple[float, ...]: ...

    def combine(self, out: torch.Tensor, values: Iterable[torch.Tensor], shares: Sequence[float]) -> None: ...


class FedAvg:
    """The mean of the updates, weighted by examples (McMahan et al. 2017, algorithm 1)."""

    def shares(self, examples: Sequence[int]) -> tuple[float, ...]:
        total = sum(examples)
        return tuple(count / total for count in examples)

    def combine(self, out: torch.Tensor, values: Iterable[torch.Tensor], shares: Sequence[float]) -> None:
        for place, (value, share) in enumerate(zip(values, shares, strict=True)):
            if place == 0:
                torch.mul(value, share, out=out)
            else:
                out.add_(value, alpha=share)
