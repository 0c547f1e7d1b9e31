"""Small measurements on this machine that a check needs."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from statistics import median

from trust_node.checking.faults import Fault, FaultError

NAGLES_GAP_S = (0.035, 0.060)
FEWEST_GAPS = 10
ROOM_BYTES = 2**30
OLDEST_CONVERTER = 20220720
_VERSION = re.compile(r"v1\.0\.(\d{8})")
VERSION_S = 20.0


def waits_for_acknowledgements(arrivals: Iterable[float]) -> bool:
    """Tell whether images came (at these times, in seconds) as they do where each waits for a delayed ACK."""
    times = sorted(arrivals)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return len(gaps) >= FEWEST_GAPS and NAGLES_GAP_S[0] <= median(gaps) <= NAGLES_GAP_S[1]


def check_room(folder: Path) -> int:
    """Write to the folder and return the bytes that are free there.

    Raises
    ------
    OSError
        If it cannot be written.
    FaultError
        If less than a GiB is free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / "check.part"
    try:
        with probe.open("wb") as file:
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)
    free = shutil.disk_usage(folder).free
    if free < ROOM_BYTES:
        raise FaultError(Fault.DISK_FULL, f"{free / 2**20:.0f} MiB free")
    return free


async def converter_version(binary: str) -> str:
    """Return dcm2niix's version, `v1.0.20260724`.

    Raises
    ------
    FaultError
        If it does not run, or is too old to be trusted.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            binary, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await asyncio.wait_for(process.communicate(), VERSION_S)
    except (OSError, TimeoutError) as error:
        raise FaultError(Fault.CONVERTER_MISSING, type(error).__name__) from None
    found = _VERSION.search(said.decode(errors="replace"))
    if found is None or int(found[1]) < OLDEST_CONVERTER:
        raise FaultError(Fault.CONVERTER_OLD, found[0] if found else "no version")
    return found[0]
