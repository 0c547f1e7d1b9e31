"""`trustflow cohort`: count at each trust, and see what it chose to release."""

import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from client.sdk import Trustflow
from client.terminal import Actor, AsJson, out, pictures, play, say_json, table
from schemas.views import QueryView, fold_query

app = typer.Typer(no_args_is_help=True, help="Count a cohort at each trust; only released counts come back.")


@app.command()
def query(
    project_id: Annotated[str, typer.Argument(help="The project that asks.", show_default=False)],
    actor: Actor,
    trust: Annotated[list[str], typer.Option(help="A trust to ask; give it once for each.", show_default=False)],
    sql: Annotated[str, typer.Option(help="One SELECT over the OMOP CDM; @FILE or @- reads it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """2. Count distinct persons at each trust, live; prints the query's id for `project stage`.

    trustflow cohort query ID --trust amber --trust birch --sql @cohort.sql --as ann
    """
    text = sql_text(sql)

    async def work(hub: Trustflow) -> QueryView | None:
        view: QueryView | None = None
        with pictures(as_json) as draw:
            async with aclosing(hub.query(project_id, text, trust)) as answers:
                async for event in answers:
                    view = fold_query(view, event)
                    if as_json:
                        say_json(event)
                    elif view:
                        draw(picture(view))
        return view

    view = play(work, actor)
    if view and not as_json:
        out.print(picture(view))
        out.print(f"Next: trustflow project stage {project_id} --query {view.query_id} --trust …", soft_wrap=True)


@app.command()
def show(
    query_id: Annotated[str, typer.Argument(help="The query's id.", show_default=False)], as_json: AsJson = False
) -> None:
    """What each trust released for a query.

    trustflow cohort show QUERY
    """
    view = play(lambda hub: hub.cohort(query_id))
    if as_json:
        say_json(view)
    else:
        out.print(picture(view))


def sql_text(given: str) -> str:
    if given == "@-":
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text()
    except OSError as error:
        raise typer.BadParameter(f"{given[1:]} cannot be read: {error.strerror}", param_hint="--sql") from None


def picture(view: QueryView) -> Table:
    rows = [_row(view, trust) for trust in view.trusts]
    if view.total:
        persons = "hidden" if view.total.persons is None else view.total.persons
        rows.append(("all", f"{view.total.counted} of {view.total.asked} counted", persons, ""))
    return table(f"Query {view.query_id}", ("trust", "outcome", "persons", "why"), rows)


def _row(view: QueryView, trust: str) -> tuple[object, ...]:
    answer = view.answers.get(trust)
    if answer is None:
        return (trust, "waiting", "", "")
    cells = "; ".join(
        f"{', '.join(cell.keys)}: {'hidden' if cell.persons is None else cell.persons}" for cell in answer.cells
    )
    why = f"{answer.code}: {answer.reason}" if answer.code else ""
    return (trust, answer.outcome, answer.persons if not cells else f"{answer.persons} ({cells})", why)
