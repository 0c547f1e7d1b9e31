"""`trustflow events`: read every topic as the operator does, dead letters included."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape

from bus.speaker import Heard, Speaker
from client import terminal
from client.sdk import NotFound
from client.terminal import AsJson, out, say_json
from client.trace import Node, Step, as_record, is_refusal, related, time_of, told, tree, walk

app = typer.Typer(no_args_is_help=True, help="See what was said and what it caused (needs the operator's password).")

DEEPEST = 12


@app.command()
def tail(
    *,
    type_: Annotated[str | None, typer.Option("--type", help="Only types that contain this text.")] = None,
    key: Annotated[str | None, typer.Option(help="Only this project, query, model or run.")] = None,
    trust: Annotated[str | None, typer.Option(help="Only what a trust says, hears or is told about.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Only the last so many minutes.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every event of every topic in the order of time; with --follow what comes as well.

    trustflow events tail --type import --trust amber --follow
    """

    def wanted(heard: Heard) -> bool:
        return matches(heard, type_, key, trust)

    async def work() -> None:
        since = datetime.now(UTC) - timedelta(minutes=minutes) if minutes else None
        async with terminal.operator_ears() as ears, aclosing(said(ears, since, follow)) as stream:
            async for heard in stream:
                if wanted(heard):
                    _print(heard, as_json)

    terminal.ended(work)


@app.command()
def trace(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A project, query, model, run, command, event or correlation.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """What caused what, with times and gaps; refusals and dead letters stand out.

    trustflow events trace RUN
    """

    async def work() -> None:
        async with terminal.operator_ears() as ears:
            roots = tree(related([heard async for heard in ears.events(await ears.topics(), until="now")], id_))
        if not roots:
            raise NotFound(f"no event names {id_}: `trustflow events tail` shows what there is")
        for step in walk(roots):
            if as_json:
                say_json(step_as_record(step))
            else:
                out.print(line(step), soft_wrap=True, highlight=False)

    terminal.ended(work)


async def said(ears: Speaker, since: datetime | None, follow: bool) -> AsyncGenerator[Heard, None]:
    """What is there, sorted by time, and then what comes."""
    topics = await ears.topics()
    now = await ears.bookmark(topics)
    past = [heard async for heard in ears.events(topics, since=since, until=now)]
    for heard in sorted(past, key=lambda heard: heard.at):
        yield heard
    if follow:
        async with aclosing(ears.events(topics, since=now)) as coming:
            async for heard in coming:
                yield heard


def matches(heard: Heard, type_: str | None, key: str | None, trust: str | None) -> bool:
    named = heard.envelope.type if heard.envelope else ""
    return (
        (type_ is None or type_ in named)
        and (key is None or key == heard.key)
        and (
            trust is None
            or heard.topic.startswith(f"trust.{trust}.")
            or getattr(heard.message, "trust_id", "") == trust
        )
    )


def line(step: Step) -> str:
    """One line of the tree, in rich's markup."""
    node = step.node
    gap = "" if step.after_s is None else f"{step.after_s:+.3f} s"
    colour = "red" if is_refusal(node) or node.heard.fault or node.put_aside else "default"
    indent = "  " * min(step.depth, DEEPEST)
    return f"{time_of(node.heard):%H:%M:%S.%f} {gap:>11}  {indent}[{colour}]{escape(_text(node))}[/]"


def step_as_record(step: Step) -> dict[str, object]:
    aside = [as_record(copy) for copy in step.node.put_aside]
    return {**as_record(step.node.heard), "depth": step.depth, "after_s": step.after_s, "put_aside": aside}


def _text(node: Node) -> str:
    heard = node.heard
    aside = "".join(f" ✗ put aside by {copy.put_aside_by}: {copy.fault}" for copy in node.put_aside)
    fault = f" ✗ {heard.fault}" if heard.fault and not node.put_aside else ""
    return f"{_name(heard)} {heard.key} on {heard.topic} {told(heard)}{fault}{aside}".rstrip()


def _name(heard: Heard) -> str:
    return heard.envelope.type.removeprefix("trustflow.") if heard.envelope else "(no envelope)"


def _print(heard: Heard, as_json: bool) -> None:
    if as_json:
        say_json(as_record(heard))
        return
    fault = f" [red]✗ {escape(heard.fault)}[/]" if heard.fault else ""
    about = escape(f"{_name(heard)} {heard.key} on {heard.topic} {told(heard)}")
    out.print(f"{time_of(heard):%H:%M:%S.%f} {about}{fault}", soft_wrap=True, highlight=False)
