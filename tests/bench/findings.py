"""What was measured, as rows: ours, the bare parts, what was aimed for."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table

COLUMNS = ("what", "ours", "bare parts", "ratio", "aim", "", "load")
FORMATS = {"s": "{:.3f} s", "ms": "{:.1f} ms", "models": "{:.2f} models", "/s": "{:,.0f}/s"}
MORE_IS_BETTER = frozenset({"/s"})


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
        if self.aim is None:
            return None
        return self.ours >= self.aim if self.unit in MORE_IS_BETTER else self.ours <= self.aim

    def cells(self) -> tuple[str, ...]:
        mark = {None: "", True: "met", False: "missed"}[self.is_met]
        ratio = "" if self.bare is None else f"{self.ours / self.bare:.2f}"
        load = "" if self.load is None else f"{self.load:.1f}"
        return (self.what, self._text(self.ours), self._bare(), ratio, self._aim(), mark, load)

    def _bare(self) -> str:
        return "" if self.bare is None else f"{self._text(self.bare)}: {self.bare_is}"

    def _aim(self) -> str:
        sign = "≥" if self.unit in MORE_IS_BETTER else "≤"
        return "" if self.aim is None else f"{sign} {self._text(self.aim)}"

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
