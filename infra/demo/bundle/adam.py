"""Adam (Kingma and Ba, 2015, algorithm 1) in a few lines.

Making the first optimizer of `torch.optim` imports torch's compiler, which takes longer than the demo's training.
"""  # noqa: INP001  a bundle is a folder of scripts

from collections.abc import Iterable

import torch
from torch import Tensor

DECAY_MEAN, DECAY_SQUARE, TINY = 0.9, 0.999, 1e-8


class Adam:
    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        self._learning_rate = learning_rate
        self._steps = 0
        self._moments = [(each, torch.zeros_like(each), torch.zeros_like(each)) for each in parameters]

    @torch.no_grad()
    def step(self, gradients: Iterable[Tensor]) -> None:
        """Move the parameters in place; `gradients` come in the parameters' order."""
        self._steps += 1
        for (parameter, mean, square), gradient in zip(self._moments, gradients, strict=True):
            mean.lerp_(gradient, 1 - DECAY_MEAN)
            square.lerp_(gradient * gradient, 1 - DECAY_SQUARE)
            scale = (square / (1 - DECAY_SQUARE**self._steps)).sqrt() + TINY
            parameter.sub_(self._learning_rate / (1 - DECAY_MEAN**self._steps) * mean / scale)
