"""Converts archived sessions scan by scan, from the archive and back into it."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion.converter import convert_series
from trust_node.imaging.conversion.dcm2niix import Dcm2niix
from trust_node.imaging.conversion.errors import ConversionError
from trust_node.imaging.conversion.outcome import Conversion
from trust_node.imaging.xnat import ArchivedFile, Xnat, scan_address
from trust_node.imaging.zipping import unzip_flat

NIFTI = "NIFTI"
# Stored last, so a scan that has it is converted whole; also its provenance.
RECORD = "conversion.json"


@dataclass(frozen=True, slots=True)
class Slices:
    """Image slices that went into a conversion and came out of it."""

    into: int
    out: int


@dataclass(frozen=True, slots=True)
class Converted:
    """What a project's sessions came to; `failed` gives a code by the label of each session that failed."""

    slices: Slices
    failed: Mapping[str, FailureCode]


@dataclass(frozen=True, slots=True)
class ScanConverter:
    """Adds a NIFTI resource to each scan of a session; what was converted before is left as it is."""

    xnat: Xnat
    dcm2niix: Dcm2niix

    async def convert_missing(self, project: str, work: Path) -> Converted:
        """Convert what is not yet converted in any session of an XNAT project, as when conversion is switched on."""
        slices, failed = [Slices(0, 0)], {}
        for session in await self.xnat.list_sessions(project):
            try:
                slices.append(await self.convert_session(project, session, work / session))
            except ConversionError as error:
                failed[session] = error.code
        return Converted(_sum(slices), failed)

    async def convert_session(self, project: str, session: str, work: Path) -> Slices:
        """Convert every scan and return the slices of all, those of earlier runs included.

        Raises
        ------
        ConversionError
            For the first scan that fails, once all others are converted.
        """
        files = await self.xnat.list_files(project, session)
        by_scan = {scan: [file for file in files if file.scan == scan] for scan in {f.scan for f in files}}
        done, failures = [], []
        for scan in sorted(by_scan):
            try:
                done.append(await self._scan(project, session, by_scan[scan], work))
            except ConversionError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return _sum(done)

    async def _scan(self, project: str, session: str, files: Sequence[ArchivedFile], work: Path) -> Slices:
        images = sum(file.resource == "DICOM" for file in files)
        earlier = await self._recorded(files, images)
        if earlier is not None or not images:
            return earlier or Slices(0, 0)
        address = f"{scan_address(project, session, files[0].scan)}/resources"
        folder = work / f"scan-{quote(files[0].scan, safe='')}"
        try:
            return await self._convert(address, folder, images, file_name(session, files[0].scan))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _convert(self, address: str, folder: Path, images: int, name: str) -> Slices:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "nifti").mkdir(parents=True)
        await self.xnat.download(f"{address}/DICOM/files", folder / "dicom.zip", format="zip")
        await asyncio.to_thread(unzip_flat, folder / "dicom.zip", folder / "dicom")
        conversion = await convert_series(self.dcm2niix, folder / "dicom", folder / "nifti", name)
        await self._store(address, conversion.files)
        await self.xnat.put_file(f"{address}/{NIFTI}/files/{RECORD}", _record(conversion, images))
        return Slices(conversion.slices_in, conversion.slices_out)

    async def _store(self, address: str, files: Iterable[Path]) -> None:
        for file in files:
            await self.xnat.put_file(f"{address}/{NIFTI}/files/{quote(file.name)}", file)

    async def _recorded(self, files: Sequence[ArchivedFile], images: int) -> Slices | None:
        """Return an earlier conversion's slices if it saw all the images that are there now."""
        record = next((file for file in files if file.resource == NIFTI and file.name == RECORD), None)
        if record is None:
            return None
        told = json.loads(await self.xnat.read_file(record.uri))
        return Slices(told["slices_in"], told["slices_out"]) if told["images"] == images else None


def file_name(session: str, scan: str) -> str:
    """Training code finds images as `input_*.nii.gz`; session and scan keep them apart in one folder."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"input_{session}_{scan}")


def _sum(slices: Iterable[Slices]) -> Slices:
    each = list(slices)
    return Slices(sum(one.into for one in each), sum(one.out for one in each))


def _record(conversion: Conversion, images: int) -> bytes:
    told = {
        "images": images,
        "slices_in": conversion.slices_in,
        "slices_out": conversion.slices_out,
        "files": [file.name for file in conversion.files],
        "converter": conversion.converter,
        "warnings": conversion.warnings,
    }
    return json.dumps(told, indent=2).encode()
