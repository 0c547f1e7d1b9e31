"""The wall around training code: what the sandbox sees, what it may use, and which wall this machine has.

One bubblewrap process gives own user, process, network, IPC, host and cgroup namespaces, no capabilities and a
read-only tree of nothing but an interpreter, the bundle, the data and the models. Limits come from rlimits, and from
cgroups where the node may make them (root is exempt from the process limit among rlimits).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from trust_node.training.cgroup import Cgroup

SDK = Path(__file__).parent / "sdk"

Isolation = Literal["bubblewrap+cgroup", "bubblewrap", "none"]

NAMESPACES = (
    "--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000",
    "--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox",
)  # fmt: skip


class SandboxUnavailable(Exception):
    """This machine has no bubblewrap, and the trust's policy does not allow training code to run bare."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds. ``memory`` bounds addresses, and with a cgroup real memory too."""

    memory: int = 8 * 2**30
    processes: int = 256
    open_files: int = 1024
    scratch: int = 256 * 2**20
    update: int = 2 * 2**30
    log: int = 2**20
    task_seconds: float = 1800.0
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """A bundle's folder, the data it may read, and a folder of the node for this run's models and log.

    ``allow_bare`` is the trust's policy: run without a wall where bubblewrap is missing.
    """

    bundle: Path
    entry_point: str
    data: Path
    run_dir: Path
    limits: Limits = field(default_factory=Limits)
    allow_bare: bool = False

    @property
    def inbox(self) -> Path:
        return self.run_dir / "inbox"

    @property
    def log(self) -> Path:
        return self.run_dir / "sandbox.log"


@cache
def has_bubblewrap() -> bool:
    """Whether bubblewrap is here and the kernel lets it work: some systems forbid user namespaces."""
    if shutil.which("bwrap") is None:
        return False
    trial = ["bwrap", *NAMESPACES, "--ro-bind", "/", "/", "/bin/true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0  # noqa: S603  our own words


def isolation_level(cgroup: Cgroup | None) -> Isolation:
    """What this machine offers; the run's report says so."""
    if not has_bubblewrap():
        return "none"
    return "bubblewrap" if cgroup is None else "bubblewrap+cgroup"


def command(spec: SandboxSpec, wire: int, cgroup: Cgroup | None) -> list[str]:
    """Return the whole command line; ``wire`` is the number of the inherited socket.

    Raises
    ------
    SandboxUnavailable
    """
    if isolation_level(cgroup) != "none":
        enter = [] if cgroup is None else cgroup.enter()
        return [*enter, *_bubblewrap(spec, wire), *_limited(spec.limits), "/bundle/" + spec.entry_point]
    if not spec.allow_bare:
        raise SandboxUnavailable(
            "install bubblewrap and allow user namespaces, or let the trust's policy allow isolation 'none'"
        )
    return [*_bare(spec, wire), *_limited(spec.limits), str(spec.bundle / spec.entry_point)]


def _bubblewrap(spec: SandboxSpec, wire: int) -> Iterator[str]:
    yield from ("bwrap", *NAMESPACES, "--proc", "/proc", "--dev", "/dev")
    # before all else: an interpreter may live below /tmp, and must not be hidden
    for scratch in ("/tmp", "/dev/shm"):  # noqa: S108  folders of the sandbox, not of this machine
        yield from ("--size", str(spec.limits.scratch), "--tmpfs", scratch)
    yield from _system()
    for host, inside in _places(spec).items():
        yield from ("--ro-bind", str(host), inside)
    # both are tmpfs of the sandbox's own user: writable, and of no limited size, until remounted
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")
    for name, value in _environment("/data", "/inbox", "/sdk", wire, spec.limits.threads).items():
        yield from ("--setenv", name, value)
    yield from ("--chdir", "/tmp", "--")  # noqa: S108  the sandbox's own


def _places(spec: SandboxSpec) -> dict[Path, str]:
    return {spec.bundle: "/bundle", spec.data: "/data", spec.inbox: "/inbox", SDK: "/sdk"}


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache")
    for path in map(Path, ("/bin", "/lib", "/lib64")):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.exists():
            yield from ("--ro-bind", str(path), str(path))
    for prefix in sorted({sys.base_prefix, sys.prefix}):
        if not Path(prefix).is_relative_to("/usr"):
            yield from ("--ro-bind", prefix, prefix)


def _bare(spec: SandboxSpec, wire: int) -> list[str]:
    environment = _environment(str(spec.data), str(spec.inbox), str(SDK), wire, spec.limits.threads)
    return ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]


def _environment(data: str, inbox: str, sdk: str, wire: int, threads: int) -> dict[str, str]:
    return {
        "PATH": "/usr/bin",
        "HOME": "/tmp",  # noqa: S108  the sandbox's own
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": sdk,
        "PYTHONUNBUFFERED": "1",
        "TRUSTFLOW_DATA": data,
        "TRUSTFLOW_INBOX": inbox,
        "TRUSTFLOW_SOCKET": str(wire),
    }


def _limited(limits: Limits) -> list[str]:
    return [
        "prlimit",
        "--core=0",
        f"--as={limits.memory}",
        f"--fsize={limits.update}",
        f"--nofile={limits.open_files}",
        f"--nproc={limits.processes}",
        sys.executable,
    ]
