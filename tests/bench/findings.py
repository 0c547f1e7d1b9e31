"""What was measured, as rows: ours, the bare parts, what was aimed for."""

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from tests.bench.rounds import Leg

SOFTWARE = ("aiohttp", "aiokafka", "asyncpg", "faststream", "torch", "safetensors")
COLUMNS = ("what", "ours", "bare parts", "ratio", "aim", "", "load")
FORMATS = {"s": "{:.3f} s", "ms": "{:.1f} ms", "models": "{:.2f} models"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Numbers in ``unit``; ``load`` is the machine's load average when it was measured."""

    what: str
    ours: float
    unit: str
    aim: float | None = None
    bare: float | None = None
    bare_is: str = ""
    load: float | None = None

    @property
    def is_met(self) -> bool | None:
        return None if self.aim is None else self.ours <= self.aim

    def cells(self) -> tuple[str, ...]:
        mark = {None: "", True: "met", False: "missed"}[self.is_met]
        ratio = "" if self.bare is None else f"{self.ours / self.bare:.2f}"
        load = "" if self.load is None else f"{self.load:.1f}"
        return (self.what, self._text(self.ours), self._bare(), ratio, self._aim(), mark, load)

    def _bare(self) -> str:
        return "" if self.bare is None else f"{self._text(self.bare)}: {self.bare_is}"

    def _aim(self) -> str:
        return "" if self.aim is None else f"≤ {self._text(self.aim)}"

    def _text(self, number: float) -> str:
        return FORMATS[self.unit].format(number)


def load_now() -> float:
    return os.getloadavg()[0]


def screen_table(findings: Iterable[Finding]) -> Table:
    table = Table(title="Ours beside the bare parts", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in {"what", "bare parts"} else "right")
    for finding in findings:
        table.add_row(*finding.cells())
    return table


def markdown(findings: Iterable[Finding], legs: Mapping[str, Sequence[Leg]], notes: str, seconds: float) -> str:
    rows = [finding.cells() for finding in findings]
    return "\n".join([
        "# Benchmarks", "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, which took {seconds:.0f} s. {_machine()}", "",
        *_lines(COLUMNS, rows), "",
        "The load is the machine's own average over a minute when the row was measured: 2 cores are busy at 2.", "",
        "## Where the time of a round goes", "",
        "Medians in ms, followed from cause to cause along the slower trust of each round.", "",
        *_lines(("model", "message", "committed, relayed", "broker to reader", "handled, worked on"), _leg_rows(legs)),
        "", notes,
    ])  # fmt: skip


def _leg_rows(legs: Mapping[str, Sequence[Leg]]) -> Iterator[tuple[str, ...]]:
    for model, ways in legs.items():
        for leg in ways:
            columns = (f"{seconds * 1000:.1f}" for seconds in (leg.to_broker, leg.to_reader, leg.work))
            yield (model, leg.message.split(".")[-2], *columns)


def _lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows)]


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    software = ", ".join(f"{name} {version(name)}" for name in SOFTWARE)
    where = f"{os.cpu_count()} cores ({model.partition(': ')[2]}), {memory:.0f} GB, Linux {platform.release()}"
    return f"Machine: {where}. Python {platform.python_version()}, {software}."
