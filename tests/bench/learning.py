"""The parts that need a whole federation: rounds, commands to a trust, bytes by the object lane; and folding."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from rich.console import Console

from infra import lifecycle
from infra.federation import Federation
from tests.bench.commands import command_latencies
from tests.bench.findings import Finding, load_now
from tests.bench.folding import updates
from tests.bench.ping import percentile, ping
from tests.bench.results import Measured, Result
from tests.bench.rounds import CHAIN, Leg, Rounds, run_rounds
from tests.bench.stand import RUN, Stand, stand
from tests.bench.transfers import bare_round, store, to_two_trusts, two_processes

MODEL_BYTES = 102_000_000
LARGE_BYTES = 795_000_000
NVFLARE_S, FLOWER_S = 2.50, 6.08
"""Medians published in the project's study of peers: the same trivial client, two of them, on 2 cores."""

LEG_COLUMNS = ("model", "message", "committed, relayed", "broker to reader", "handled, worked on")


def rounds(console: Console) -> Result:
    """Play runs on a federation of its own, then move the same bytes without it."""
    try:
        federation, findings, legs = asyncio.run(_live(console))
        findings[-1:] = _moved(federation, findings[-1])
    finally:
        lifecycle.down(console.print, RUN)
    return Result(tuple(findings), (_legs(legs),))


def folded(_console: Console) -> Result:
    with updates(RUN / "updates") as updates_:
        peaks = {count: updates_.memory(count) for count in (2, 8, 32)}
        times = updates_.times(8)
    resident = [
        Finding(f"fold {count} x 102 MB, peak resident above idle", peak["resident"], "models", 1.5, load=load_now())
        for count, peak in peaks.items()
    ]
    private = max(peak["private"] for peak in peaks.values())
    plain, bare = times["plain"], "torch, in memory, in place"
    return Result((
        *resident,
        Finding("… of which not backed by a file (most of the three)", private, "models", load=load_now()),
        Finding("fold 8 x 102 MB from files", times["ours"], "s", 1.3 * plain, plain, bare, load_now()),
    ))  # fmt: skip


async def _live(console: Console) -> tuple[Federation, list[Finding], dict[str, tuple[Leg, ...]]]:
    """Measure what needs the running federation."""
    async with stand(console) as stand_:
        hop = await ping(stand_.federation, 300)
        tiny = await run_rounds(stand_, "tiny", 30)
        findings = _tiny(tiny, median(hop), load_now())
        console.print(f"tiny rounds: {tiny.median:.3f} s")
        findings += await _commands(stand_, hop)
        large = await run_rounds(stand_, "resnet50", 6)
        console.print(f"102 MB rounds: {large.median:.3f} s")
        return stand_.federation, [*findings, _large(large, tiny)], {"tiny": tiny.legs, "102 MB": large.legs}


def _tiny(tiny: Rounds, hop: float, load: float) -> list[Finding]:
    bare = len(CHAIN) * hop
    return [
        Finding("round, 10 parameters, 2 trusts", tiny.median, "s", 0.10, bare, f"{len(CHAIN)} hops of Kafka", load),
        Finding("… slowest of all rounds", max(tiny.seconds), "s", load=load),
        Finding("… NVFLARE 2.9.0, published", NVFLARE_S, "s"),
        Finding("… Flower 1.41.0, published", FLOWER_S, "s"),
    ]


async def _commands(stand_: Stand, hop: tuple[float, ...]) -> list[Finding]:
    seconds = await command_latencies(stand_, 300)
    return [
        Finding(
            f"command in the hub to handler at the trust, p{which}",
            percentile(seconds, which) * 1000,
            "ms",
            aim,
            percentile(hop, which) * 1000,
            "one hop of Kafka",
            load_now(),
        )
        for which, aim in ((50, 20), (99, 100))
    ]


def _large(large: Rounds, tiny: Rounds) -> Finding:
    return Finding("round with 102 MB, over the tiny one", large.median - tiny.median, "s", 0.6, load=load_now())


def _moved(federation: Federation, large: Finding) -> list[Finding]:
    """Measure the object lane beside plain transfers of the same bytes."""
    with store(federation) as store_, two_processes() as pool:
        bare = median(bare_round(store_, pool, MODEL_BYTES) for _ in range(4))
        both = [to_two_trusts(store_, pool, LARGE_BYTES) for _ in range(3)]
    ours, plain = (median(times) for times in zip(*both, strict=True))
    there = Finding("795 MB to two trusts", ours, "s", 5, plain, "aiohttp, sha256, write", load_now())
    beside = Finding(large.what, large.ours, "s", large.aim, bare, "its 7 transfers, sha256", large.load)
    return [beside, there]


def _legs(legs: Mapping[str, Sequence[Leg]]) -> Measured:
    text = "Medians in ms, followed from cause to cause along the slower trust of each round."
    return Measured("Where the time of a round goes", text, LEG_COLUMNS, tuple(_leg_rows(legs)))


def _leg_rows(legs: Mapping[str, Sequence[Leg]]) -> Iterator[tuple[str, ...]]:
    for model, ways in legs.items():
        for leg in ways:
            columns = (f"{seconds * 1000:.1f}" for seconds in (leg.to_broker, leg.to_reader, leg.work))
            yield (model, leg.message.split(".")[-2], *columns)
