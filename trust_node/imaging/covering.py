"""How far people have labelled a project's images, told to the hub in numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bus.errors import Rejection
from bus.lanes import Job
from schemas.trust_imaging import EnrichmentCovered
from trust_node import store
from trust_node.cohort.frozen import store as frozen
from trust_node.cohort.frozen.looking import LooksInTime
from trust_node.imaging.enrichment.labels import LabelsUnreadableError
from trust_node.imaging.xnat import Xnat
from trust_node.jobs import CoverEnrichment
from trust_node.training.dataset import cover


@dataclass(frozen=True, slots=True)
class Covering:
    """``projects`` is the folder of the copies that training reads; of a cohort that is too small none are made.

    What the archive raises is raised, to be tried again; a label file that nobody can read is not.
    """

    trust_id: str
    xnat: Callable[[], Xnat]
    projects: Path
    cohorts: LooksInTime

    async def work(self, message: CoverEnrichment, job: Job) -> None:
        async with job.transaction() as uow:
            project = await store.project(uow.connection, message.project_id)
        if project is None or project.xnat_project is None or project.ended_at:
            return
        standing = await self.cohorts.in_time(message.project_id, job)
        if standing is not None and not standing.usable:
            return
        try:
            covered = await cover(
                self.xnat(),
                project.xnat_project,
                self.projects / project.project_id,
                lambda: frozen.withdrawn(job.pool, message.project_id),
            )
        except LabelsUnreadableError as error:
            raise Rejection("labels_unreadable", str(error)) from error
        async with job.done() as uow:
            uow.emit(
                EnrichmentCovered(
                    trust_id=self.trust_id,
                    project_id=project.project_id,
                    images=covered.images,
                    labelled=covered.labelled,
                    masked=covered.masked,
                    rejected={flaw.value: count for flaw, count in covered.rejected.items()},
                )
            )
