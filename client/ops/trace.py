"""`trustflow ops trace`: from one click to everything it caused, in every trust."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from client import terminal
from client.hearing import NotFound
from client.ops.causes import Node, Step, as_record, is_refusal, related, time_of, told, tree, walk
from client.ops.tail import name_of, said_so_far
from client.terminal import AsJson, out, say_json

DEEPEST = 12
TRUST_TOPIC = re.compile(r"trust\.([^.]+)\.")


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

    trustflow ops trace RUN
    """
    steps = list(walk(terminal.ended(lambda: caused(id_))))
    for step in steps:
        if as_json:
            say_json(step_as_record(step))
        else:
            out.print(line(step), soft_wrap=True, highlight=False)
    if not as_json:
        out.print(summary(steps), soft_wrap=True, highlight=False)


async def caused(id_: str) -> list[Node]:
    """The trees of everything that has to do with the id.

    Raises
    ------
    NotFound
    """
    async with terminal.operator_ears() as ears:
        roots = tree(related([heard async for heard in said_so_far(ears)], id_))
    if not roots:
        raise NotFound(f"no event names {id_}: `trustflow ops tail` shows what there is")
    return roots


def line(step: Step) -> str:
    """One line of the tree, in rich's markup."""
    node = step.node
    gap = "" if step.after_s is None else f"{step.after_s:+.3f} s"
    colour = "red" if is_refusal(node) or node.heard.fault or node.put_aside else "default"
    indent = "  " * min(step.depth, DEEPEST)
    return f"{time_of(node.heard):%H:%M:%S.%f} {gap:>11}  {indent}[{colour}]{escape(_text(node))}[/]"


def summary(steps: Sequence[Step]) -> str:
    """How much there was, where, how long it took, and where most of the time went."""
    heard = [step.node.heard for step in steps]
    trusts = {found[1] for record in heard if (found := TRUST_TOPIC.match(record.topic))}
    lasted = max(map(time_of, heard)) - min(map(time_of, heard))
    slowest = max(steps, key=lambda step: step.after_s or 0.0)
    longest = (
        f"; the longest gap, {slowest.after_s:.3f} s, before {name_of(slowest.node.heard)}" if slowest.after_s else ""
    )
    return f"{len(heard)} messages, {len(trusts)} trusts, {lasted.total_seconds():.3f} s{longest}"


def step_as_record(step: Step) -> dict[str, object]:
    aside = [as_record(copy) for copy in step.node.put_aside]
    again = [as_record(copy) for copy in step.node.redriven]
    place = {"depth": step.depth, "after_s": step.after_s}
    return {**as_record(step.node.heard), **place, "put_aside": aside, "redriven": again}


def _text(node: Node) -> str:
    heard = node.heard
    aside = "".join(f" ✗ put aside by {copy.put_aside_by}: {copy.fault}" for copy in node.put_aside)
    again = "".join(f" ↻ redriven by {copy.redriven_by} at {copy.at:%H:%M:%S}" for copy in node.redriven)
    fault = f" ✗ {heard.fault}" if heard.fault and not node.put_aside else ""
    return f"{name_of(heard)} {heard.key} on {heard.topic} {told(heard)}{fault}{aside}{again}".rstrip()
