"""`trustflow ops views`: which generations of each view there are, and an end to those that nobody needs any more."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bus.views import generations
from bus.views.generations import Contents, Generation
from client import terminal
from client.ops.account import Act, Warrant, accounted
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.rebuild import view_named, views_database
from client.terminal import AsJson, out, say, say_json, table
from schemas.views import VIEWS, AnyView

KEPT_FOR_DAYS = 7.0

app = typer.Typer(no_args_is_help=True, help="Generations of the views that the gateway keeps.")
Found = tuple[Generation, Contents]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Each view's generations: one is live, the others were replaced, or show a view as it was.

    trustflow ops views list
    """
    found = terminal.ended(_all)
    if as_json:
        for one, contents in found:
            facts = {"view": one.view, "generation": one.number, "state": one.state}
            say_json({**facts, "rows": contents.rows, "checksum": contents.checksum})
        return
    rows = [(one.view, one.number, one.state, contents.rows, contents.checksum[:12]) for one, contents in found]
    out.print(table("Views", ("view", "generation", "state", "rows", "sha256"), rows))


@app.command("drop")
def drop_(
    view: Annotated[str, typer.Argument(help="The view.", show_default=False)],
    *,
    days: Annotated[float, typer.Option(min=0, help="Those that have not changed for so many days.")] = KEPT_FOR_DAYS,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Drop generations that are not live; the live one is never touched.

    trustflow ops views drop project --yes --why "Replaced a week ago."
    """
    given = warrant(yes, why, operator)
    unwanted = terminal.ended(lambda: _dropped(view_named(view), days, given))
    verb = "would be dropped" if given is None else "dropped"
    numbers = [one.number for one in unwanted]
    names = ", ".join(one.table for one in unwanted) or "nothing"
    say(as_json, {"view": view, "generations": numbers, "dropped": given is not None}, f"{verb}: {names}")
    if given is None:
        tell_dry_run(as_json)


async def _all() -> list[Found]:
    async with views_database() as connection:
        found = [one for view in VIEWS for one in await generations.generations(connection, view.name)]
        return [(one, await generations.contents(connection, one.table)) for one in found]


async def _dropped(view: AnyView, days: float, given: Warrant | None) -> Sequence[Generation]:
    async with terminal.operator_ears() as speaker, views_database() as connection:
        unwanted = await generations.outdated(connection, view.name, days)
        if given is None or not unwanted:
            return unwanted
        async with accounted(speaker, given, Act("drop_generations", view.name, len(unwanted))) as progress:
            for one in unwanted:
                await generations.drop(connection, one)
                progress.count += 1
        return unwanted
