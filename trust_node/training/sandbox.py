"""One sandboxed process for a whole run: give it a task, get a judged update back."""

import asyncio
import hashlib
import os
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from schemas.manifest import HEADER_LIMIT, Layout, read_layout
from trust_node.training.cgroup import cgroup
from trust_node.training.errands import Errands
from trust_node.training.isolation import Isolation, SandboxSpec, command, isolation_level
from trust_node.training.sdk.trustflow_sdk import wire
from trust_node.training.update import BadUpdate, Kind, Update, judge

GRACE_S = 2.0
"""Seconds between the end of the run, as the training code sees it, and its being killed."""


class SandboxDied(Exception):
    """The process is gone: start another sandbox and send the task again.

    ``reason`` is ``ended`` (it returned before the run was over), ``killed`` (by us, the kernel or a person) or
    ``failed`` (an exception in the training code: read the trust's log).
    """

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.reason = _reason(exit_code)
        super().__init__(f"the sandbox {self.reason} with exit code {exit_code}: see sandbox.log in the run's folder")


class SandboxTimeout(Exception):
    """The task took longer than the trust allows; the process was killed."""


@dataclass(frozen=True, slots=True)
class Task:
    """``model`` is the global model, a safetensors file; None for ``init``."""

    kind: Kind
    round: int
    seed: int
    model: Path | None = None
    config: dict[str, Any] = field(default_factory=dict)


class Sandbox:
    """Use as an async context manager; `run` takes one task at a time."""

    def __init__(self, spec: SandboxSpec) -> None:
        self.spec = spec
        self._resources = ExitStack()

    @property
    def isolation(self) -> Isolation:
        """The wall that this sandbox really has."""
        return isolation_level(self._cgroup)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Raise `SandboxUnavailable` where there is no wall and the policy demands one."""
        with ExitStack() as undo:
            undo.callback(self._resources.close)
            await self._start()
            undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.shutdown(socket.SHUT_WR)
        await self._ended(GRACE_S if error is None else 0)
        await self._log
        await asyncio.to_thread(self._resources.close)

    async def run(self, task: Task, errands: Errands | None = None) -> Update:
        """Send a task and wait for its answer; ``errands`` does what the code asks for meanwhile.

        Raises
        ------
        SandboxDied, SandboxTimeout
            this sandbox is over, as it is when the call is cancelled.
        BadUpdate
            the answer was refused; the sandbox can take another task.
        """
        with ExitStack() as until_answered:
            name, layout = await asyncio.to_thread(self._offer, task.model, until_answered)
            try:
                async with asyncio.timeout(self.spec.limits.task_seconds):
                    message, file = await self._asked(task, name, errands)
            except TimeoutError:
                raise SandboxTimeout(f"no answer in {self.spec.limits.task_seconds:g} s") from None
            return await asyncio.to_thread(_judged, task.kind, message, file, layout, self.spec.limits.update)

    async def _start(self) -> None:
        limits = self.spec.limits
        self.spec.inbox.mkdir(parents=True, exist_ok=True)
        self.spec.log.touch()
        self._wire, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._resources.enter_context(self._wire)
        self._wire.setblocking(False)
        group = cgroup(_group_name(self.spec.run_dir), memory=limits.memory, processes=limits.processes)
        self._cgroup = self._resources.enter_context(group)
        with theirs:
            self._process = await _spawned(command(self.spec, theirs.fileno(), self._cgroup), theirs)
        self._log = asyncio.create_task(_keep_log(self._process, self.spec.log, limits.log))

    async def _asked(self, task: Task, model: str | None, errands: Errands | None) -> tuple[Any, int | None]:
        message = {
            "kind": task.kind, "round": task.round, "seed": task.seed, "model": model, "config": task.config,
        }  # fmt: skip
        try:
            wire.send(self._wire, message)
            return await self._heard(errands)
        except BlockingIOError:
            # it asks, and does not read what it is told
            self._kill()
            raise SandboxDied(await self._process.wait()) from None
        except (EOFError, ConnectionError):
            raise SandboxDied(await self._ended(GRACE_S)) from None
        except asyncio.CancelledError:
            # its answer would be taken for that of the next task
            self._kill()
            raise
        except wire.Malformed as error:
            raise BadUpdate("bad_message", str(error)) from error

    async def _heard(self, errands: Errands | None) -> tuple[Any, int | None]:
        """Wait for the answer, and do what the code asks for until then."""
        await _readable(self._wire)
        while _is_errand(received := wire.receive(self._wire)):
            await self._run_errand(*received, errands)
            await _readable(self._wire)
        return received

    async def _run_errand(self, asked: Any, file: int | None, errands: Errands | None) -> None:
        try:
            told = await errands.serve(asked, file) if errands else {"refused": "this trust does no errands here"}
        finally:
            if file is not None:
                os.close(file)
        wire.send(self._wire, told)

    def _offer(self, model: Path | None, until_answered: ExitStack) -> tuple[str | None, Layout | None]:
        if model is None:
            return None, None
        offered = self.spec.inbox / model.name
        until_answered.callback(offered.unlink, missing_ok=True)
        _link(model, offered)
        return model.name, _layout_of(offered)

    async def _ended(self, grace_s: float) -> int:
        try:
            return await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            self._kill()
            return await self._process.wait()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


def _is_errand(received: tuple[Any, int | None]) -> bool:
    return isinstance(received[0], dict) and "errand" in received[0]


async def _spawned(arguments: list[str], theirs: socket.socket) -> Process:
    return await asyncio.create_subprocess_exec(
        *arguments,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )


async def _keep_log(process: Process, path: Path, limit: int) -> None:
    """Keep the first ``limit`` bytes that the training code prints; read the rest so that it never blocks."""
    assert process.stdout is not None  # noqa: S101  the pipe was asked for
    with path.open("ab") as log:
        while printed := await process.stdout.read(2**16):
            log.write(printed[: max(0, limit - log.tell())])
            log.flush()


async def _readable(wire_: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(wire_, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(wire_)


def _judged(kind: Kind, message: Any, file: int | None, expected: Layout | None, limit: int) -> Update:
    try:
        return judge(kind, message, file, expected, limit)
    finally:
        # here and not in the caller, which may be cancelled while this thread still reads
        if file is not None:
            os.close(file)


def _link(model: Path, offered: Path) -> None:
    offered.unlink(missing_ok=True)
    try:
        offered.hardlink_to(model)
    except OSError:
        # another file system
        shutil.copyfile(model, offered)


def _layout_of(model: Path) -> Layout:
    with model.open("rb") as file:
        length = file.read(8)
        return read_layout(length + file.read(min(int.from_bytes(length, "little"), HEADER_LIMIT)))


def _group_name(run_dir: Path) -> str:
    return f"trustflow-{hashlib.sha256(bytes(run_dir.absolute())).hexdigest()[:16]}"


def _reason(exit_code: int) -> str:
    if exit_code == 0:
        return "ended"
    return "killed" if exit_code < 0 or exit_code == 128 + signal.SIGKILL else "failed"
