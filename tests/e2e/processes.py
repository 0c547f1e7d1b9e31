"""The federation's processes, seen from outside: what the supervisor keeps, what /proc shows, and kill -9."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from infra.federation import Federation
from infra.lifecycle import is_healthy
from infra.programs import Program, programs
from infra.supervision import Supervisor

LOOK_EVERY_S = 0.1


def ours(federation: Federation) -> list[Program]:
    """The services and the nodes."""
    return [program for program in programs(federation) if program.group == "nodes"]


def named(federation: Federation, name: str) -> Program:
    return next(program for program in programs(federation) if program.name == name)


def pid_of(federation: Federation, name: str) -> int:
    return Supervisor(federation.run).states()[name].pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def stop(federation: Federation, name: str) -> None:
    """Return when it is gone; it stays off until somebody starts it."""
    Supervisor(federation.run)._rpc().stopProcess(named(federation, name).full_name, True)


def start(federation: Federation, name: str) -> None:
    Supervisor(federation.run).start(named(federation, name))


async def healthy_again(federation: Federation, name: str, timeout_s: float = 60) -> None:
    program = named(federation, name)
    await true(lambda: is_healthy(program), timeout_s)


async def true(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Return as soon as the condition holds."""
    async with asyncio.timeout(timeout_s):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  nobody tells us of other processes
            await asyncio.sleep(LOOK_EVERY_S)


def trainer_of(federation: Federation, trust: str, run_id: str) -> int:
    """The training code of a run at a trust: what bubblewrap has started, which knows nothing of us."""
    node = pid_of(federation, f"node-{trust}")
    walls = [pid for pid in descendants(node) if run_id in command_of(pid)]
    inside = {pid for wall in walls for pid in descendants(wall)} - set(walls)
    return next(pid for pid in sorted(inside) if command_of(pid).endswith("/bundle/trainer.py"))


def sandboxes(federation: Federation, run_id: str) -> list[int]:
    """Processes of a run's sandboxes at any trust."""
    nodes = [pid_of(federation, f"node-{trust}") for trust in federation.trusts]
    return [pid for node in nodes for pid in descendants(node) if run_id in command_of(pid)]


def descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from descendants(child)


def command_of(pid: int) -> str:
    """Empty when the process is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _children(pid: int) -> list[int]:
    """Of all its threads: any of them may have started one."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, tasks.read_text().split())
    return found
