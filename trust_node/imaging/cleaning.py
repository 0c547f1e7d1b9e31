"""A study's originals through the worker processes: what is clean, and what must wait for a person."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trust_node.imaging.deid import CleanFile, HeldFile, clean_files
from trust_node.imaging.holds import Reviewed

if TYPE_CHECKING:
    from trust_node.imaging.study import Importer

FILES_PER_TASK = 16


async def clean_study(
    parts: "Importer", originals: Sequence[Path], folder: Path, reviewed: Reviewed
) -> tuple[list[CleanFile], list[tuple[str, str]]]:
    """De-identify what was not rejected into ``folder``; return the clean files, and held images with their reasons."""
    wanted = [file for file in originals if file.name not in reviewed.rejected]
    batches = [wanted[first : first + FILES_PER_TASK] for first in range(0, len(wanted), FILES_PER_TASK)]
    loop = asyncio.get_running_loop()
    done = await asyncio.gather(
        *(loop.run_in_executor(parts.pool, clean_files, batch, folder, parts.keys) for batch in batches)
    )
    results = [result for batch in done for result in batch]
    clean = [result for result in results if isinstance(result, CleanFile)]
    held = [(result.original.name, result.reason.value) for result in results if isinstance(result, HeldFile)]
    return clean, held
