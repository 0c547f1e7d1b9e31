"""A study's files into a session, so that sending them twice changes nothing."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pydicom

from trust_node.imaging.xnat.client import Xnat, scan_address
from trust_node.imaging.xnat.errors import XnatRefusedError
from trust_node.imaging.zipping import zip_files

PARALLEL = 4
NO_ZIPS = {
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.NOT_IMPLEMENTED,
}
_TAGS = ["SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality"]
_KINDS = {"CT": "ct", "MR": "mr", "PT": "pet", "CR": "cr", "DX": "dx", "US": "us", "MG": "mg", "XA": "xa", "NM": "nm"}


@dataclass(frozen=True, slots=True)
class Destination:
    """An XNAT project's id and the labels of a subject and a session in it."""

    project: str
    subject: str
    session: str


@dataclass(frozen=True, slots=True)
class Sent:
    """Files that were sent now, and those that were there already, byte for byte."""

    sent: int
    already: int
    by: Literal["zip", "files", "nothing"]


@dataclass(frozen=True, slots=True)
class _Image:
    file: Path
    instance: str
    series: str
    number: str
    description: str
    modality: str


async def send_study(xnat: Xnat, to: Destination, files: Sequence[Path], work: Path) -> Sent:
    """Bring the DICOM files of one study into a session, by one stored zip, or one by one if XNAT takes no zips.

    What XNAT holds already with the same MD5 is not sent again; `work` is a folder for the zip.

    Raises
    ------
    PrearchivedError
        When the session ended in the prearchive.
    """
    there = {file.digest for file in await xnat.list_files(to.project, to.session) if file.resource == "DICOM"}
    missing = await asyncio.to_thread(lambda: [file for file in files if _md5(file) not in there])
    if not missing:
        return Sent(0, len(files), "nothing")
    by: Literal["zip", "files"] = "zip" if await _zipped(xnat, to, missing, work) else "files"
    if by == "files":
        await _one_by_one(xnat, to, missing)
    return Sent(len(missing), len(files) - len(missing), by)


async def _zipped(xnat: Xnat, to: Destination, files: Iterable[Path], work: Path) -> bool:
    """Send a zip; return False where XNAT takes none."""
    packed = await asyncio.to_thread(zip_files, files, work / "dicom.zip")
    try:
        await xnat.import_session(to.project, to.subject, to.session, packed)
    except XnatRefusedError as refused:
        if refused.status not in NO_ZIPS:
            raise
        return False
    finally:
        packed.unlink()
    return True


async def _one_by_one(xnat: Xnat, to: Destination, files: Iterable[Path]) -> None:
    images = await asyncio.to_thread(lambda: [_read(file) for file in files])
    scans = scan_ids(images)
    await _lay_out(xnat, to, images, scans)
    gate = asyncio.Semaphore(PARALLEL)

    async def put(image: _Image) -> None:
        address = scan_address(to.project, to.session, scans[image.series])
        async with gate:
            await xnat.put_file(f"{address}/resources/DICOM/files/{image.instance}.dcm", image.file)

    await asyncio.gather(*(put(image) for image in images))


async def _lay_out(xnat: Xnat, to: Destination, images: Sequence[_Image], scans: Mapping[str, str]) -> None:
    """Make subject, session, scans and their DICOM resources; XNAT answers 200 for what is there."""
    subject = f"/data/projects/{quote(to.project)}/subjects/{quote(to.subject)}"
    kind = _KINDS.get(images[0].modality, "otherDicom")
    await xnat.wire.send("PUT", subject)
    await xnat.wire.send("PUT", f"{subject}/experiments/{quote(to.session)}", {"xsiType": f"xnat:{kind}SessionData"})
    for image in {image.series: image for image in images}.values():
        fields = {"xsiType": f"xnat:{kind}ScanData", f"xnat:{kind}ScanData/type": image.description}
        address = scan_address(to.project, to.session, scans[image.series])
        await xnat.wire.send("PUT", address, fields)
        await xnat.wire.send("PUT", f"{address}/resources/DICOM", {"format": "DICOM", "content": "RAW"})


def scan_ids(images: Iterable[_Image]) -> dict[str, str]:
    """Return a scan's id by its series: the series' number, told apart when two series share it."""
    taken: dict[str, str] = {}
    for image in sorted(images, key=lambda image: image.series):
        if image.series not in taken:
            same = sum(taken_id.split("-")[0] == image.number for taken_id in taken.values())
            taken[image.series] = image.number if not same else f"{image.number}-{image.modality}{same}"
    return taken


def _read(file: Path) -> _Image:
    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)
    return _Image(
        file,
        str(header.SOPInstanceUID),
        str(header.SeriesInstanceUID),
        str(header.get("SeriesNumber") or 0),
        str(header.get("SeriesDescription") or header.get("Modality") or "unknown"),
        str(header.get("Modality") or "OT"),
    )


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
