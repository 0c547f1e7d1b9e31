"""A study's originals through the worker processes: what is clean, and what must wait for a person."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trust_node.imaging.content import REVIEW, Pin
from trust_node.imaging.deid import CleanFile, DeidPlan, HeldFile, HoldReason, clean_files
from trust_node.imaging.deid.report import merged
from trust_node.imaging.holds import Reviewed
from trust_node.imaging.study import Importer

FILES_PER_TASK = 16
Batch = tuple[frozenset[str], list[Path]]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean files, held images by name with their reasons, and the report of what was done, as JSON."""

    clean: list[CleanFile]
    held: list[tuple[str, str]]
    report: bytes


async def clean_study(
    pool: Executor, plan: DeidPlan, originals: Sequence[Path], folder: Path, reviewed: Reviewed
) -> Cleaned:
    """De-identify what was not rejected into ``folder``, past the rules that were released for an image.

    A series is whole or waits: where one of its images is held, the others are not given out either.
    """
    wanted = [file for file in originals if file.name not in reviewed.rejected]
    loop = asyncio.get_running_loop()
    done = await asyncio.gather(
        *(
            loop.run_in_executor(pool, clean_files, batch, folder, plan.releasing(*map(HoldReason, released)))
            for released, batch in _batches(wanted, reviewed)
        )
    )
    results = [result for batch in done for result in batch]
    held = [result for result in results if isinstance(result, HeldFile)]
    waiting = {result.series for result in held}
    clean = [result for result in results if isinstance(result, CleanFile) and result.series not in waiting]
    reasons = [(result.original.name, result.reason.value) for result in held]
    return Cleaned(clean, reasons, merged(results, plan).to_json())


def _batches(files: Sequence[Path], reviewed: Reviewed) -> Iterator[Batch]:
    """Files of which the same rules were released, so many at a time."""
    for released in sorted({frozenset(), *reviewed.released.values()}, key=sorted):
        alike = [file for file in files if reviewed.released.get(file.name, frozenset()) == released]
        for first in range(0, len(alike), FILES_PER_TASK):
            yield released, alike[first : first + FILES_PER_TASK]


async def keep_for_review(parts: Importer, project: str, study: str, *, waits: bool) -> None:
    """Keep the originals while a person of this project has to look at some of them, past the quota if need be."""
    async with parts.storing:
        if not waits:
            parts.content.unpin(study, review_of(project))
        elif parts.content.find(study):
            pin = Pin(by="trust node", reason="images wait for a person", at=datetime.now(UTC))
            parts.content.pin(study, review_of(project), pin)


def review_of(project: str) -> str:
    """The pin of one project's review; each project decides for itself."""
    return f"{REVIEW}-{project}"
