"""`trustflow ops exporter`: for Prometheus, what only the broker knows: letters nobody dealt with, and who is away."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bus.admin.lag import PartitionLag, lags
from bus.login import Login
from bus.speaker import Speaker, Unreachable
from client import terminal
from client.ops.account import read_ledger
from client.ops.letters import Letter, read_letters, standing
from client.settings import federation_settings
from client.terminal import out

Grouped = TypeVar("Grouped", Letter, PartitionLag)


@dataclass(slots=True, eq=False)
class Known(Collector):
    """What was read of the broker, and when; ages are worked out when somebody looks."""

    letters: Sequence[Letter] = ()
    lags: Sequence[PartitionLag] = ()
    read_at: datetime | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self.read_at is not None:
            now = datetime.now(UTC)
            age = (now - self.read_at).total_seconds()
            yield GaugeMetricFamily("trustflow_broker_read_seconds", "Time since the broker was asked", age)
            yield from families(self, now)


def families(known: Known, now: datetime) -> Iterator[GaugeMetricFamily]:
    """By group. One that is well says 0, and is not absent."""
    lags = _by_group(known.lags)
    letters: dict[str, list[Letter]] = {**{group: [] for group in lags}, **_by_group(known.letters)}
    opened = {group: len(found) for group, found in letters.items()}
    yield _family("letters_open", "Dead letters that nobody has dealt with", opened)
    ages = {group: max((_age(one, now) for one in found), default=0.0) for group, found in letters.items()}
    yield _family("letters_oldest_seconds", "Age of the oldest of them", ages)
    unread = {group: sum(lag.records for lag in found) for group, found in lags.items()}
    yield _family("group_lag_records", "Records that a group has not read", unread)
    behind = {group: max(lag.seconds(now) or 0.0 for lag in found) for group, found in lags.items()}
    yield _family("group_lag_seconds", "Age of the oldest of them, where it is known", behind)
    members = {group: found[0].members for group, found in lags.items()}
    yield _family("group_members", "Processes that read for a group", members)


def _by_group(found: Iterable[Grouped]) -> dict[str, list[Grouped]]:
    groups: defaultdict[str, list[Grouped]] = defaultdict(list)
    for one in found:
        groups[one.group].append(one)
    return groups


def _age(letter: Letter, now: datetime) -> float:
    return (now - letter.at).total_seconds()


def _family(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"trustflow_{name}", text, labels=("group",))
    for group, value in values.items():
        family.add_metric((group,), value)
    return family


def exporter(
    port: Annotated[int, typer.Option(help="Where Prometheus may ask, on this machine.")] = 9464,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks at the broker.")] = 30,
) -> None:
    """Serve what only the broker knows at /metrics, until it is stopped.

    trustflow ops exporter --port 9464
    """
    terminal.ended(lambda: _serve(federation_settings().operator_login(), port, every))


async def _serve(login: Login, port: int, every: float) -> None:
    async with serving(login, port, every) as asking:
        out.print(f"http://127.0.0.1:{port}/metrics", highlight=False)
        await asking


@asynccontextmanager
async def serving(login: Login, port: int, every: float) -> AsyncIterator[asyncio.Task[None]]:
    """Answer at /metrics and /health; the task is the one that asks the broker."""
    known = Known()
    runner = web.AppRunner(_app(known))
    await runner.setup()
    asking = asyncio.create_task(_ask_for_ever(known, login, every))
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield asking
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await runner.cleanup()


async def _ask_for_ever(known: Known, login: Login, every: float) -> None:
    """A broker that is away leaves what was known, and the time since."""
    while True:
        try:
            known.letters, known.lags = await _open_letters(login), await lags(login)
            known.read_at = datetime.now(UTC)
        except Unreachable as away:
            terminal.err.print(str(away), markup=False)
        await asyncio.sleep(every)


async def _open_letters(login: Login) -> list[Letter]:
    async with Speaker(login) as speaker:
        letters, ledger = await read_letters(speaker), await read_ledger(speaker)
    return [letter for letter in letters if standing(letter, ledger) == "open"]


def _app(known: Known) -> web.Application:
    registry = CollectorRegistry()
    registry.register(known)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/health", health)
    return app
