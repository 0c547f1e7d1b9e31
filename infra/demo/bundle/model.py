"""A small network that names the sequence type of one MR slice."""

import torch
from torch import Tensor, nn


class SliceNet(nn.Module):
    """24 thousand parameters: slices (n, 1, 64, 64) to logits (n, labels)."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(_stage(1, 16), _stage(16, 32), _stage(32, 64))
        self.classify = nn.Linear(64, labels)

    def forward(self, slices: Tensor) -> Tensor:
        return self.classify(torch.mean(self.features(slices), dim=(2, 3)))


def _stage(channels_in: int, channels_out: int) -> nn.Sequential:
    # Group norm keeps no running statistics, which could not be averaged over trusts of different images.
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1),
        nn.GroupNorm(8, channels_out),
        nn.ReLU(),
    )
