"""What a check has found, step by step."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from time import perf_counter

from trust_node.checking.faults import Fault, FaultError, advice, fault_of
from trust_node.imaging.pacs.troubles import Trouble


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Exit(IntEnum):
    """0 only if every step passed; 2 is wrong usage."""

    PASSED = 0
    FAILED = 1
    SKIPPED = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What a step says that passed; `hint` is what could be better."""

    text: str
    hint: Fault | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One step: how it went, for how many seconds, and what to do about it. Nothing in it names a patient."""

    step: str
    verdict: Verdict
    seconds: float
    told: str
    fault: str = ""
    cause: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class SkippedError(Exception):
    """A step that has nothing to work on; the text says why."""


Step = Callable[[], Awaitable[Told]]


async def taken(name: str, step: Step) -> Finding:
    """Take one step and tell how it went; errors that no table knows are raised."""
    began = perf_counter()
    try:
        told = await step()
    except SkippedError as skipped:
        return Finding(name, Verdict.SKIPPED, perf_counter() - began, str(skipped))
    except Exception as error:
        if (fault := fault_of(error)) is None:
            raise
        detail = error.detail if isinstance(error, FaultError) else ""
        return _finding(name, Verdict.FAILED, perf_counter() - began, detail, fault)
    return _finding(name, Verdict.PASSED, perf_counter() - began, told.text, told.hint)


def exit_code(findings: Sequence[Finding]) -> Exit:
    verdicts = {finding.verdict for finding in findings}
    if Verdict.FAILED in verdicts:
        return Exit.FAILED
    return Exit.SKIPPED if Verdict.SKIPPED in verdicts else Exit.PASSED


def _finding(name: str, verdict: Verdict, seconds: float, told: str, fault: Fault | Trouble | None) -> Finding:
    if fault is None:
        return Finding(name, verdict, seconds, told)
    because = advice(fault)
    return Finding(name, verdict, seconds, told, fault.value, because.cause, because.remedy)
