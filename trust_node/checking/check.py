"""The way of one study through everything that an import needs, step by step, and nothing left behind."""

import asyncio
import hashlib
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from trust_node.checking.faults import Fault, FaultError
from trust_node.checking.findings import Finding, SkippedError, Step, Told, taken
from trust_node.checking.measuring import check_room, converter_version, waits_for_acknowledgements
from trust_node.imaging.conversion import Dcm2niix
from trust_node.imaging.conversion.converter import convert_series
from trust_node.imaging.deid import CleanFile, DeidKeys, HeldFile, clean_file
from trust_node.imaging.pacs import Pacs, StudyHit, open_pacs
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.spool import Spool
from trust_node.imaging.xnat import Xnat
from trust_node.imaging.zipping import zip_files
from trust_node.settings import Settings

NO_IMAGE = "no image to go on with"


@dataclass(slots=True)
class Check:
    """`accession` names the study to bring; without it the steps that need an image are skipped.

    Images lie in a folder of their own in the node's data folder, and in a project of their own in XNAT; both go at
    the end. The spool and the database of a running node are not touched.
    """

    settings: Settings
    accession: str | None = field(default=None, repr=False)
    dcm2niix: Dcm2niix | None = None
    _folder: Path = field(init=False)
    _answers: bool = field(default=False, init=False)
    _hit: StudyHit | None = field(default=None, init=False, repr=False)
    _originals: Sequence[Path] = field(default=(), init=False)
    _clean: CleanFile | None = field(default=None, init=False)
    _archived: bool = field(default=False, init=False)

    async def findings(self) -> AsyncIterator[Finding]:
        """Take the steps one after the other and yield each one's finding."""
        room = await taken("disk", self._disk)
        yield room
        if room.fault:
            return
        self._folder = Path(tempfile.mkdtemp(prefix="check-", dir=self.settings.data_directory))
        try:
            for name, step in self._before_xnat():
                yield await taken(name, step)
            async for finding in self._in_xnat():
                yield finding
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _before_xnat(self) -> list[tuple[str, Step]]:
        return [
            ("echo", self._echo),
            ("find", self._find),
            ("bring", self._bring),
            ("de-identify", self._deidentify),
            ("dcm2niix", self._converter),
            ("convert", self._convert),
        ]

    async def _disk(self) -> Told:
        free = await asyncio.to_thread(check_room, self.settings.data_directory)
        return Told(f"{free / 2**30:.0f} GiB free")

    @property
    def _pacs(self) -> Pacs:
        return open_pacs(self.settings, self._spool)

    @property
    def _spool(self) -> Spool:
        return Spool(self._folder / "spool")

    async def _echo(self) -> Told:
        await self._pacs.echo()
        self._answers = True
        return Told(f"the PACS answers, way: {self.settings.pacs_way}")

    async def _find(self) -> Told:
        if self.accession is None or not self._answers:
            raise SkippedError("the PACS does not answer" if self.accession else "name a study to bring: --accession")
        hits = await self._pacs.find_studies(self.accession)
        if not hits:
            raise FaultError(Fault.NOT_IN_PACS)
        self._hit = hits[0]
        return Told(f"{len(hits)} studies, the first with {_or_unknown(self._hit.instances)} images")

    async def _bring(self) -> Told:
        if self._hit is None:
            raise SkippedError("no study to bring")
        with self._receiver():
            outcome = await self._pacs.retrieve(self._hit)
        if outcome.trouble:
            raise FaultError(outcome.trouble, f"status 0x{outcome.status:04X}")
        self._originals = self._spool.files(self._hit.study_uid)
        come, wanted = len(self._originals), self._hit.instances or outcome.completed + outcome.warning
        if come < max(wanted, 1):
            raise FaultError(Fault.INCOMPLETE, f"{come} of {wanted} images, status 0x{outcome.status:04X}")
        slow = waits_for_acknowledgements(file.stat().st_mtime for file in self._originals)
        return Told(f"{come} of {wanted} images", Fault.NAGLE if slow else None)

    def _receiver(self) -> AbstractContextManager[object]:
        """Only C-MOVE needs one; where the node runs, the port is its own."""
        if self.settings.pacs_way != "move":
            return nullcontext()
        told = self.settings
        return Receiver(self._spool, told.receiver_title, told.receiver_host, told.receiver_port, (told.pacs_title,))

    async def _deidentify(self) -> Told:
        if not self._originals:
            raise SkippedError(NO_IMAGE)
        folder = self._folder / "clean"
        folder.mkdir()
        result = await asyncio.to_thread(clean_file, self._originals[0], folder, DeidKeys(self.settings.trust_key))
        if isinstance(result, HeldFile):
            raise FaultError(Fault.HELD, str(result.reason.value))
        self._clean = result
        return Told("one image")

    async def _converter(self) -> Told:
        try:
            self.dcm2niix = self.dcm2niix or Dcm2niix.pinned()
        except FileNotFoundError:
            raise FaultError(Fault.CONVERTER_MISSING) from None
        return Told(await converter_version(self.dcm2niix.binary))

    async def _convert(self) -> Told:
        if self._clean is None or self.dcm2niix is None:
            raise SkippedError(NO_IMAGE)
        target = self._folder / "nifti"
        target.mkdir()
        made = await convert_series(self.dcm2niix, self._clean.path.parent, target, "check")
        return Told(f"{made.slices_out} of {made.slices_in} slices")

    async def _in_xnat(self) -> AsyncIterator[Finding]:
        told = self.settings
        name = f"node-check-{uuid.uuid4()}"
        async with Xnat(told.xnat_url, told.xnat_user, told.xnat_password, attempts=2) as xnat:
            project = _Project(xnat, name)
            yield await taken("xnat", project.make)
            try:
                yield await taken("archive", lambda: self._archive(project))
                yield await taken("read back", lambda: self._read_back(project))
            finally:
                if project.made:
                    yield await taken("tidy up", project.delete)

    async def _archive(self, project: "_Project") -> Told:
        if self._clean is None or project.made is None:
            raise SkippedError(NO_IMAGE if project.made else "no project to archive in")
        zipped = await asyncio.to_thread(zip_files, [self._clean.path], self._folder / "check.zip")
        await project.xnat.import_session(project.made, self._clean.subject, self._clean.study, zipped)
        self._archived = True
        return Told("one image")

    async def _read_back(self, project: "_Project") -> Told:
        if self._clean is None or project.made is None or not self._archived:
            raise SkippedError("nothing was archived")
        files = await project.xnat.list_files(project.made, self._clean.study)
        images = [file for file in files if file.resource == "DICOM"]
        if len(images) != 1:
            raise FaultError(Fault.READ_BACK_DIFFERS, f"{len(images)} images for one")
        back = await project.xnat.read_file(images[0].uri)
        if hashlib.sha256(back).digest() != hashlib.sha256(self._clean.path.read_bytes()).digest():
            raise FaultError(Fault.READ_BACK_DIFFERS)
        return Told("the same bytes")


@dataclass(slots=True)
class _Project:
    """The check's own project in XNAT; `made` is its id once it is there."""

    xnat: Xnat
    name: str
    made: str | None = None

    async def make(self) -> Told:
        self.made = await self.xnat.ensure_project(self.name, "Node check")
        return Told("logged in, a project for the check made")

    async def delete(self) -> Told:
        if self.made:
            await self.xnat.delete_project(self.made)
        return Told("the project of the check is gone")


def _or_unknown(count: int | None) -> str:
    return "an unknown number of" if count is None else str(count)
