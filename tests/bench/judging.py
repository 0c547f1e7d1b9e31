"""What the judge of cohort queries refuses and accepts beside two simpler policies, and how long each takes."""

import time
from collections.abc import Callable
from statistics import quantiles

from rich.console import Console

from schemas.sql.judge import judge
from schemas.sql.refusal import Refused
from tests.bench.findings import Finding, load_now
from tests.bench.results import Measured, Result
from tests.bench.simpler_judges import by_shape, by_words
from tests.corpora.reading import Sample, good, hostile

ROUNDS = 5
AIM_P99_MS = 100.0

Policy = Callable[[str], bool]


def ours(sql: str) -> bool:
    return not isinstance(judge(sql), Refused)


POLICIES: dict[str, Policy] = {"by shape (sqlglot)": by_shape, "by words": by_words, "ours": ours}


def measure(console: Console) -> Result:
    """Judge every sample of the corpora by each policy, several times."""
    samples = good() + hostile()
    times = {name: _times(policy, samples) for name, policy in POLICIES.items()}
    console.print(f"{len(samples)} queries, {ROUNDS} times by each policy")
    findings = [_finding(f"a query judged, {name}", place, times) for name, place in (("p50", 49), ("p99", 98))]
    return Result(tuple(findings), (_accepted(),))


def _times(policy: Policy, samples: list[Sample]) -> list[float]:
    """Return the milliseconds of each sample, the best of a few."""
    return [min(_milliseconds(policy, sample.sql) for _ in range(ROUNDS)) for sample in samples]


def _milliseconds(policy: Policy, sql: str) -> float:
    began = time.perf_counter()
    policy(sql)
    return (time.perf_counter() - began) * 1_000


def _finding(what: str, place: int, times: dict[str, list[float]]) -> Finding:
    mine, peer = (quantiles(times[name], n=100)[place] for name in ("ours", "by shape (sqlglot)"))
    return Finding(what, mine, "ms", AIM_P99_MS, peer, "a policy by shape, sqlglot", load_now())


def _accepted() -> Measured:
    groups = [("good", sample.group, sample.sql) for sample in good()]
    groups += [("hostile", sample.group, sample.sql) for sample in hostile()]
    names = list(dict.fromkeys((side, group) for side, group, _ in groups))
    rows = [_row(side, group, [sql for *name, sql in groups if name == [side, group]]) for side, group in names]
    text = "How many queries of each corpus a policy accepts. All good ones should be, and no hostile one."
    return Measured("Cohort queries accepted", text, ("corpus", "class", "queries", *POLICIES), tuple(rows))


def _row(side: str, group: str, texts: list[str]) -> tuple[str, ...]:
    accepted = (sum(map(policy, texts)) for policy in POLICIES.values())
    return (side, group, str(len(texts)), *map(str, accepted))
