"""What every part has in common: it is described, prepared once, started as one process, and waited for."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 8.0


P = TypeVar("P", bound="Part")


class Part(Protocol):
    """A process we did not write, described well enough to start it.

    `prepare` writes configuration and formats storage; it may be called again at any time.
    `wait_ready` returns once the part answers its own protocol, and raises `PartNotReadyError` otherwise.
    """

    @property
    def name(self) -> str: ...
    @property
    def directory(self) -> Path: ...
    @property
    def command(self) -> list[str]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def stop_signal(self) -> signal.Signals: ...

    def prepare(self) -> None: ...
    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None: ...


class PartNotReadyError(RuntimeError):
    """A part did not answer in time; the text names the part and its log."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on now.

    It lies below the range that Linux gives to outgoing connections, so that none of those takes it meanwhile.
    """
    while not is_free(port := 20_000 + secrets.randbelow(12_000)):
        continue
    return port


def is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def log_of(part: Part) -> Path:
    return part.directory / "log"


def wait_until(answers: Callable[[], bool], part: Part, timeout_s: float) -> None:
    """Ask every 50 ms whether the part answers; refused or cut connections mean "not yet"."""
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        with suppress(OSError):
            if answers():
                return
        time.sleep(0.05)
    raise PartNotReadyError(f"{part.name} did not answer within {timeout_s:g} s; read {log_of(part)}")


@contextmanager
def running(part: P) -> Iterator[P]:
    """Prepare, start and wait for a part; stop it and all its children at the end."""
    part.prepare()
    process = start(part)
    try:
        wait_or_die(part, process)
        yield part
    finally:
        stop(process, part.stop_signal)


def start(part: Part) -> subprocess.Popen[bytes]:
    with log_of(part).open("ab") as log:
        return subprocess.Popen(
            part.command,
            env={**os.environ, **part.env},
            cwd=part.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_or_die(part: Part, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return part.wait_ready(timeout_s=0.5)
        except PartNotReadyError as late:
            if process.poll() is not None:
                raise PartNotReadyError(f"{part.name} ended with {process.returncode}; read {log_of(part)}") from late
            if time.monotonic() > give_up:
                raise


def stop(process: subprocess.Popen[bytes], politely: signal.Signals) -> None:
    """Ask a part to end, and end it and its children when it has not."""
    _signal_group(process, politely)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
