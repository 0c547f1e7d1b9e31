"""A broker and a database that may be broken: stopped or killed, and started again on what they had."""

import asyncio
import signal
import subprocess
from dataclasses import dataclass, field
from threading import Lock

from infra.parts.part import Part, start, stop, wait_or_die


@dataclass(slots=True)
class Breakable:
    part: Part
    process: subprocess.Popen[bytes] | None = None
    _changing: Lock = field(default_factory=Lock)

    async def start(self) -> None:
        """Prepare, start, and wait until it answers."""
        await asyncio.to_thread(self._start)

    async def stop(self, number: signal.Signals) -> None:
        await asyncio.to_thread(self._stop, number)

    async def mend(self) -> None:
        """Start it if it does not run, however it was left."""
        await asyncio.to_thread(self._mend)

    def _start(self) -> None:
        with self._changing:
            self.part.prepare()
            self.process = start(self.part)
            wait_or_die(self.part, self.process)

    def _stop(self, number: signal.Signals) -> None:
        assert self.process
        with self._changing:
            stop(self.process, number)

    def _mend(self) -> None:
        with self._changing:
            runs = self.process is not None and self.process.poll() is None
        if not runs:
            self._start()
