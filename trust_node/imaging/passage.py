"""One study's way through the importer's parts, step by step, each within its time."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trust_node.imaging.cleaning import clean_study, keep_for_review
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.content import Content
from trust_node.imaging.deid import CleanFile, DeidPlan
from trust_node.imaging.failing import StudyFailedError, coded
from trust_node.imaging.pacs import SeveralStudies, SeveralStudiesError, StudyHit, Trouble, choose
from trust_node.imaging.states import Step, StudyState
from trust_node.imaging.study import Found, Importer, Journal, StudyOrder
from trust_node.imaging.xnat import session_address
from trust_node.imaging.xnat.sending import Destination, send_study

REPORT = "DEID/files/report.json"
"""Beside the study's scans: what was done to its elements, and by which rule."""
NOT_FOR_US = frozenset({Trouble.DESTINATION_UNKNOWN, Trouble.NOT_ALLOWED})
"""The PACS sends us nothing at all; whatever else it says of a retrieval, what has arrived is counted."""


async def import_study(parts: Importer, order: StudyOrder, journal: Journal) -> StudyState:
    """Bring in what an accession number leads to and return where it ended: archived, converted, or failed with a code.

    Each new state is told to the journal, the last one included. Errors of the program itself are raised.
    """
    passage = _Passage(parts, order, journal, StudyState(parts.keys.request(order.accession)))
    try:
        with coded():
            await passage.run()
    except StudyFailedError as failed:
        if await passage.reach(Step.FAILED, code=failed.code):
            passage.drop_partial()
    finally:
        passage.sweep()
    return passage.state


@dataclass(slots=True)
class _Parcel:
    """One study on its way; ``session`` is its pseudonym."""

    hit: StudyHit
    session: str
    originals: list[Path] = field(default_factory=list)
    clean: list[CleanFile] = field(default_factory=list)
    report: bytes = b""


@dataclass(slots=True)
class _Passage:
    """An order's way, and the state it has reached."""

    parts: Importer
    order: StudyOrder
    journal: Journal
    state: StudyState
    parcels: list[_Parcel] = field(default_factory=list)

    async def reach(self, step: Step, **changes: Any) -> bool:
        self.state = replace(self.state, step=step, **changes)
        return await self.journal.tell(self.state)

    async def run(self) -> None:
        plan = self.parts.plan(self.order.wish, self.order.archive)
        async with self._in_time():
            await self._find()
        with ExitStack() as stack:
            for parcel in self.parcels:
                stack.enter_context(self.parts.content.using(parcel.session))
            async with self._in_time():
                missing = [parcel for parcel in self.parcels if self.order.fresh or not await self._is_archived(parcel)]
            if missing:
                await self._bring_in(missing, plan)
            await self._settle()

    def drop_partial(self) -> None:
        """What came of a study that failed for good stays nowhere; before that, the next attempt goes on with it."""
        for parcel in self.parcels:
            self.parts.spool.discard(parcel.hit.study_uid)

    def sweep(self) -> None:
        for parcel in self.parcels:
            shutil.rmtree(self._folder(parcel), ignore_errors=True)

    @asynccontextmanager
    async def _in_time(self, code: FailureCode = FailureCode.STEP_TIMED_OUT) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.parts.step_s):
                yield
        except TimeoutError as late:
            raise StudyFailedError(code) from late

    async def _find(self) -> None:
        hits = await self.parts.pacs.find_studies(self.order.accession)
        self.state = replace(self.state, matches=len(hits))
        chosen = self._chosen(hits)
        await self.journal.found(
            Found(self.parts.keys.study(hit.study_uid), hit.instances, hit in chosen) for hit in hits
        )
        if not chosen:
            raise StudyFailedError(FailureCode.AMBIGUOUS_ACCESSION if hits else FailureCode.NOT_IN_PACS)
        self.parcels = [_Parcel(hit, self.parts.keys.study(hit.study_uid)) for hit in chosen]
        counts = [hit.instances for hit in chosen]
        self.state = replace(
            self.state,
            sessions=tuple(parcel.session for parcel in self.parcels),
            expected=None if None in counts else sum(filter(None, counts)),
        )
        if 0 in counts:
            raise StudyFailedError(FailureCode.EMPTY)

    def _chosen(self, hits: Sequence[StudyHit]) -> Sequence[StudyHit]:
        try:
            return choose(hits, SeveralStudies(self.order.several))
        except SeveralStudiesError:
            return ()

    async def _is_archived(self, parcel: _Parcel) -> bool:
        """Tell whether an earlier run brought everything the PACS counts, but for what waits or was rejected."""
        if parcel.hit.instances is None:
            return False
        reviewed = await self.journal.reviewed(parcel.session)
        withheld = {*await self.journal.waiting(parcel.session), *reviewed.rejected}
        archived = await self._archived_images(parcel)
        return archived > 0 and archived + len(withheld) >= parcel.hit.instances

    async def _archived_images(self, parcel: _Parcel) -> int:
        return (await self.parts.xnat.session_counts(self.order.archive, parcel.session)).get("DICOM", 0)

    async def _bring_in(self, parcels: Sequence[_Parcel], plan: DeidPlan) -> None:
        for parcel in parcels:
            await self._bring(parcel)
        await self.reach(Step.RECEIVED, received=sum(len(parcel.originals) for parcel in parcels))
        async with self._in_time(FailureCode.CLEANING_TIMED_OUT):
            await self._clean(parcels, plan)
        await self.reach(Step.DEIDENTIFIED)
        for parcel in parcels:
            async with self._in_time():
                await self._archive(parcel)

    async def _bring(self, parcel: _Parcel) -> None:
        if self.order.fresh:
            self.parts.content.forget(parcel.session)
            self.parts.spool.discard(parcel.hit.study_uid)
            await self.parts.xnat.delete_session(self.order.archive, parcel.session)
        async with self.parts.storing:
            content = await asyncio.to_thread(self.parts.content.use, parcel.session, self.order.project)
        if content is None or len(content.files) < (parcel.hit.instances or 1):
            async with self._in_time():
                await self._fetch(parcel)
            content = await self._adopt(parcel)
        self.parts.spool.discard(parcel.hit.study_uid)
        parcel.originals = content.files

    async def _adopt(self, parcel: _Parcel) -> Content:
        files = self.parts.spool.files(parcel.hit.study_uid)
        async with self.parts.storing:
            return await asyncio.to_thread(self.parts.content.adopt, parcel.session, files, self.order.project)

    async def _fetch(self, parcel: _Parcel) -> None:
        uid, count = parcel.hit.study_uid, self.parts.spool.count
        expected = parcel.hit.instances
        if expected is None or count(uid) < expected:
            sent = await self._move(parcel)
            expected = sent if expected is None else expected
        received = count(uid)
        if received < (expected or 1):
            self.state = replace(self.state, received=received)
            raise StudyFailedError(FailureCode.INCOMPLETE)

    async def _move(self, parcel: _Parcel) -> int:
        """Have the study sent; return how many images the PACS says it had to send."""
        await self.reach(Step.MOVING, received=self.parts.spool.count(parcel.hit.study_uid))
        outcome = await self.parts.pacs.retrieve(parcel.hit)
        if outcome.trouble in NOT_FOR_US:
            raise StudyFailedError(FailureCode.MOVE_REFUSED)
        return outcome.completed + outcome.warning + outcome.failed

    async def _clean(self, parcels: Sequence[_Parcel], plan: DeidPlan) -> None:
        for parcel in parcels:
            folder = self._folder(parcel) / "clean"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            reviewed = await self.journal.reviewed(parcel.session)
            cleaned = await clean_study(self.parts.pool, plan, parcel.originals, folder, reviewed)
            parcel.clean, parcel.report = cleaned.clean, cleaned.report
            await self.journal.hold(parcel.session, cleaned.held)
        await self._count_held()
        self._check_patients()

    def _check_patients(self) -> None:
        subjects = {file.subject for parcel in self.parcels for file in parcel.clean}
        if len(subjects) > 1:
            raise StudyFailedError(FailureCode.MIXED_PATIENTS)
        if not subjects and not self.state.held:
            raise StudyFailedError(FailureCode.ALL_REJECTED)

    async def _count_held(self) -> None:
        held: Counter[str] = Counter()
        for parcel in self.parcels:
            waiting = await self.journal.waiting(parcel.session)
            await keep_for_review(self.parts, self.order.project, parcel.session, waits=bool(waiting))
            held.update(waiting.values())
        self.state = replace(self.state, held=dict(held))

    async def _archive(self, parcel: _Parcel) -> None:
        if not parcel.clean:
            return
        to = Destination(self.order.archive, parcel.clean[0].subject, parcel.session)
        await send_study(self.parts.xnat, to, [file.path for file in parcel.clean], self._folder(parcel))
        if await self._archived_images(parcel) < len(parcel.clean):
            raise StudyFailedError(FailureCode.ARCHIVE_INCOMPLETE)
        address = f"{session_address(to.project, to.session)}/resources/{REPORT}"
        await self.parts.xnat.put_file(address, parcel.report)

    async def _settle(self) -> None:
        """Tell what the archive holds now, and convert it."""
        async with self._in_time():
            await self._count_held()
            archived = sum([await self._archived_images(parcel) for parcel in self.parcels])
        await self.reach(Step.ARCHIVED, archived=archived)
        if self.order.to_nifti and archived:
            async with self._in_time():
                await self._convert()

    async def _convert(self) -> None:
        slices_in = slices_out = 0
        for parcel in self.parcels:
            slices = await self.parts.converter.convert_session(
                self.order.archive, parcel.session, self._folder(parcel)
            )
            slices_in, slices_out = slices_in + slices.into, slices_out + slices.out
        await self.reach(Step.CONVERTED, slices_in=slices_in, slices_out=slices_out)

    def _folder(self, parcel: _Parcel) -> Path:
        return self.parts.work / parcel.session
