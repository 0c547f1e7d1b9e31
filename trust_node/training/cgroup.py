"""Memory and process limits for a whole sandbox, where the node may make control groups (cgroups(7), v1 and v2)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One group: a folder for each controller in v1, a single folder in v2."""

    folders: tuple[Path, ...]

    def enter(self) -> list[str]:
        """Return a prefix of a command line: the shell enters the group, then becomes the command."""
        files = [str(folder / "cgroup.procs") for folder in self.folders]
        script = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"'
        return ["/bin/sh", "-c", script, "cgroup", *files, "--"]


@contextmanager
def cgroup(name: str, *, memory: int, processes: int) -> Iterator[Cgroup | None]:
    """Make a group with limits in bytes and processes; None where this machine does not let us.

    Leaving may block for up to a second.
    """
    made = _made(name, memory, processes)
    try:
        yield made
    finally:
        for folder in made.folders if made else ():
            _remove(folder)


def _made(name: str, memory: int, processes: int) -> Cgroup | None:
    limits = _limits(name, memory, processes)
    try:
        for file, value in limits.items():
            file.parent.mkdir(exist_ok=True)
            file.write_text(str(value))
    except OSError:
        return None
    return Cgroup(tuple(dict.fromkeys(file.parent for file in limits)))


def _remove(folder: Path) -> None:
    """Wait at most a second for killed processes to be torn down; a group left behind is empty and costs nothing."""
    for _ in range(100):
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.01)


def _limits(name: str, memory: int, processes: int) -> dict[Path, int]:
    if (ROOT / "cgroup.controllers").exists():
        return {ROOT / name / "memory.max": memory, ROOT / name / "pids.max": processes}
    own = _own_groups(OWN.read_text())
    return {
        ROOT / "memory" / own.get("memory", "") / name / "memory.limit_in_bytes": memory,
        ROOT / "pids" / own.get("pids", "") / name / "pids.max": processes,
    }


def _own_groups(listing: str) -> dict[str, str]:
    """Read ``4:memory:/some/group`` lines: the group of this process by v1 controller."""
    lines = (line.split(":", 2) for line in listing.splitlines())
    return {controller: path.strip("/") for _, names, path in lines for controller in names.split(",")}
