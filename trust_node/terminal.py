"""What the commands at the trust share: who decides, why, and how a refusal is said."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from trust_node.desk import Desk

REFUSED = 2

AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, nothing else.")]
Person = Annotated[
    str,
    typer.Option("--as", envvar="TRUSTFLOW_USER", help="Who decides: an approver of this trust.", show_default=False),
]
Why = Annotated[str, typer.Option("--reason", help="Why; it stays at the trust.", show_default=False)]

err = Console(stderr=True)


def desk_at(context: typer.Context) -> Desk:
    """The desk of the node whose variables are in the environment, or in the file named by --env."""
    try:
        return Desk.open(context.obj)
    except ValidationError as error:
        faults = ", ".join(sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)}))
        _refuse(
            f"the node's settings are missing or wrong: {faults}. Name its file of variables: trustflow node --env FILE"
        )


def carried_out(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run to the end; what was refused becomes one sentence on stderr and exit code 2."""

    async def awaited() -> Any:
        return await work()

    try:
        return asyncio.run(awaited())
    except (LookupError, ValueError) as refusal:
        _refuse(str(refusal))


def _refuse(sentence: str) -> NoReturn:
    err.print(f"[red]{escape(sentence)}[/]", soft_wrap=True)
    raise typer.Exit(REFUSED) from None


def say_json(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
