"""The table of `make status`."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from infra.federation import Federation
from infra.lifecycle import is_healthy
from infra.parts.part import Part, PartNotReadyError
from infra.programs import Program, programs
from infra.supervision import ProcessState, Supervisor

NOT_BUILT = "not built"
PROBE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """`memory_mb` is the proportional set of the process and its children, in units of 10^6 bytes."""

    name: str
    state: str
    healthy: bool
    port: int
    pid: int
    memory_mb: float


def rows(federation: Federation, supervisor: Supervisor) -> list[Row]:
    states, parts = supervisor.states(), {part.name: part for part in federation.parts()}
    children = _children()
    return [_row(program, states[program.name], parts.get(program.name), children) for program in programs(federation)]


def is_well(row: Row) -> bool:
    return row.healthy or row.state == NOT_BUILT


def table(found: Iterable[Row]) -> Table:
    shown = Table("program", "state", "health", "port", "pid", "memory MB")
    for column in shown.columns[3:]:
        column.justify = "right"
    total = 0.0
    for row in found:
        health = "[green]ok" if row.healthy else "-" if row.state == NOT_BUILT else "[red]no answer"
        shown.add_row(row.name, row.state, health, str(row.port), str(row.pid or ""), f"{row.memory_mb:.0f}")
        total += row.memory_mb
    shown.add_section()
    shown.add_row("all", "", "", "", "", f"{total:.0f}")
    return shown


def _row(program: Program, state: ProcessState, part: Part | None, children: dict[int, list[int]]) -> Row:
    word = state.state if program.built else NOT_BUILT
    healthy = word == "RUNNING" and (_answers(part) if part else is_healthy(program))
    return Row(program.name, word, healthy, program.port, state.pid, _memory_mb(state.pid, children))


def _answers(part: Part) -> bool:
    with suppress(PartNotReadyError):
        part.wait_ready(PROBE_TIMEOUT_S)
        return True
    return False


def _memory_mb(pid: int, children: dict[int, list[int]]) -> float:
    if not pid:
        return 0.0
    return _own_memory_mb(pid) + sum(_memory_mb(child, children) for child in children.get(pid, ()))


def _own_memory_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _children() -> dict[int, list[int]]:
    """Return the children of every process by the parent's number."""
    families: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            families.setdefault(parent, []).append(int(entry.parent.name))
    return families
