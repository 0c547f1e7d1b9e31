"""Rounds of a real run, and where their time goes: followed from cause to cause through the events."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bus.speaker import Heard
from schemas.aggregation import ModelAggregated, UpdateVerified
from schemas.training import RoundClosed, RoundFinished, RunFailed, RunPlan
from schemas.trust import RunTask, UpdateSubmitted
from tests.bench.stand import Stand

CHAIN = (RunTask, UpdateSubmitted, UpdateVerified, RoundClosed, ModelAggregated)
"""The messages of a round, each caused by the one before."""

FIRST_STEADY = 2
"""Round 1 still warms caches."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One message's way, in seconds: committed and read by the relay, carried to its reader, worked on there."""

    message: str
    to_broker: float
    to_reader: float
    work: float


@dataclass(frozen=True, slots=True)
class Rounds:
    seconds: tuple[float, ...]
    legs: tuple[Leg, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)


async def run_rounds(stand: Stand, model: str, rounds: int) -> Rounds:
    """Play a run; returns the time between the ends of successive rounds."""
    since = await stand.now()
    trusts = stand.federation.trusts
    plan = RunPlan(rounds=rounds, quorum=len(trusts), config={"model": model})
    run_id = await stand.hub.start_run(stand.model_id, trusts, plan)
    async for event in stand.hub.watch_run(run_id):
        match event:
            case RunFailed(code=code, reason=reason):
                raise RuntimeError(f"the run failed: {code}: {reason}")
    # nothing sweeps objects yet, and these are gigabytes
    shutil.rmtree(stand.federation.nginx.objects / "runs" / run_id)
    heard = await stand.heard(since)
    ends = _ends(heard.values())
    seconds = tuple((ends[round_] - ends[round_ - 1]).total_seconds() for round_ in range(FIRST_STEADY, rounds + 1))
    return Rounds(seconds, await _legs(stand, heard))


def _ends(heard: Iterable[Heard]) -> dict[int, datetime]:
    return {
        each.message.round: each.envelope.time
        for each in heard
        if isinstance(each.message, RoundFinished) and each.envelope
    }


async def _legs(stand: Stand, heard: Mapping[str, Heard]) -> tuple[Leg, ...]:
    handled = await stand.handled_at(list(heard))
    ways = [way for way in map(list, _chains(heard)) if len(way) > len(CHAIN)]
    legs = [_leg(way[place], way[place + 1], handled) for way in ways for place in range(len(CHAIN))]
    return tuple(_typical(name.type, [leg for leg in legs if leg.message == name.type]) for name in CHAIN)


def _chains(heard: Mapping[str, Heard]) -> Iterator[list[Heard]]:
    """Each round's messages in order, with the first of the next round behind them."""
    for each in heard.values():
        if isinstance(each.message, RunTask) and each.message.round > FIRST_STEADY:
            yield list(_causes(each, heard))[: len(CHAIN) + 1][::-1]


def _causes(last: Heard, heard: Mapping[str, Heard]) -> Iterator[Heard]:
    found: Heard | None = last
    while found is not None and found.envelope is not None:
        yield found
        found = heard.get(found.envelope.causationid or "")


def _leg(said: Heard, next_: Heard, handled: Mapping[str, datetime]) -> Leg:
    assert said.envelope
    assert next_.envelope
    began = handled[said.envelope.id]
    return Leg(
        said.envelope.type,
        (said.at - said.envelope.time).total_seconds(),
        (began - said.at).total_seconds(),
        (next_.envelope.time - began).total_seconds(),
    )


def _typical(message: str, legs: Iterable[Leg]) -> Leg:
    columns = zip(*((leg.to_broker, leg.to_reader, leg.work) for leg in legs), strict=True)
    return Leg(message, *(median(column) for column in columns))
