"""The XNAT-compatible archive of one trust, for machines that have no XNAT."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from infra.parts.http import answers_ok
from infra.parts.part import START_TIMEOUT_S, wait_until

ADMIN = "admin"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Xnat:
    directory: Path
    port: int
    password: str = field(repr=False)
    name: str = "xnat"
    stop_signal: Signals = Signals.SIGTERM

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        return [
            sys.executable, "-m", "infra.xnat", "--root", str(self.directory / "archive"),
            "--host", "127.0.0.1", "--port", str(self.port),
            "--admin-user", ADMIN, "--admin-password-file", str(self._password_file),
        ]  # fmt: skip

    @property
    def env(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(_ROOT)}

    def prepare(self) -> None:
        (self.directory / "archive").mkdir(parents=True, exist_ok=True)
        self._password_file.touch(0o600)
        self._password_file.write_text(self.password)

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        wait_until(lambda: answers_ok(self.port), self, timeout_s)

    @property
    def _password_file(self) -> Path:
        return self.directory / "admin-password"
