"""Verified updates on the local disk: each byte is checked once, on its way in.

The spool never outlives the process: after a crash nobody knows what the disk kept, so files are fetched again.
"""

import asyncio
import os
import shutil
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import torch

from bus.errors import Rejection
from schemas.manifest import Layout, Manifest
from services.aggregator.flat import Segment, segments, tensor_at, within

# parts are bytes, which torch must not change; nothing here does
warnings.filterwarnings("ignore", "The given buffer is not writable", UserWarning)


@dataclass(frozen=True, slots=True)
class Spool:
    folder: Path

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def path(self, run_id: str, round_: int, manifest: Manifest) -> Path:
        return self.folder / run_id / str(round_) / manifest.sha256

    def drop_round(self, run_id: str, round_: int) -> None:
        shutil.rmtree(self.folder / run_id / str(round_), ignore_errors=True)

    def drop_run(self, run_id: str) -> None:
        shutil.rmtree(self.folder / run_id, ignore_errors=True)


async def take_in(parts: AsyncIterator[bytes], layout: Layout, path: Path, job_id: int) -> None:
    """Write verified parts to ``path``, which appears when all of them are in and hold only finite numbers.

    Raises
    ------
    Rejection
        ``wrong_header``, ``not_finite``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{job_id}")
    intake = Intake(layout, segments(layout), os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        async for part in parts:
            await asyncio.to_thread(intake.take, part)
    finally:
        os.close(intake.file)
    unfinished.replace(path)


@dataclass(slots=True)
class Intake:
    """Looks at each part while it is still in the processor's cache."""

    layout: Layout
    whole: tuple[Segment, ...]
    file: int
    offset: int = 0

    def take(self, part: bytes) -> None:
        if self.offset == 0 and part[: len(self.layout.header)] != self.layout.header:
            raise Rejection("wrong_header", "The file does not begin with the header that its manifest describes.")
        self._check_finite(memoryview(part))
        written = os.pwrite(self.file, part, self.offset)
        if written != len(part):
            raise OSError(f"the disk took {written} of {len(part)} bytes")
        self.offset += len(part)

    def _check_finite(self, part: memoryview) -> None:
        for segment in within(self.whole, self.offset, self.offset + len(part)):
            values = segment.of(part, self.offset)
            if values.is_floating_point() and not _is_finite(values):
                first = int((~torch.isfinite(values)).nonzero()[0])
                name = tensor_at(self.layout, segment.start + first * values.element_size())
                raise Rejection("not_finite", f"{name} holds NaN or infinity.")


def _is_finite(values: torch.Tensor) -> bool:
    # one pass without a temporary of this size; NaN wins over every number
    return bool(torch.isfinite(torch.stack(torch.aminmax(values))).all())
