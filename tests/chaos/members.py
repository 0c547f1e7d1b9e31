"""Participants as processes that are cheap to start again: forked from one that has everything imported."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bus.participant import Participant
from infra.parts.part import free_port
from tests.chaos.participants import live
from tests.chaos.points import VARIABLE
from tests.conftest import Broker

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload([live.__module__])


@dataclass(slots=True)
class Member:
    """One member of a role's group; ``env`` is what its settings are read from."""

    role: str
    number: int
    env: dict[str, str]
    log: Path
    kind: type[Participant] = Participant
    process: ForkServerProcess | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return f"{self.role}/{self.number}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['TRUSTFLOW_HTTP_PORT']}"

    @property
    def pid(self) -> int:
        assert self.process
        assert self.process.pid
        return self.process.pid

    def start(self, fuse: str = "") -> None:
        env = {**self.env, VARIABLE: fuse}
        self.process = _NURSERY.Process(target=_be_born, args=(self.role, env, self.log, self.kind), name=self.name)
        self.process.start()
        self.ended.clear()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.process.sentinel, self._bury, self.process.sentinel)

    def kill(self) -> None:
        assert self.process
        self.process.kill()

    async def end(self, within_s: float) -> int:
        """Ask politely; returns the exit status, negative for a signal. Raises TimeoutError."""
        os.kill(self.pid, signal.SIGTERM)
        async with asyncio.timeout(within_s):
            await self.ended.wait()
        return self.status

    @property
    def status(self) -> int:
        assert self.process
        assert self.process.exitcode is not None
        return self.process.exitcode

    def _bury(self, sentinel: int) -> None:
        asyncio.get_running_loop().remove_reader(sentinel)
        assert self.process
        self.process.join()
        self.ended.set()


def settings_of(role: str, number: int, broker: Broker, database: str) -> dict[str, str]:
    return {
        "TRUSTFLOW_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TRUSTFLOW_KAFKA_PASSWORD_FILE": str(broker.password_file(role)),
        "TRUSTFLOW_DATABASE_URL": database,
        "TRUSTFLOW_HTTP_PORT": str(free_port()),
        "TRUSTFLOW_MEMBER": str(number),
    }


def _be_born(role: str, env: Mapping[str, str], log: Path, kind: type[Participant]) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(env)
    live(role, kind)
