"""Folding: update files in, the bytes of the next global model out, with one model in memory however many come in."""

import mmap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from schemas.manifest import PART_SIZE, Layout, cuts
from services.aggregator.flat import Segment, segments, within
from services.aggregator.strategy import Strategy

THREADS = 2
MADV_POPULATE_READ = 22
"""madvise(2); Python has no name for it."""

HALVES = (torch.float16, torch.bfloat16)

# threads of ours each fold whole blocks: a vector split by torch's own would round differently with their number
torch.set_num_threads(1)


@dataclass(frozen=True, slots=True)
class Fold:
    """``files`` are open safetensors files of one layout, in the order of ``shares``."""

    files: Sequence[int]
    shares: Sequence[float]
    layout: Layout
    strategy: Strategy

    def into(self, model: memoryview) -> None:
        """Write the whole file, block by block; blocks are independent of one another."""
        model[: len(self.layout.header)] = self.layout.header
        whole = segments(self.layout)
        with ThreadPoolExecutor(THREADS) as pool:
            blocks = cuts(self.layout.size, PART_SIZE)
            for done in [pool.submit(self._block, model, whole, block) for block in blocks]:
                done.result()

    def _block(self, model: memoryview, whole: Sequence[Segment], block: tuple[int, int]) -> None:
        for segment in within(whole, *block):
            self._combine(segment.of(model, 0), segment, block)

    def _combine(self, out: torch.Tensor, segment: Segment, block: tuple[int, int]) -> None:
        values = (segment.of(_window(file, block), block[0]) for file in self.files)
        if not segment.dtype.is_floating_point:
            # counters and indices have no mean: those of the first trust are as good as any
            out.copy_(next(values))
        elif segment.dtype in HALVES:
            wide = torch.empty_like(out, dtype=torch.float32)
            self.strategy.combine(wide, (value.float() for value in values), self.shares)
            out.copy_(wide)
        else:
            self.strategy.combine(out, values, self.shares)


def fold(paths: Sequence[Path], examples: Sequence[int], layout: Layout, strategy: Strategy) -> memoryview:
    """Return the bytes of the combined safetensors file.

    Parameters
    ----------
    paths
        Safetensors files of this layout, in the order in which they are to be summed.
    examples
        At least one for each path.
    """
    # shared memory, mmap's default, has no huge pages
    model = mmap.mmap(-1, layout.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        # a kernel without huge pages takes 25,000 faults for 100 MB instead
        model.madvise(mmap.MADV_HUGEPAGE)
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")).fileno() for path in paths]
        Fold(files, strategy.shares(examples), layout, strategy).into(memoryview(model))
    return memoryview(model)


def _window(file: int, block: tuple[int, int]) -> memoryview:
    """Map one block only: pages of files that are mapped count as memory of ours."""
    window = mmap.mmap(file, block[1] - block[0], access=mmap.ACCESS_COPY, offset=block[0])
    with suppress(OSError):
        # one call instead of a fault for every 64 KiB; Linux before 5.14 does not know it
        window.madvise(MADV_POPULATE_READ)
    return memoryview(window)
