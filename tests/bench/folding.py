"""The aggregator's fold: memory by the number of updates, and time beside plain torch."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from tests.bench.bundle.shapes import shapes

DISTINCT = 8
MOST = 32


@dataclass(frozen=True, slots=True)
class Updates:
    """Files of 102 MB: 8 different ones, and links to them for more."""

    folder: Path
    size: int

    def memory(self, count: int) -> dict[str, float]:
        """Return peaks above idle, in models."""
        found = self._child("memory", count)
        return {name: value / self.size for name, value in found.items()}

    def times(self, count: int) -> dict[str, float]:
        return self._child("times", count)

    def _child(self, what: str, count: int) -> dict[str, float]:
        child = [sys.executable, "-m", "tests.bench.fold_child", what, str(count), str(self.folder)]
        said: Any = json.loads(subprocess.run(child, check=True, capture_output=True).stdout)
        return dict(said)


@contextmanager
def updates(folder: Path) -> Iterator[Updates]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for number in range(DISTINCT):
            _write(folder / f"{number:03}", number)
        for number in range(DISTINCT, MOST):
            (folder / f"{number:03}").hardlink_to(folder / f"{number % DISTINCT:03}")
        yield Updates(folder, (folder / "000").stat().st_size)
    finally:
        shutil.rmtree(folder)


def _write(file: Path, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    save_file({name: torch.randn(shape, generator=draw) for name, shape in shapes("resnet50").items()}, file)
