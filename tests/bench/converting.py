"""A hundred slices of real MR to `.nii.gz`, beside dcm2niix on the same files, and what compression costs."""

import asyncio
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console

from infra.demo.images import fetch_slices
from infra.federation import ROOT
from tests.bench.findings import Finding, load_now
from tests.bench.results import Measured, Result
from trust_node.imaging.conversion.converter import OURS, convert_series
from trust_node.imaging.conversion.dcm2niix import Dcm2niix
from trust_node.imaging.conversion.plain import as_volume
from trust_node.imaging.conversion.series import read_series

SERIES = "anonymiz-6"
SLICES = 100
RUNS = 5
AIM_S = 0.15
WAYS = (
    ("level 1", 1, zlib.Z_DEFAULT_STRATEGY),
    ("level 6", 6, zlib.Z_DEFAULT_STRATEGY),
    ("level 1, Huffman only", 1, zlib.Z_HUFFMAN_ONLY),
    ("level 1, run lengths (chosen)", 1, zlib.Z_RLE),
)


def measure(_console: Console) -> Result:
    slices = fetch_slices(ROOT / "build" / "cache") / SERIES
    with TemporaryDirectory() as folder:
        series, target = Path(folder) / "dicom", Path(folder) / "nifti"
        series.mkdir()
        target.mkdir()
        for file in sorted(slices.glob("*.dcm"))[:SLICES]:
            copy(file, series)
        load = load_now()
        ours, bare = _alternately(lambda: _ours(series, target), lambda: _theirs(series, target))
        what = f"{SLICES} slices of 512 x 512 MR to .nii.gz"
        return Result((Finding(what, ours, "s", AIM_S, bare, "dcm2niix -z i -1", load),), (_packing(series),))


def _alternately(ours: Callable[[], float], bare: Callable[[], float]) -> tuple[float, float]:
    """Return both medians, measured in turns, so that what else the machine does strikes both."""
    pairs = [(ours(), bare()) for _ in range(RUNS)]
    return median(mine for mine, _ in pairs), median(theirs for _, theirs in pairs)


def _ours(series: Path, target: Path) -> float:
    began = perf_counter()
    conversion = asyncio.run(convert_series(Dcm2niix.pinned(), series, target, "ours"))
    seconds = perf_counter() - began
    if (conversion.converter, conversion.slices_out) != (OURS, SLICES):
        raise RuntimeError("the series was not converted as a plain one")
    return seconds


def _theirs(series: Path, target: Path) -> float:
    options = ["-b", "y", "-z", "i", "-1", "-w", "1", "-f", "theirs", "-o", str(target), str(series)]
    began = perf_counter()
    subprocess.run([Dcm2niix.pinned().binary, *options], check=True, capture_output=True)
    return perf_counter() - began


def _packing(series: Path) -> Measured:
    volume = as_volume(read_series(series))
    if volume is None:
        raise RuntimeError("the series is not plain")
    content = volume.values.tobytes(order="F")
    text = f"The same {len(content) / 1e6:.0f} MB packed by zlib on one core, as parts of what stands above."
    rows = tuple((name, *_packed(content, level, strategy)) for name, level, strategy in WAYS)
    return Measured("Packing NIfTI", text, ("zlib", "seconds", "size"), rows)


def _packed(content: bytes, level: int, strategy: int) -> tuple[str, str]:
    began = perf_counter()
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    size = len(packer.compress(content)) + len(packer.flush())
    return f"{perf_counter() - began:.2f}", f"{size / len(content):.1%}"
