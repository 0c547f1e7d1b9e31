"""A small network that names the sequence type of one MR slice."""  # noqa: INP001  a bundle is a folder of scripts

import torch
from torch import Tensor, nn

CELLS = 4  # a grid that keeps where in the head a contrast lies


class SliceNet(nn.Module):
    """9 thousand parameters: slices (n, 1, 64, 64) to logits (n, labels)."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(_stage(1, 8), _stage(8, 16), _stage(16, 32), nn.AdaptiveAvgPool2d(CELLS))
        self.classify = nn.Linear(32 * CELLS * CELLS, labels)

    def forward(self, slices: Tensor) -> Tensor:
        logits: Tensor = self.classify(torch.flatten(self.features(slices), 1))
        return logits


def _stage(channels_in: int, channels_out: int) -> nn.Sequential:
    # Group norm keeps no running statistics, which could not be averaged over trusts of different images.
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1),
        nn.GroupNorm(channels_out // 4, channels_out),
        nn.ReLU(),
    )
