"""A study's originals through the worker processes: what is clean, and what must wait for a person."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trust_node.imaging.deid import CleanFile, HeldFile, HoldReason, clean_files
from trust_node.imaging.deid.plan import as_plan
from trust_node.imaging.holds import Reviewed

if TYPE_CHECKING:
    from trust_node.imaging.study import Importer

FILES_PER_TASK = 16
Batch = tuple[frozenset[str], list[Path]]


async def clean_study(
    parts: "Importer", originals: Sequence[Path], folder: Path, reviewed: Reviewed
) -> tuple[list[CleanFile], list[tuple[str, str]]]:
    """De-identify what was not rejected into ``folder``; return the clean files, and held images with their reasons."""
    wanted = [file for file in originals if file.name not in reviewed.rejected]
    loop, plan = asyncio.get_running_loop(), as_plan(parts.keys)
    done = await asyncio.gather(
        *(
            loop.run_in_executor(parts.pool, clean_files, batch, folder, plan.releasing(*map(HoldReason, released)))
            for released, batch in _batches(wanted, reviewed)
        )
    )
    results = [result for batch in done for result in batch]
    clean = [result for result in results if isinstance(result, CleanFile)]
    held = [(result.original.name, result.reason.value) for result in results if isinstance(result, HeldFile)]
    return clean, held


def _batches(files: Sequence[Path], reviewed: Reviewed) -> Iterator[Batch]:
    """Files of which the same rules were released, so many at a time."""
    for released in sorted({frozenset(), *reviewed.released.values()}, key=sorted):
        alike = [file for file in files if reviewed.released.get(file.name, frozenset()) == released]
        for first in range(0, len(alike), FILES_PER_TASK):
            yield released, alike[first : first + FILES_PER_TASK]
