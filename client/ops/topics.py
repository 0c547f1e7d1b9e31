"""`trustflow ops topics`: the broker's topics beside those of `schemas/topics.py`, and how to bring them together."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bus.admin.topic_admin import topic_admin
from client import terminal
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.topic_plan import Step, compare
from client.ops.topic_plan import apply as apply_steps
from client.settings import federation_settings
from client.terminal import AsJson, out, say, say_json, table

app = typer.Typer(no_args_is_help=True, help="Topics of the broker, beside schemas/topics.py (the administrator's).")

Grow = Annotated[bool, typer.Option("--grow", help="Add partitions, although the order of each key breaks once.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete topics that are not ours and hold no record.")]


@app.command()
def plan(grow: Grow = False, prune: Prune = False, as_json: AsJson = False) -> None:
    """What differs between the broker and `schemas/topics.py`, and what `apply` would do.

    trustflow ops topics plan
    """
    _show(_differences(grow=grow, prune=prune), as_json)


@app.command()
def apply(
    *,
    grow: Grow = False,
    prune: Prune = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Create what is missing and set limits right; partitions only with --grow, deletions only with --prune.

    trustflow ops topics apply --yes --why "Trust cedar joins."
    """
    given = warrant(yes, why, operator)
    if given is None:
        _show(_differences(grow=grow, prune=prune), as_json)
        tell_dry_run(as_json)
        return

    async def work() -> int:
        settings = federation_settings()
        async with topic_admin(settings.admin_login()) as admin, terminal.administrators_voice() as voice:
            steps = await compare(admin, settings.known_trusts(), grow=grow, prune=prune)
            return await apply_steps(admin, voice, steps, given)

    count = terminal.ended(work)
    say(as_json, {"changed": count}, f"topics changed: {count}")


def _differences(*, grow: bool, prune: bool) -> list[Step]:
    async def work() -> list[Step]:
        settings = federation_settings()
        async with topic_admin(settings.admin_login()) as admin:
            return await compare(admin, settings.known_trusts(), grow=grow, prune=prune)

    return terminal.ended(work)


def _show(steps: Sequence[Step], as_json: bool) -> None:
    if as_json:
        for step in steps:
            say_json({"change": step.change, "topic": step.topic, "because": step.because})
    elif steps:
        out.print(table("Topics", ("change", "topic", "because"), ((s.change, s.topic, s.because) for s in steps)))
    else:
        out.print("The broker's topics are those of schemas/topics.py.")
