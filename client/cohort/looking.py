"""Look: one query, all of a project, two against each other, trusts side by side."""

from typing import Annotated

import typer

from client.cohort.asking import QueryId
from client.cohort.pictures import whole
from client.comparing import Version, versions
from client.figures import about, joint_margin, released, troubled
from client.sdk import Trustflow
from client.terminal import AsJson, out, play, say_json, table
from schemas.views import QueryView

ProjectId = Annotated[str, typer.Argument(help="The project's id.", show_default=False)]


def show(query_id: QueryId, as_json: AsJson = False) -> None:
    """What each trust released for a query: figures, tables, attrition, and the text it was asked with.

    trustflow cohort show QUERY
    """

    async def work(hub: Trustflow) -> tuple[QueryView, str | None]:
        view = await hub.cohort(query_id)
        return view, await hub.correlation(query_id) if troubled(view) else None

    view, correlation = play(work)
    if as_json:
        say_json(view)
    else:
        out.print(whole(view, correlation))


def every(project_id: ProjectId, as_json: AsJson = False) -> None:
    """The cohorts of a project: versions, runs and totals.

    trustflow cohort list PROJECT
    """
    views = play(lambda hub: hub.cohorts(project_id))
    if as_json:
        for view in views:
            say_json(view)
    else:
        rows = [row for version in versions(views) for row in _runs(version)]
        out.print(table("Cohorts", ("cohort", "version", "query", "asked by", "trusts", "total"), rows))


def _runs(version: Version) -> list[tuple[object, ...]]:
    return [
        (
            version.cohort if number == 0 else "",
            version.number or "" if number == 0 else "again",
            run.query_id,
            run.submitted_by,
            f"{len(run.answers)} of {len(run.trusts)}",
            _total(run),
        )
        for number, run in enumerate(version.runs)
    ]


def _total(view: QueryView) -> str:
    if view.total is None:
        return "waiting"
    return about(view.total.persons, joint_margin(answer.margin for answer in released(view).values()))
