"""What lies here of studies that are no more in a project's cohort goes: originals, archive, copies for training."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bus.lanes import Job
from trust_node import store as node
from trust_node.cohort.frozen import store
from trust_node.imaging.enrichment.labels import LabelsUnreadableError
from trust_node.imaging.study import Importer
from trust_node.jobs import RemoveWithdrawn
from trust_node.training.dataset import gather

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """``projects`` holds copies for training; ``keeps_archive``: the trust keeps what is in its XNAT, by its policy."""

    importer: Callable[[], Importer]
    projects: Path
    keeps_archive: bool

    async def work(self, message: RemoveWithdrawn, job: Job) -> None:
        """Remove all that is withdrawn, again is the same as once; nothing of this is told to the hub."""
        project = await node.project(job.pool, message.project_id)
        studies = await store.withdrawn(job.pool, message.project_id)
        parts = self.importer()
        async with parts.storing:
            for study in sorted(studies):
                await asyncio.to_thread(parts.content.give_up, study, message.project_id)
        if project is None or project.xnat_project is None:
            return
        for study in sorted(studies if not self.keeps_archive else ()):
            await parts.xnat.delete_session(project.xnat_project, study)
        await self._refresh(project.xnat_project, message.project_id, job)

    async def _refresh(self, archive: str, project_id: str, job: Job) -> None:
        """A run that goes on finds a table without them at its next task."""
        folder = self.projects / project_id
        if not (folder / "table.csv").exists():
            return
        try:
            await gather(self.importer().xnat, archive, folder, lambda: store.withdrawn(job.pool, project_id))
        except LabelsUnreadableError:
            log.warning("a project's label file is unreadable: the next run is told; the withdrawn images have gone")
