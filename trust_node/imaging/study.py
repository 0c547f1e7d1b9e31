"""One study from the PACS to the archive: each step is proven by counts, and may be run again after any crash.

Where a study stands is read from the PACS, the spool and XNAT, never from memory.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion import ScanConverter
from trust_node.imaging.deid import CleanFile, DeidKeys, HeldFile, clean_files
from trust_node.imaging.nifti import ConversionError
from trust_node.imaging.pacs import InvalidAccessionError, Pacs, PacsError, StudyHit
from trust_node.imaging.spool import Spool
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.xnat import Xnat, XnatRefusedError, XnatUnreachableError
from trust_node.imaging.zipping import zip_files

FILES_PER_TASK = 16
PROGRESS_EVERY_S = 1.0
Report = Callable[[StudyState], Awaitable[None]]


class StudyFailedError(Exception):
    """Ends an import with a stable code; the text is the code."""

    def __init__(self, code: FailureCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class StudyOrder:
    """What to import: an accession number (never shown), the XNAT project's id, and whether to convert."""

    accession: str = field(repr=False)
    project: str
    to_nifti: bool = True


@dataclass(frozen=True, slots=True)
class Importer:
    """The parts that an import goes through; one for all studies of a trust.

    `pool` runs the de-identification, so that a big study doesn't stop the event loop; `work` is a folder for
    what is on its way. No two imports of the same accession number may run at once.
    """

    pacs: Pacs
    receiver_title: str
    spool: Spool
    keys: DeidKeys
    pool: Executor
    xnat: Xnat
    converter: ScanConverter
    work: Path

    async def import_study(self, order: StudyOrder, report: Report) -> StudyState:
        """Bring one study in and return where it ended: archived, converted, or failed with a code.

        `report` is awaited at each new state, the last one included. Errors of the program itself are raised.
        """
        passage = _Passage(self, order, report, StudyState(self.keys.request(order.accession)))
        try:
            await passage.run()
        except StudyFailedError as failed:
            await passage.reach(Step.FAILED, code=failed.code)
        return passage.state


@dataclass(slots=True)
class _Passage:
    """One study's way through the importer, and the state it has reached."""

    parts: Importer
    order: StudyOrder
    report: Report
    state: StudyState

    async def reach(self, step: Step, **changes: Any) -> None:
        self.state = replace(self.state, step=step, **changes)
        await self.report(self.state)

    async def run(self) -> None:
        hit = await self._find()
        session = self.parts.keys.study(hit.study_uid)
        self.state = replace(self.state, study=session, expected=hit.instances, matches=1)
        try:
            if not await self._is_archived(hit, session):
                await self._bring(hit)
                await self._archive(session, await self._deidentify(hit, session))
            await self._settle(hit, session)
        except ConversionError as error:
            raise StudyFailedError(error.code) from error
        except XnatUnreachableError as error:
            raise StudyFailedError(FailureCode.ARCHIVE_UNREACHABLE) from error
        except XnatRefusedError as error:
            raise StudyFailedError(FailureCode.ARCHIVE_REFUSED) from error
        finally:
            shutil.rmtree(self._folder(session), ignore_errors=True)

    async def _find(self) -> StudyHit:
        try:
            hits = await self.parts.pacs.find_studies(self.order.accession)
        except InvalidAccessionError as error:
            raise StudyFailedError(FailureCode.INVALID_ACCESSION) from error
        except PacsError as error:
            raise StudyFailedError(FailureCode.PACS_UNREACHABLE) from error
        self.state = replace(self.state, matches=len(hits))
        if not hits:
            raise StudyFailedError(FailureCode.NOT_IN_PACS)
        if len(hits) > 1:
            raise StudyFailedError(FailureCode.AMBIGUOUS_ACCESSION)
        return hits[0]

    async def _is_archived(self, hit: StudyHit, session: str) -> bool:
        """Tell whether an earlier run brought everything the PACS counts; its originals may still lie here."""
        held = len(self.parts.spool.held(hit.study_uid))
        archived = await self._archived_images(session)
        return hit.instances is not None and archived > 0 and archived + held >= hit.instances

    async def _archived_images(self, session: str) -> int:
        return (await self.parts.xnat.session_counts(self.order.project, session)).get("DICOM", 0)

    async def _bring(self, hit: StudyHit) -> None:
        count = self.parts.spool.count
        if hit.instances is None or count(hit.study_uid) < hit.instances:
            await self._move(hit)
        received = count(hit.study_uid)
        if received < (self.state.expected or 1):
            self.state = replace(self.state, received=received)
            raise StudyFailedError(FailureCode.INCOMPLETE)
        await self.reach(Step.RECEIVED, received=received)

    async def _move(self, hit: StudyHit) -> None:
        moving = asyncio.create_task(self.parts.pacs.move(hit.study_uid, self.parts.receiver_title))
        while not moving.done():
            await self.reach(Step.MOVING, received=self.parts.spool.count(hit.study_uid))
            await asyncio.wait({moving}, timeout=PROGRESS_EVERY_S)
        try:
            outcome = moving.result()
        except PacsError as error:
            raise StudyFailedError(FailureCode.PACS_UNREACHABLE) from error
        if outcome.refused:
            raise StudyFailedError(FailureCode.MOVE_REFUSED)
        if hit.instances is None:
            sent = outcome.completed + outcome.warning + outcome.failed
            self.state = replace(self.state, expected=sent)

    async def _deidentify(self, hit: StudyHit, session: str) -> list[CleanFile]:
        folder = self._folder(session) / "clean"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        results = await self._in_pool(self.parts.spool.files(hit.study_uid), folder)
        for result in results:
            if isinstance(result, HeldFile):
                self.parts.spool.hold(hit.study_uid, result.original, result.reason)
        clean = [result for result in results if isinstance(result, CleanFile)]
        subject = self._one_subject(clean, hit)
        await self.reach(Step.DEIDENTIFIED, subject=subject)
        return clean

    async def _in_pool(self, originals: list[Path], folder: Path) -> list[CleanFile | HeldFile]:
        loop = asyncio.get_running_loop()
        batches = [originals[i : i + FILES_PER_TASK] for i in range(0, len(originals), FILES_PER_TASK)]
        keys, pool = self.parts.keys, self.parts.pool
        done = await asyncio.gather(
            *(loop.run_in_executor(pool, clean_files, batch, folder, keys) for batch in batches)
        )
        return [result for batch in done for result in batch]

    def _one_subject(self, clean: list[CleanFile], hit: StudyHit) -> str:
        self._count_held(hit)
        if not clean:
            raise StudyFailedError(FailureCode.ALL_HELD)
        subjects = {file.subject for file in clean}
        if len(subjects) > 1:
            raise StudyFailedError(FailureCode.MIXED_PATIENTS)
        return subjects.pop()

    def _count_held(self, hit: StudyHit) -> None:
        reasons = Counter(file.parent.name for file in self.parts.spool.held(hit.study_uid))
        self.state = replace(self.state, held=dict(reasons))

    async def _archive(self, session: str, clean: list[CleanFile]) -> None:
        subject = clean[0].subject
        zipped = self._folder(session) / "dicom.zip"
        await asyncio.to_thread(zip_files, [file.path for file in clean], zipped)
        await self.parts.xnat.import_session(self.order.project, subject, session, zipped)
        if await self._archived_images(session) < len(clean):
            raise StudyFailedError(FailureCode.ARCHIVE_INCOMPLETE)

    async def _settle(self, hit: StudyHit, session: str) -> None:
        """Delete the originals, now that the archive is proven to hold what may leave, and convert."""
        self.parts.spool.discard(hit.study_uid)
        self._count_held(hit)
        await self.reach(Step.ARCHIVED, archived=await self._archived_images(session))
        if self.order.to_nifti:
            await self._convert(session)

    async def _convert(self, session: str) -> None:
        folder = self._folder(session)
        slices = await self.parts.converter.convert_session(self.order.project, session, folder)
        await self.reach(Step.CONVERTED, slices_in=slices.into, slices_out=slices.out)

    def _folder(self, session: str) -> Path:
        return self.parts.work / session
