"""A broker and a database that may be broken: stopped or killed, and started again on what they had."""

import asyncio
import signal
import subprocess
from dataclasses import dataclass

from infra.parts.part import Part, start, stop, wait_or_die


@dataclass(slots=True)
class Breakable:
    part: Part
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Prepare, start, and wait until it answers."""
        await asyncio.to_thread(self._start)

    async def stop(self, number: signal.Signals) -> None:
        assert self.process
        await asyncio.to_thread(stop, self.process, number)

    def _start(self) -> None:
        self.part.prepare()
        self.process = start(self.part)
        wait_or_die(self.part, self.process)
