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
class Images:
    """How much image a series holds: `frames` (slices) and their voxels."""

    frames: int
    voxels: int

    def frames_in(self, voxels: int) -> int:
        """Return how many of these frames make up `voxels`."""
        return self.frames * voxels // self.voxels if self.voxels else 0


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
        images = await asyncio.to_thread(count_images, dicom)
        if images.frames:
            await self._run(dicom, target, name)
        files = tuple(sorted(target.glob(f"{name}*")))
        voxels = sum(voxels_of(file) for file in files if _is_original(file))
        if voxels != images.voxels:
            raise ConversionError(FailureCode.SLICES_LOST)
        return Conversion(files, images.frames, images.frames_in(voxels))

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


def count_images(folder: Path) -> Images:
    """Count the image slices in the DICOM files of `folder`.

    Raises
    ------
    ConversionError
        For a mosaic: how its tiles lie stands only in private elements, which de-identification removes.
    """
    each = [_images(file) for file in sorted(folder.glob("*.dcm"))]
    return Images(sum(images.frames for images in each), sum(images.voxels for images in each))


def voxels_of(nifti: Path) -> int:
    """Return the voxels of all volumes in a `.nii.gz`.

    Voxels, because dcm2niix turns a sagittal or coronal 3D acquisition, and its slices leave the third axis.
    """
    with gzip.open(nifti) as file:
        header = file.read(HEADER_BYTES)
    order = "<" if header[:4] == struct.pack("<i", HEADER_BYTES) else ">"
    rank, *sizes = struct.unpack_from(f"{order}8h", header, DIMENSIONS_AT)
    return prod(sizes[:rank])


def converter_version(conversion: Conversion) -> str:
    """Return the version dcm2niix notes in the `.json` beside its output, empty if there is none."""
    notes = next((file for file in conversion.files if file.suffix == ".json"), None)
    return "" if notes is None else str(json.loads(notes.read_bytes()).get("ConversionSoftwareVersion", ""))


def _is_original(file: Path) -> bool:
    return file.name.endswith(".nii.gz") and not _RESAMPLED.search(file.name)


def _images(file: Path) -> Images:
    wanted = ["Rows", "Columns", "NumberOfFrames", "ImageType"]
    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=wanted)
    if "MOSAIC" in (header.get("ImageType") or ()):
        raise ConversionError(FailureCode.CONVERSION_FAILED)
    if not header.get("Rows"):
        return Images(0, 0)
    frames = int(header.get("NumberOfFrames") or 1)
    return Images(frames, frames * int(header.Rows) * int(header.Columns))
