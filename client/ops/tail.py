"""`trustflow ops tail`: every topic as the operator reads it, dead letters included."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from bus.speaker import Heard, Speaker
from client import terminal
from client.ops.causes import as_record, time_of, told
from client.ops.moments import Since, Until
from client.terminal import AsJson, out, say_json
from schemas.topics import REPLAY_PREFIX


@dataclass(frozen=True, slots=True)
class Filter:
    """What is to be shown; what is None matches everything."""

    type_: str | None = None
    key: str | None = None
    trust: str | None = None
    until: datetime | None = None

    def passes(self, heard: Heard) -> bool:
        named = heard.envelope.type if heard.envelope else ""
        return (
            (self.type_ is None or self.type_ in named)
            and (self.key is None or self.key == heard.key)
            and (self.trust is None or _concerns(heard, self.trust))
            and (self.until is None or heard.at < self.until)
        )


def tail(
    *,
    type_: Annotated[str | None, typer.Option("--type", help="Only types that contain this text.")] = None,
    key: Annotated[str | None, typer.Option(help="Only this project, query, model or run.")] = None,
    trust: Annotated[str | None, typer.Option(help="Only what a trust says, hears or is told about.")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic; give it once for each.")] = None,
    since: Since = None,
    until: Until = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every event of every topic in the order of time; with --follow what comes as well.

    trustflow ops tail --type import --trust amber --since 15m --follow
    """
    wanted = Filter(type_, key, trust, until)

    async def work() -> None:
        async with terminal.operator_ears() as ears, aclosing(said(ears, topic, since, follow)) as stream:
            async for heard in stream:
                if wanted.passes(heard):
                    _print(heard, as_json)

    terminal.ended(work)


async def said(
    ears: Speaker, topics: list[str] | None, since: datetime | None, follow: bool
) -> AsyncGenerator[Heard, None]:
    """What is there, sorted by time, and then what comes."""
    topics = topics or await originals(ears)
    now = await ears.bookmark(topics)
    past = [heard async for heard in ears.events(topics, since=since, until=now)]
    for heard in sorted(past, key=lambda heard: heard.at):
        yield heard
    if follow:
        async with aclosing(ears.events(topics, since=now)) as coming:
            async for heard in coming:
                yield heard


async def said_so_far(ears: Speaker) -> AsyncGenerator[Heard, None]:
    """Every record of every topic but the operators' private copies."""
    async with aclosing(ears.events(await originals(ears), until="now")) as past:
        async for heard in past:
            yield heard


async def originals(ears: Speaker) -> list[str]:
    return [topic for topic in await ears.topics() if not topic.startswith(REPLAY_PREFIX)]


def name_of(heard: Heard) -> str:
    return heard.envelope.type.removeprefix("trustflow.") if heard.envelope else "(no envelope)"


def _concerns(heard: Heard, trust: str) -> bool:
    return heard.topic.startswith(f"trust.{trust}.") or getattr(heard.message, "trust_id", "") == trust


def _print(heard: Heard, as_json: bool) -> None:
    if as_json:
        say_json(as_record(heard))
        return
    fault = f" [red]✗ {escape(heard.fault)}[/]" if heard.fault else ""
    about = escape(f"{name_of(heard)} {heard.key} on {heard.topic} {told(heard)}")
    out.print(f"{time_of(heard):%H:%M:%S.%f} {about}{fault}", soft_wrap=True, highlight=False)
