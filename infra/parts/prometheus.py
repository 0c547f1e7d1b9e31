"""Prometheus, which asks every process of ours how it is; never a part of the path itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from infra.parts.http import answers_ok
from infra.parts.part import START_TIMEOUT_S, wait_until

RULES = Path(__file__).parents[1] / "watch" / "rules.yml"

_CONFIGURATION = """\
global:
  scrape_interval: {every}s
  evaluation_interval: {every}s
rule_files: ['{rules}']
scrape_configs:
  - job_name: trustflow
    file_sd_configs:
      - files: ['{targets}']
"""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """`targets` is a file of `file_sd_configs`; `every` is in seconds."""

    directory: Path
    port: int
    targets: Path
    every: int = 5
    name: str = "prometheus"
    stop_signal: Signals = Signals.SIGTERM

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        return [
            "/usr/bin/prometheus",
            f"--config.file={self._configuration}",
            f"--storage.tsdb.path={self.directory}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--storage.tsdb.retention.time=7d",
            "--log.level=warn",
        ]

    @property
    def env(self) -> Mapping[str, str]:
        return {}

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text(_CONFIGURATION.format(every=self.every, rules=RULES, targets=self.targets))

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        wait_until(lambda: answers_ok(self.port, "/-/ready"), self, timeout_s)

    @property
    def _configuration(self) -> Path:
        return self.directory / "prometheus.yml"
