"""What a storm has shown: how fast each fault was got over, and what the judge says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.chaos.checker import Fault, Stage, each_once, faults
from tests.chaos.plan import OUTAGES, Plan


@dataclass(frozen=True, slots=True)
class Report:
    """``recoveries`` in seconds by fault; ``wanted`` numbers of each strand; ``seconds`` from first to last."""

    plan: Plan
    kills: int
    recoveries: Mapping[str, Sequence[float]]
    failed_starts: int
    ended_alone: Sequence[str]
    wanted: Mapping[str, int]
    stages: Sequence[Stage]
    seconds: float

    @property
    def faults(self) -> list[Fault]:
        return [fault for stage in self.stages for fault in faults(self.wanted, stage)]

    @property
    def passed(self) -> bool:
        return not self.faults and not self.ended_alone

    @property
    def effects(self) -> int:
        return sum(len(stage.effects) for stage in self.stages)

    @property
    def said_again(self) -> int:
        """Records that lie on a topic more than once, which every inbox swallows."""
        spoken = [said for stage in self.stages for said in (stage.said, stage.answers) if said is not None]
        return sum(len(said) - len(each_once(said)) for said in spoken)

    def totals(self) -> list[tuple[str, str]]:
        kinds = Counter(fault.kind for fault in self.faults)
        outages = sum(len(times) for name, times in self.recoveries.items() if name in OUTAGES)
        inbox = sum(stage.inbox for stage in self.stages)
        return [
            ("kills, of those planned", f"{self.kills} of {self.plan.number_of_kills}"),
            ("outages, of those planned", f"{outages} of {len(self.plan.blows)}"),
            ("commands", str(sum(self.wanted.values()))),
            ("effects at three stages", str(self.effects)),
            ("rows in the inboxes", str(inbox)),
            ("lost", str(kinds["lost"])),
            ("doubled", str(kinds["doubled"])),
            ("out of order", str(kinds["out of order"])),
            ("other faults", str(len(self.faults) - kinds["lost"] - kinds["doubled"] - kinds["out of order"])),
            ("said again by a relay, swallowed", str(self.said_again)),
            ("starts while a part was away, tried again", str(self.failed_starts)),
            ("processes that ended by themselves", str(len(self.ended_alone))),
            ("seconds", f"{self.seconds:.0f}"),
            ("effects per second, all the while", f"{self.effects / self.seconds:.0f}"),
        ]

    def rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (name, str(len(times)), f"{median(times):.2f}", f"{max(times):.2f}")
            for name, times in sorted(self.recoveries.items())
        ]


def show(report: Report, console: Console) -> None:
    recovered = Table("fault", "how many", "recovered, p50 s", "max s")
    for row in report.rows():
        recovered.add_row(*row)
    totals = Table("total", "")
    for row in report.totals():
        totals.add_row(*row)
    console.print(recovered, totals)
    for line in (*report.ended_alone, *map(str, report.faults)):
        console.print(line, style="red")
    console.print("nothing lost, doubled or out of order" if report.passed else "VIOLATED")
