"""Ask: count a cohort, count it again, stop counting."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

import typer

from bus.uow import new_id
from client.cohort.pictures import picture, results
from client.cohort.texts import file_text, rule, sql_text
from client.figures import troubled
from client.sdk import Trustflow
from client.terminal import Actor, AsJson, err, out, pictures, play, say, say_json
from schemas.cohort import CohortEvent
from schemas.views import QueryView, fold_query

QueryId = Annotated[str, typer.Argument(help="The query's id.", show_default=False)]
Trusts = Annotated[list[str], typer.Option(help="A trust to ask; give it once for each.", show_default=False)]
Counting = Callable[[Trustflow, str], AsyncGenerator[CohortEvent, None]]


def query(
    project_id: Annotated[str, typer.Argument(help="The project that asks.", show_default=False)],
    *,
    actor: Actor,
    trust: Trusts,
    sql: Annotated[str | None, typer.Option(help="One SELECT over the OMOP CDM; @FILE or @- reads it.")] = None,
    criteria: Annotated[str | None, typer.Option(help="A file of criteria (JSON as of Circe) instead of SQL.")] = None,
    cohort: Annotated[str | None, typer.Option(help="The name of the cohort that this is a version of.")] = None,
    statistics: Annotated[list[str] | None, typer.Option(help="A table to tell with it, or `all`.")] = None,
    rule_: Annotated[list[str] | None, typer.Option("--rule", help="NAME=@FILE: a step of an attrition.")] = None,
    attrition: Annotated[bool, typer.Option("--attrition", help="Count after each rule of the criteria.")] = False,
    images: Annotated[bool, typer.Option("--images", help="Criteria: hand over the images of whom they find.")] = False,
    check: Annotated[bool, typer.Option(help="Judge SQL or criteria here first, as hub and trusts will.")] = True,
    as_json: AsJson = False,
) -> None:
    """2. Count distinct persons at each trust, live; prints the query's id for `project stage`. Ctrl-C cancels.

    trustflow cohort query ID --trust amber --trust birch --sql @cohort.sql --statistics all --as ann
    """
    text, by_criteria = _question(sql, criteria, rule_, of_criteria=attrition or images)
    rules = tuple(map(rule, rule_ or ()))
    wanted = tuple(statistics or ())

    def counting(hub: Trustflow, query_id: str) -> AsyncGenerator[CohortEvent, None]:
        if by_criteria:
            return hub.query_by_criteria(
                project_id,
                text,
                trust,
                cohort=cohort,
                statistics=wanted,
                attrition=attrition,
                images=images,
                query_id=query_id,
                check=check,
            )
        return hub.query(
            project_id, text, trust, cohort=cohort, statistics=wanted, rules=rules, query_id=query_id, check=check
        )

    view = _followed(counting, actor, as_json=as_json)
    if view and not as_json:
        out.print(f"Next: trustflow project stage {project_id} --query {view.query_id} --trust …", soft_wrap=True)


def repeat(
    query_id: QueryId,
    actor: Actor,
    trust: Annotated[list[str] | None, typer.Option(help="Ask only this trust; all of the query by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask an earlier query again on today's data, under a new id.

    trustflow cohort repeat QUERY --as ann
    """
    view = _followed(
        lambda hub, repeat_id: hub.repeat_query(query_id, trust or (), repeat_id=repeat_id), actor, as_json=as_json
    )
    if view and not as_json:
        out.print(f"Next: trustflow cohort diff {query_id} {view.query_id}", soft_wrap=True)


def cancel(query_id: QueryId, actor: Actor, as_json: AsJson = False) -> None:
    """Stop a query at the trusts that have not answered yet.

    trustflow cohort cancel QUERY --as ann
    """
    play(lambda hub: hub.cancel_query(query_id), actor)
    say(as_json, {"query_id": query_id}, f"{query_id} is cancelled. What was released stays: cohort show {query_id}")


def _followed(counting: Counting, actor: str, *, as_json: bool) -> QueryView | None:
    query_id = new_id()

    async def work(hub: Trustflow) -> tuple[QueryView | None, str | None]:
        try:
            view = await _live(counting(hub, query_id), as_json=as_json)
        except asyncio.CancelledError:
            await _give_up(hub, query_id)
            raise
        return view, await hub.correlation(query_id) if view and troubled(view) else None

    view, correlation = play(work, actor)
    if view and not as_json:
        out.print(results(view, correlation))
    return view


async def _live(events: AsyncGenerator[CohortEvent, None], *, as_json: bool) -> QueryView | None:
    view: QueryView | None = None
    with pictures(as_json) as draw:
        async with aclosing(events) as answers:
            async for event in answers:
                view = fold_query(view, event)
                if as_json:
                    say_json(event)
                elif view:
                    draw(picture(view))
    return view


async def _give_up(hub: Trustflow, query_id: str) -> None:
    await hub.cancel_query(query_id)
    err.print(f"Query {query_id} is cancelled; what was released stays: trustflow cohort show {query_id}", markup=False)


def _question(sql: str | None, criteria: str | None, rules: list[str] | None, *, of_criteria: bool) -> tuple[str, bool]:
    """The text to ask with, and whether it is criteria."""
    if (sql is None) == (criteria is None):
        raise typer.BadParameter("give either --sql or --criteria", param_hint="--sql")
    if criteria is not None and rules:
        raise typer.BadParameter("criteria bring rules of their own: use --attrition", param_hint="--rule")
    if sql is not None and of_criteria:
        raise typer.BadParameter(
            "they are for --criteria; SQL names its rules, --rule NAME=@FILE, and selects accession_id",
            param_hint="--attrition and --images",
        )
    return (
        (sql_text(sql), False)
        if sql is not None
        else (file_text((criteria or "").removeprefix("@"), "--criteria"), True)
    )
