"""The operator at work on the tests' broker: `trustflow ops …` as it is typed, answered in JSON."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from client.cli import app
from schemas.topics import ADMINISTRATOR, CLIENT, OPERATOR
from tests.conftest import TRUSTS, Broker


@dataclass(frozen=True, slots=True)
class OpsDesk:
    env_file: Path

    async def call(self, *words: str, exit_code: int = 0) -> Result:
        """Type the command; in a thread, since it runs an event loop of its own."""
        env = {"TRUSTFLOW_ENV": str(self.env_file), "COLUMNS": "200"}
        result = await asyncio.to_thread(CliRunner(env=env).invoke, app, ["ops", *words])
        assert result.exit_code == exit_code, (result.output, result.exception)
        return result

    async def lines(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (await self.call(*words, "--json")).stdout.splitlines()]


def ops_desk(broker: Broker, folder: Path, **more: str) -> OpsDesk:
    """What `make up` writes for a person's shell, written for the tests' broker."""
    passwords = {name: broker.password_file(name) for name in (CLIENT, OPERATOR, ADMINISTRATOR)}
    values = {
        "TRUSTFLOW_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TRUSTFLOW_TRUSTS": ",".join(TRUSTS),
        **{f"TRUSTFLOW_{name.upper()}_PASSWORD_FILE": str(file) for name, file in passwords.items()},
        **more,
    }
    file = folder / "env"
    file.write_text("".join(f"export {name}={value}\n" for name, value in values.items()))
    return OpsDesk(file)
