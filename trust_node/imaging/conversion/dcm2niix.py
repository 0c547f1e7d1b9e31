"""dcm2niix, pinned: the binary of the Python package, never an older one that happens to be on the path."""

import asyncio
import importlib.util
import json
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion.errors import ConversionError
from trust_node.imaging.conversion.outcome import Conversion, is_original, voxels_of
from trust_node.imaging.conversion.series import Images

SAID_BYTES = 1 << 20
WARNINGS = 50
WARNING_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Dcm2niix:
    """The converter on this machine; `timeout_s` bounds one series."""

    binary: str
    timeout_s: float = 300.0

    @classmethod
    def pinned(cls, timeout_s: float = 300.0) -> "Dcm2niix":
        """Find the binary of the package dcm2niix: builds that distributions carry have lost slices silently.

        Raises
        ------
        FileNotFoundError
            If it is not installed.
        """
        package = importlib.util.find_spec("dcm2niix")
        binary = Path(package.origin).parent / "dcm2niix" if package and package.origin else None
        if binary is None or not binary.exists():
            raise FileNotFoundError("dcm2niix: its Python package has no binary here, install the pinned requirements")
        return cls(str(binary), timeout_s)

    async def convert(self, dicom: Path, images: Images, target: Path, name: str) -> Conversion:
        """Convert the one series in `dicom` to `target/name*.nii.gz`; nothing is written if it has no images.

        Raises
        ------
        ConversionError
            `conversion_failed`, `conversion_timed_out`, or `slices_lost` when the counts differ.
        """
        said = await self._run(dicom, target, name) if images.frames else ""
        files = tuple(sorted(target.glob(f"{name}*")))
        voxels = sum(voxels_of(file) for file in files if is_original(file))
        if voxels != images.voxels:
            raise ConversionError(FailureCode.SLICES_LOST)
        return Conversion(files, images.frames, images.frames_in(voxels), _version(files), warnings_in(said))

    async def _run(self, dicom: Path, target: Path, name: str) -> str:
        options = ["-b", "y", "-z", "i", "-1", "-w", "1", "-f", name.replace("%", "_"), "-o", str(target)]
        process = await asyncio.create_subprocess_exec(self.binary, *options, str(dicom), stdout=PIPE, stderr=STDOUT)
        try:
            said = await asyncio.wait_for(_said(process), self.timeout_s)
            status = await process.wait()
        except TimeoutError:
            raise ConversionError(FailureCode.CONVERSION_TIMED_OUT) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()  # it ends only once its pipe is read to the end
        if status != 0:
            raise ConversionError(FailureCode.CONVERSION_FAILED, status)
        return said


async def _said(process: asyncio.subprocess.Process) -> str:
    """Keep the first MiB of what it prints, and read the rest so that it never blocks."""
    assert process.stdout is not None  # noqa: S101  the pipe was asked for
    kept = b""
    while piece := await process.stdout.read(1 << 16):
        kept += piece[: SAID_BYTES - len(kept)]
    return kept.decode(errors="replace")


def warnings_in(said: str) -> tuple[str, ...]:
    """Return dcm2niix's warnings, each once, bounded in number and length."""
    lines = (line.strip()[:WARNING_CHARACTERS] for line in said.splitlines() if line.startswith("Warning"))
    return tuple(dict.fromkeys(lines))[:WARNINGS]


def _version(files: Sequence[Path]) -> str:
    """Return the version that dcm2niix notes in the `.json` beside its output."""
    notes = next((file for file in files if file.suffix == ".json"), None)
    told = "" if notes is None else str(json.loads(notes.read_bytes()).get("ConversionSoftwareVersion", ""))
    return f"dcm2niix {told}".strip()
