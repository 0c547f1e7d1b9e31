"""The end of a project at this trust: what was removed, and the signed proof of it."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bus.lanes import Job
from bus.proof.signing import Signer
from bus.proof.statements import sign
from schemas.trust_imaging import ProjectPurged, PurgeProject
from trust_node import store as node
from trust_node.imaging import holds, store
from trust_node.imaging.cleaning import review_of
from trust_node.imaging.content import Purged
from trust_node.imaging.study import Importer

UNSIGNED = "A" * 86 + "=="


@dataclass(frozen=True, slots=True)
class Purging:
    """``keeps_archive``: the trust keeps what is in its XNAT, by its policy; ``projects`` holds copies for training."""

    trust_id: str
    importer: Callable[[], Importer]
    signer: Signer
    projects: Path
    keeps_archive: bool

    async def work(self, message: PurgeProject, job: Job) -> None:
        """Remove the project's images and say so; a run that died is gone on from, what it removed is in the proof."""
        async with job.transaction() as uow:
            project = await node.project(uow.connection, message.project_id)
            await store.drop_jobs(uow.connection, message.project_id)
            await store.end(uow.connection, message.project_id)
        parts = self.importer()
        async with parts.storing:
            purged = await asyncio.to_thread(parts.content.purge, message.project_id)
            for study in purged.kept:
                parts.content.unpin(study, review_of(message.project_id))
        await asyncio.to_thread(shutil.rmtree, self.projects / message.project_id, ignore_errors=True)
        sessions = await self._purge_archive(project)
        async with job.done() as uow:
            await holds.drop(uow.connection, message.project_id)
            await store.forget(uow.connection, message.project_id)
            uow.emit(self._proven(message.project_id, purged, sessions))

    async def _purge_archive(self, project: node.Project | None) -> int:
        if project is None or project.xnat_project is None or self.keeps_archive:
            return 0
        xnat = self.importer().xnat
        sessions = await xnat.list_sessions(project.xnat_project)
        await xnat.delete_project(project.xnat_project)
        return len(sessions)

    def _proven(self, project_id: str, purged: Purged, sessions: int) -> ProjectPurged:
        unsigned = ProjectPurged(
            trust_id=self.trust_id,
            project_id=project_id,
            studies=len(purged.removed),
            images=purged.images,
            kept=len(purged.kept),
            retained=len(purged.retained),
            sessions=sessions,
            digest=purged.digest,
            signature=UNSIGNED,
        )
        return unsigned.model_copy(update={"signature": sign(self.signer, unsigned.statement)})
