"""A figure is one question to the metrics: asked of Prometheus as PromQL, or answered from two looks at /metrics."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from prometheus_client.parser import text_string_to_metric_families

WINDOW = "1m"
EVERY = 'job="trustflow"'
"""The scrape job that holds all of our processes and nothing else."""

Labels: TypeAlias = tuple[tuple[str, str], ...]
Samples: TypeAlias = Mapping[str, Mapping[Labels, float]]
"""By the name of a series, then by its labels in their order."""

Answer: TypeAlias = dict[tuple[str, ...], float]
"""By the values of the labels that a figure is broken down by; ``()`` for a figure that is not."""


@dataclass(frozen=True, slots=True)
class Look:
    """One process's /metrics at a moment, in seconds of any clock that goes evenly."""

    at: float
    samples: Samples


def looked(text: str, at: float) -> Look:
    """Parse the text format 0.0.4; raises ValueError where it is none."""
    samples: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name][tuple(sorted(sample.labels.items()))] = sample.value
    return Look(at, samples)


@dataclass(frozen=True, slots=True)
class Level:
    """What a gauge says; a participant of several processes says it as often, so the largest counts."""

    metric: str
    by: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    fold: Literal["max", "sum"] = "max"

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,)

    def promql(self, where: str = EVERY) -> str:
        return _shown_as_0(f"{self.fold} by ({_by(self.by)}) ({self.metric}{_where(where, self.only)})", self.by, where)

    def answer(self, _before: Look, now: Look) -> Answer:
        fold = max if self.fold == "max" else math.fsum
        values = _grouped(now.samples.get(self.metric, {}), self.by, self.only)
        return {key: fold(found) for key, found in values.items()} or _nothing(self.by, 0.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a counter grows, per second."""

    metric: str
    by: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,)

    def promql(self, where: str = EVERY) -> str:
        rate = f"sum by ({_by(self.by)}) (rate({self.metric}{_where(where, self.only)}[{WINDOW}]))"
        return _shown_as_0(rate, self.by, where)

    def answer(self, before: Look, now: Look) -> Answer:
        seconds = max(now.at - before.at, 1e-9)
        grown = _grouped(_growth(before, now, self.metric), self.by, self.only)
        return {key: math.fsum(found) / seconds for key, found in grown.items()} or _nothing(self.by, 0.0)


@dataclass(frozen=True, slots=True)
class Quantile:
    """Below which value a share ``q`` of what a histogram saw lies; NaN where it saw nothing."""

    metric: str
    q: float
    by: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        return (f"{self.metric}_bucket",)

    def promql(self, where: str = EVERY) -> str:
        buckets = f"rate({self.metric}_bucket{_where(where, {})}[{WINDOW}])"
        return f"histogram_quantile({self.q:g}, sum by ({_by((*self.by, 'le'))}) ({buckets}))"

    def answer(self, before: Look, now: Look) -> Answer:
        grown = _growth(before, now, f"{self.metric}_bucket")
        buckets = _grouped(grown, (*self.by, "le"), {})
        found: defaultdict[tuple[str, ...], dict[float, float]] = defaultdict(dict)
        for (*key, bound), values in buckets.items():
            found[tuple(key)][float(bound)] = math.fsum(values)
        return {key: quantile(self.q, counts) for key, counts in found.items()} or (
            {(): math.nan} if not self.by else {}
        )


Figure: TypeAlias = Level | Rate | Quantile


def quantile(q: float, counts: Mapping[float, float]) -> float:
    """From cumulative counts by upper bound, as Prometheus' ``histogram_quantile`` does: linear inside a bucket."""
    total = counts.get(math.inf, 0.0)
    if not total:
        return math.nan
    below, lower = 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= q * total:
            return lower if math.isinf(bound) else lower + (bound - lower) * (q * total - below) / (count - below)
        below, lower = count, bound
    return lower


def _by(labels: Iterable[str]) -> str:
    return ", ".join(("participant", *labels))


def _where(where: str, only: Mapping[str, str]) -> str:
    return "{" + ", ".join((where, *(f'{name}="{value}"' for name, value in only.items()))) + "}"


def _shown_as_0(query: str, by: tuple[str, ...], where: str) -> str:
    """A participant that has nothing to report yet shows as 0 and not as a gap."""
    return query if by else f"{query} or 0 * max by (participant) (up{{{where}}})"


def _nothing(by: tuple[str, ...], value: float) -> Answer:
    return {} if by else {(): value}


def _growth(before: Look, now: Look, name: str) -> dict[Labels, float]:
    """Since the last look; a process that began anew counts from nothing."""
    old, new = before.samples.get(name, {}), now.samples.get(name, {})
    return {key: value - old.get(key, 0.0) if value >= old.get(key, 0.0) else value for key, value in new.items()}


def _grouped(
    series: Mapping[Labels, float], by: tuple[str, ...], only: Mapping[str, str]
) -> dict[tuple[str, ...], list[float]]:
    groups: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
    for labels, value in series.items():
        named = dict(labels)
        if all(named.get(name) == wanted for name, wanted in only.items()):
            groups[tuple(named.get(name, "") for name in by)].append(value)
    return groups
