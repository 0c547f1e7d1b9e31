"""DICOM series to NIfTI by dcm2niix, believed only when as many slices come out as went in."""

import asyncio
import gzip
import json
import re
import shutil
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

import pydicom

from trust_node.imaging.codes import FailureCode

HEADER_BYTES = 348  # NIfTI-1
DIMENSIONS_AT = 40
# Copies that dcm2niix resamples beside the original, for gantry tilt and uneven spacing.
_RESAMPLED = re.compile(r"_(Tilt|Eq)(_\d+)?\.nii\.gz$")


class ConversionError(Exception):
    """A series that did not become NIfTI; `exit_status` is dcm2niix's own, None if it was not run or killed."""

    def __init__(self, code: FailureCode, exit_status: int | None = None) -> None:
        super().__init__(code.value if exit_status is None else f"{code.value}: dcm2niix exits {exit_status}")
        self.code = code
        self.exit_status = exit_status


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a series became: `.nii.gz` files with their `.json`, and the slices counted on both sides."""

    files: tuple[Path, ...]
    slices_in: int
    slices_out: int


@dataclass(frozen=True, slots=True)
class Dcm2niix:
    """The converter on this machine; `timeout_s` bounds one series."""

    binary: str
    timeout_s: float = 300.0

    @classmethod
    def on_path(cls, timeout_s: float = 300.0) -> "Dcm2niix":
        """Find dcm2niix.

        Raises
        ------
        FileNotFoundError
            If it is not installed.
        """
        binary = shutil.which("dcm2niix")
        if binary is None:
            raise FileNotFoundError("dcm2niix is not on PATH: install the package dcm2niix")
        return cls(binary, timeout_s)

    async def convert(self, dicom: Path, target: Path, name: str) -> Conversion:
        """Convert the one series in `dicom` to `target/name*.nii.gz`; nothing is written if it has no images.

        Raises
        ------
        ConversionError
            `conversion_failed`, `conversion_timed_out`, or `slices_lost` when the counts differ.
        """
        slices_in = await asyncio.to_thread(count_frames, dicom)
        if slices_in:
            await self._run(dicom, target, name)
        files = tuple(sorted(target.glob(f"{name}*")))
        slices_out = sum(slices_of(file) for file in files if _is_original(file))
        if slices_out != slices_in:
            raise ConversionError(FailureCode.SLICES_LOST)
        return Conversion(files, slices_in, slices_out)

    async def _run(self, dicom: Path, target: Path, name: str) -> None:
        options = ["-b", "y", "-z", "i", "-1", "-w", "1", "-f", name.replace("%", "_"), "-o", str(target)]
        process = await asyncio.create_subprocess_exec(
            self.binary, *options, str(dicom), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            status = await asyncio.wait_for(process.wait(), self.timeout_s)
        except TimeoutError:
            raise ConversionError(FailureCode.CONVERSION_TIMED_OUT) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status != 0:
            raise ConversionError(FailureCode.CONVERSION_FAILED, status)


def count_frames(folder: Path) -> int:
    """Return how many image slices the DICOM files in `folder` hold.

    Raises
    ------
    ConversionError
        For a mosaic: how its tiles lie stands only in private elements, which de-identification removes.
    """
    return sum(_frames(file) for file in sorted(folder.glob("*.dcm")))


def slices_of(nifti: Path) -> int:
    """Return the slices of all volumes in a `.nii.gz`: the product of its dimensions from the third on."""
    with gzip.open(nifti) as file:
        header = file.read(HEADER_BYTES)
    order = "<" if header[:4] == struct.pack("<i", HEADER_BYTES) else ">"
    rank, *sizes = struct.unpack_from(f"{order}8h", header, DIMENSIONS_AT)
    return prod(sizes[2:rank])


def converter_version(conversion: Conversion) -> str:
    """Return the version dcm2niix notes in the `.json` beside its output, empty if there is none."""
    notes = next((file for file in conversion.files if file.suffix == ".json"), None)
    return "" if notes is None else str(json.loads(notes.read_bytes()).get("ConversionSoftwareVersion", ""))


def _is_original(file: Path) -> bool:
    return file.name.endswith(".nii.gz") and not _RESAMPLED.search(file.name)


def _frames(file: Path) -> int:
    wanted = ["Rows", "NumberOfFrames", "ImageType"]
    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=wanted)
    if "MOSAIC" in (header.get("ImageType") or ()):
        raise ConversionError(FailureCode.CONVERSION_FAILED)
    return int(header.get("NumberOfFrames") or 1) if header.get("Rows") else 0
