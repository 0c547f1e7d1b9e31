"""Compares what was told of each study with what PACS, content store and archive hold, and repairs what can be."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bus.lanes import Job
from schemas.trust_imaging import CompareImport, ImportCompared
from trust_node import store as node
from trust_node.imaging import holds, store
from trust_node.imaging.asks import Asks
from trust_node.imaging.pacs import InvalidAccessionError, StudyHit
from trust_node.imaging.store import Study
from trust_node.imaging.study import Found, Importer


class Difference(StrEnum):
    NO_JOB = "no_job"
    GONE_FROM_PACS = "gone_from_pacs"
    PACS_HAS_MORE = "pacs_has_more"
    ARCHIVE_LACKS = "archive_lacks"
    NIFTI_LACKS = "nifti_lacks"
    THERE_AFTER_ALL = "there_after_all"
    CONTENT_DAMAGED = "content_damaged"

    @property
    def repairable(self) -> bool:
        """Bringing the study in again puts it right."""
        return self is not Difference.GONE_FROM_PACS


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there of one study now: images in the PACS (None: not counted there), the archive, withheld by people."""

    in_pacs: int | None
    archived: int
    converted: bool
    withheld: int
    job: bool
    content_whole: bool = True


def difference(study: Study, seen: Seen, *, to_nifti: bool) -> Difference | None:
    """Return how what was told of a study differs from what is there, by the worst difference. Pure."""
    if not study.settled:
        return None if seen.job else Difference.NO_JOB
    if study.rest == "skipped":
        return None
    if not seen.content_whole:
        return Difference.CONTENT_DAMAGED
    if seen.in_pacs is not None and seen.in_pacs > (study.expected or 0) and not study.failed:
        return Difference.PACS_HAS_MORE
    return _of_failed(seen) if study.failed else _of_arrived(study, seen, to_nifti=to_nifti)


def _of_failed(seen: Seen) -> Difference | None:
    whole = seen.in_pacs is not None and 0 < seen.in_pacs <= seen.archived + seen.withheld
    return Difference.THERE_AFTER_ALL if whole else None


def _of_arrived(study: Study, seen: Seen, *, to_nifti: bool) -> Difference | None:
    if seen.archived + seen.withheld < (study.expected or 0):
        return Difference.ARCHIVE_LACKS
    if to_nifti and seen.archived and not seen.converted:
        return Difference.NIFTI_LACKS
    return Difference.GONE_FROM_PACS if seen.in_pacs == 0 else None


@dataclass(frozen=True, slots=True)
class Comparing:
    """The work behind `import reconcile`; raises what a part raises that is away, to be tried again."""

    asks: Asks
    importer: Callable[[], Importer]

    async def work(self, message: CompareImport, job: Job) -> None:
        async with job.transaction() as uow:
            project = await node.project(uow.connection, message.project_id)
            studies = await store.studies(uow.connection, message.project_id)
            found = await store.found(uow.connection, message.project_id)
            awaited = await store.awaited(uow.connection, message.project_id)
        if project is None:
            return
        differences: dict[str, Difference] = {}
        for study in studies:
            seen = await self._look(project, study, found.get(study.study, ()), job, waits=study.study in awaited)
            if differs := difference(study, seen, to_nifti=project.dicom_to_nifti):
                differences[study.study] = differs
        await self._end(message, job, len(studies), differences)

    async def _end(self, message: CompareImport, job: Job, studies: int, differences: dict[str, Difference]) -> None:
        repaired = [study for study, differs in differences.items() if differs.repairable]
        async with job.done() as uow:
            await self.asks.again(uow, message.project_id, repaired)
            uow.emit(
                ImportCompared(
                    trust_id=self.asks.trust_id,
                    project_id=message.project_id,
                    studies=studies,
                    agreed=studies - len(differences),
                    differences=dict(Counter(differs.value for differs in differences.values())),
                    repaired=len(repaired),
                )
            )

    async def _look(
        self, project: node.Project, study: Study, found: Sequence[Found], job: Job, *, waits: bool
    ) -> Seen:
        parts = self.importer()
        sessions = [one.session for one in found if one.chosen]
        archived = converted = 0
        for session in sessions if project.xnat_project else ():
            counts = await parts.xnat.session_counts(project.xnat_project or "", session)
            archived, converted = archived + counts.get("DICOM", 0), converted + counts.get("NIFTI", 0)
        return Seen(
            in_pacs=_count([hit for hit in await self._hits(study) if parts.keys.study(hit.study_uid) in sessions]),
            archived=archived,
            converted=converted > 0,
            withheld=await _withheld(job, project.project_id, sessions),
            job=waits,
            content_whole=all(self._is_whole(session) for session in sessions),
        )

    async def _hits(self, study: Study) -> Sequence[StudyHit]:
        try:
            return await self.importer().pacs.find_studies(study.accession)
        except InvalidAccessionError:
            return ()

    def _is_whole(self, session: str) -> bool:
        """What is not in the content store is not damaged there."""
        content = self.importer().content.find(session)
        return content is None or content.manifest.agrees_with(content.folder / "files")


def _count(hits: Sequence[StudyHit]) -> int | None:
    counts = [hit.instances for hit in hits]
    return None if None in counts else sum(filter(None, counts))


async def _withheld(job: Job, project_id: str, sessions: Sequence[str]) -> int:
    images = 0
    async with job.transaction() as uow:
        for session in sessions:
            waiting = await holds.waiting(uow.connection, project_id, session)
            reviewed = await holds.reviewed(uow.connection, project_id, session)
            images += len({*(hold.image for hold in waiting), *reviewed.rejected})
    return images
