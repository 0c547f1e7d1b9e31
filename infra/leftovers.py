"""Processes that an earlier run of this build folder left behind, when its supervisord was killed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.environment import RUN_MARK

TERM_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    command: str


def leftovers(run: Path) -> list[Process]:
    """Return the live processes that belong to this run folder and to no other."""
    return [Process(pid, _command(pid)) for pid in _pids() if pid != os.getpid() and _belongs(pid, run)]


def end_leftovers(run: Path) -> list[Process]:
    """End them, politely at first; return what was found.

    Raises
    ------
    RuntimeError
        Some are still there: they belong to another user, or hang in the kernel.
    """
    found = leftovers(run)
    _signal_all(found, signal.SIGTERM)
    if _remain(run, TERM_TIMEOUT_S):
        _signal_all(leftovers(run), signal.SIGKILL)
        if left := _remain(run, TERM_TIMEOUT_S):
            raise RuntimeError(f"these processes of an earlier run cannot be ended: {left}")
    return found


def _belongs(pid: int, run: Path) -> bool:
    """Judge by the mark we put into the environment, or, where a process overwrote that, by folder and command line."""
    with suppress(OSError):
        if f"{RUN_MARK}={run}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return True
        command, folder = _command(pid), Path(f"/proc/{pid}/cwd").readlink()
        is_part = folder.is_relative_to(run) and str(run) in command
        return is_part or command.endswith(f"supervisor.supervisord -c {run}/supervisord.conf")
    return False


def _remain(run: Path, timeout_s: float) -> list[Process]:
    give_up = time.monotonic() + timeout_s
    while (left := leftovers(run)) and time.monotonic() < give_up:
        time.sleep(0.1)
    return left


def _signal_all(processes: list[Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""
