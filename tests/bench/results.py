"""What each part found, kept until all of them are written down together."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from infra.federation import ROOT
from tests.bench.findings import COLUMNS, Finding

FOLDER = ROOT / "build" / "bench"
SOFTWARE = ("aiohttp", "aiokafka", "asyncpg", "faststream", "pydantic", "torch", "safetensors")


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows that are no comparison, with a sentence above them."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What one part of the bench found, when, and how long that took."""

    findings: tuple[Finding, ...]
    tables: tuple[Measured, ...] = ()
    seconds: float = 0.0
    on: str = ""


_RESULT = TypeAdapter(Result)


def keep(part: str, result: Result) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{part}.json").write_bytes(_RESULT.dump_json(result, indent=1))


def kept(parts: Iterable[str]) -> Mapping[str, Result]:
    """Return the last result of each part that was ever measured here."""
    files = {part: FOLDER / f"{part}.json" for part in parts}
    return {part: _RESULT.validate_json(file.read_bytes()) for part, file in files.items() if file.exists()}


def markdown(results: Mapping[str, Result], notes: str) -> str:
    rows = [finding.cells() for result in results.values() for finding in result.findings]
    tables = [line for result in results.values() for table in result.tables for line in _section(table)]
    return "\n".join([
        "# Benchmarks", "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. {_machine()}", "",
        *_lines(COLUMNS, rows), "",
        "The load is the machine's own average over a minute when the row was measured: 2 cores are busy at 2.", "",
        *tables,
        "## Parts", "",
        "Each is measured alone by `.venv/bin/python -m tests.bench <part>`.", "",
        *_lines(("part", "measured on", "took"), _durations(results)), "",
        notes,
    ])  # fmt: skip


def _section(table: Measured) -> list[str]:
    return [f"## {table.title}", "", table.text, "", *_lines(table.columns, table.rows), ""]


def _durations(results: Mapping[str, Result]) -> list[tuple[str, str, str]]:
    return [(part, result.on, f"{result.seconds:.0f} s") for part, result in results.items()]


def _lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows)]


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    software = ", ".join(f"{name} {version(name)}" for name in SOFTWARE)
    where = f"{os.cpu_count()} cores ({model.partition(': ')[2]}), {memory:.0f} GB, Linux {platform.release()}"
    return f"Machine: {where}. Python {platform.python_version()}, {software}."
