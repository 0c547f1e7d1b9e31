"""`trustflow ops top`: the dashboards' figures of every participant, in a terminal."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import aiohttp
import typer
from rich.markup import escape
from rich.table import Table

from client import terminal
from client.ops.figures import Look, looked
from client.ops.panels import OVERVIEW, Board, Panel
from client.settings import federation_settings
from client.terminal import AsJson, pictures, say_json

ANSWER_WITHIN_S = 3.0
MOST_COLUMNS = 8

Looks: TypeAlias = Mapping[str, Look]
"""By participant; who did not answer is not in it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one panel says of one participant; ``value`` is nothing where it does not answer, or saw nothing."""

    question: str
    panel: Panel
    participant: str
    value: float | None

    @property
    def is_bad(self) -> bool:
        return self.value is not None and self.panel.bad_from is not None and self.value >= self.panel.bad_from


def top(
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option(help="Look twice, say it, and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Is it flowing, is it late, is it failing, who is stuck, can it recover: every participant at a glance.

    trustflow ops top --once
    """
    terminal.ended(lambda: _watch(federation_settings().metrics_urls(), every, once, as_json))


async def _watch(urls: Mapping[str, str], every: float, once: bool, as_json: bool) -> None:
    with pictures(as_json or once) as draw:
        async for cells in glances(urls, every):
            if as_json:
                for cell in cells:
                    say_json(as_record(cell))
            elif once:
                terminal.out.print(picture(cells))
            else:
                draw(picture(cells))
            if once:
                return


async def glances(urls: Mapping[str, str], every: float) -> AsyncIterator[Sequence[Cell]]:
    """Every figure of every participant, again and again; a rate is that since the glance before."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_WITHIN_S)) as session:
        before = await look(session, urls)
        while True:
            await asyncio.sleep(every)
            now = await look(session, urls)
            yield tuple(cells(OVERVIEW, urls, before, now))
            before = now


async def look(session: aiohttp.ClientSession, urls: Mapping[str, str]) -> Looks:
    looks = await asyncio.gather(*(_look_at(session, url) for url in urls.values()))
    return {name: found for name, found in zip(urls, looks, strict=True) if found is not None}


async def _look_at(session: aiohttp.ClientSession, url: str) -> Look | None:
    try:
        async with session.get(url) as answer:
            answer.raise_for_status()
            return looked(await answer.text(), time.monotonic())
    except (aiohttp.ClientError, TimeoutError):
        return None


def cells(board: Board, participants: Iterable[str], before: Looks, now: Looks) -> Iterator[Cell]:
    for participant in participants:
        for row in board.rows:
            for panel in row.panels:
                yield Cell(
                    row.question, panel, participant, _value(panel, before.get(participant), now.get(participant))
                )


def as_record(cell: Cell) -> dict[str, object]:
    return {
        "participant": cell.participant,
        "question": cell.question,
        "panel": cell.panel.title,
        "value": cell.value,
        "unit": cell.panel.unit,
        "bad": cell.is_bad,
    }


def picture(found: Sequence[Cell]) -> Table:
    """One column for each participant; where there are many, for those that deserve a look first."""
    by_place = {(cell.question, cell.panel.title, cell.participant): cell for cell in found}
    participants = worst_first(found)
    shown, hidden = participants[:MOST_COLUMNS], participants[MOST_COLUMNS:]
    table = Table("", *map(escape, shown), caption=f"and {len(hidden)} more that look better" if hidden else None)
    for column in table.columns[1:]:
        column.justify = "right"
    question = ""
    for place in dict.fromkeys((cell.question, cell.panel.title) for cell in found):
        if place[0] != question:
            question = place[0]
            table.add_section()
            table.add_row(f"[bold]{question}[/]")
        table.add_row(f"  {place[1]}", *(_said(by_place[*place, participant]) for participant in shown))
    return table


def worst_first(found: Iterable[Cell]) -> list[str]:
    """Participants that do not answer, then those with most bad figures, then in the order given."""
    badness: dict[str, int] = {}
    for cell in found:
        away = cell.value is None and cell.panel.bad_from is None
        badness[cell.participant] = badness.get(cell.participant, 0) + (100 if away else int(cell.is_bad))
    return sorted(badness, key=lambda participant: -badness[participant])


def _value(panel: Panel, before: Look | None, now: Look | None) -> float | None:
    if before is None or now is None:
        return None
    value = panel.figure.answer(before, now)[()]
    return None if math.isnan(value) else value


def _said(cell: Cell) -> str:
    if cell.value is None:
        return "-"
    text = _text(cell.value, cell.panel)
    return f"[red]{text}[/]" if cell.is_bad else text


def _text(value: float, panel: Panel) -> str:
    match panel.unit:
        case "yes or no":
            return "yes" if value else "no"
        case "bytes" | "bytes per second":
            return f"{value / 1e6:.1f} M{'B/s' if panel.unit.endswith('second') else 'B'}"
        case "per second":
            return f"{value:.1f}/s"
        case "seconds":
            return f"{value:.3g} s"
        case _:
            return f"{value:.0f}"
