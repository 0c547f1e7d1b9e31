"""One of our processes, started as the federation starts it; it may be killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from infra.parts.part import free_port
from tests.conftest import Broker

ROOT = Path(__file__).parents[2]
HEALTHY_WITHIN_S = 40.0


@dataclass(slots=True)
class OurProcess:
    module: str
    env: dict[str, str]
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['TRUSTFLOW_HTTP_PORT']}"

    async def start(self) -> None:
        """Start and wait until it says that it is well."""
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(  # noqa: ASYNC220  it takes a millisecond, and tests wait for it anyway
                [sys.executable, "-m", self.module],
                env=os.environ | {"PYTHONPATH": str(ROOT)} | self.env,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(HEALTHY_WITHIN_S), aiohttp.ClientSession() as session:
            while not await self._is_well(session):
                assert self.popen.poll() is None, self.log.read_text()[-3000:]
                await asyncio.sleep(0.05)

    async def _is_well(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/health") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals, within_s: float = 10.0) -> int:
        assert self.popen
        self.popen.send_signal(number)
        return self.popen.wait(within_s)


@asynccontextmanager
async def our_process(
    module: str, principal: str, broker: Broker, database: str, folder: Path, **more: str
) -> AsyncIterator[OurProcess]:
    env = {
        "TRUSTFLOW_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TRUSTFLOW_KAFKA_PASSWORD_FILE": str(broker.password_file(principal)),
        "TRUSTFLOW_DATABASE_URL": database,
        "TRUSTFLOW_TRUST_KEYS": str(broker.trust_keys),
        "TRUSTFLOW_HTTP_PORT": str(free_port()),
        **more,
    }
    process = OurProcess(module, env, folder / f"{principal}.log")
    await process.start()
    try:
        yield process
    finally:
        if process.popen and process.popen.poll() is None:
            process.kill()
