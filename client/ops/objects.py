"""`trustflow ops objects`: what lies in the object lane and nothing names."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from client import terminal
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.rubbish import FolderStore, Stored, look, sweep
from client.settings import NotRunning, federation_settings
from client.terminal import AsJson, out, say, say_json, table

app = typer.Typer(no_args_is_help=True, help="The object lane, where the store's folder is on this machine.")


@app.command("sweep")
def sweep_(
    *,
    grace: Annotated[float, typer.Option(min=1.0, help="Days that an object is left alone after its last part.")] = 7.0,
    most: Annotated[bool, typer.Option("--most", help="Even if that is more than half of what is stored.")] = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Remove objects that no event names: leftovers of uploads that were cut or refused.

    trustflow ops objects sweep --yes --why "The disk is at 80 %."
    """
    given = warrant(yes, why, operator)

    async def work() -> tuple[Sequence[Stored], Sequence[Stored]]:
        store = _store()
        async with terminal.operator_ears() as speaker:
            found = await look(speaker, store, datetime.now(UTC), timedelta(days=grace))
            gone = await sweep(speaker, store, found, given, most=most) if given and found.unnamed else ()
            return found.unnamed, gone

    found, gone = terminal.ended(work)
    if given is None:
        _show(found, as_json)
        tell_dry_run(as_json)
    else:
        size = sum(one.size for one in gone)
        say(as_json, {"removed": len(gone), "bytes": size}, f"removed: {len(gone)} objects, {size} bytes")


def _store() -> FolderStore:
    folder = federation_settings().objects_folder
    if folder is None or not folder.is_dir():
        raise NotRunning("the object store's folder is not here: set TRUSTFLOW_OBJECTS_FOLDER on the store's machine")
    return FolderStore(folder)


def _show(found: Sequence[Stored], as_json: bool) -> None:
    if as_json:
        for one in found:
            say_json(
                {"prefix": one.prefix, "parts": one.parts, "bytes": one.size, "written": one.written_at.isoformat()}
            )
        return
    if not found:
        out.print("Nothing to remove: events name every object, or it is too young.")
        return
    rows = [(one.prefix, one.parts, one.size, f"{one.written_at:%Y-%m-%d %H:%M}") for one in found]
    total = ("all", sum(one.parts for one in found), sum(one.size for one in found), "")
    out.print(table("Objects that no event names", ("object", "parts", "bytes", "written"), [*rows, total]))
