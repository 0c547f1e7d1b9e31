"""`trustflow ops rebuild`: fold a view anew beside the live one, compare, switch; or see it as it was."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import typer

from bus.database import Connection
from bus.views.generations import Contents, Difference, Generation
from bus.views.history import History, Places, places
from bus.views.rebuild import NotNow, Prospect, Rebuild, Rebuilt, opened
from client import terminal
from client.hearing import NotFound
from client.ops.account import Act, Refused, Warrant, accounted
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.moments import FORMS, moment
from client.settings import federation_settings
from client.terminal import REJECTED, AsJson, out, say, say_json, table
from schemas.topics import PROJECTORS, SERVICES, TRUST_PREFIX
from schemas.views import VIEWS, AnyView

GATEWAY = PROJECTORS[0]


@dataclass(frozen=True, slots=True)
class Then:
    """A moment, or places; a partition that is not named is read to its end."""

    moment: datetime | None = None
    places: Places = field(default_factory=dict)

    async def in_topics_of(self, view: AnyView, history: History) -> Places:
        """Return where each partition of the view's topics was.

        Raises
        ------
        NotFound
            a place is on no topic of the view.
        """
        if self.moment:
            return await history.at(self.moment)
        ends = await history.ends()
        if strange := sorted(f"{place.topic}/{place.partition}" for place in self.places.keys() - ends.keys()):
            raise NotFound(f"the view {view.name} is not made of {', '.join(strange)}")
        return {place: min(end, self.places.get(place, end)) for place, end in ends.items()}


@dataclass(frozen=True, slots=True)
class Past:
    """A view as it was, kept in a generation of its own."""

    kept: Generation
    contents: Contents


@dataclass(frozen=True, slots=True)
class Outcome:
    """``result`` is missing in a dry run; ``row`` is the state of the row that was asked for, as JSON."""

    prospect: Prospect
    result: Rebuilt | Past | None = None
    row: str | None = None


def _parsed(given: str) -> Then:
    try:
        return Then(places=places(given)) if "/" in given else Then(moment(given, datetime.now(UTC)))
    except ValueError:
        remedy = f"write {FORMS}, or topic/partition/offset with commas between"
        raise typer.BadParameter(f"{given} is neither a time nor places: {remedy}") from None


def rebuild(
    view: Annotated[str, typer.Argument(help=f"One of {', '.join(view.name for view in VIEWS)}.", show_default=False)],
    *,
    until: Annotated[
        Then | None,
        typer.Option(
            parser=_parsed,
            metavar="TIME|PLACES",
            help=f"As it was then, beside the live one: {FORMS}, or topic/partition/offset with commas between; "
            "partitions not named are read to their end.",
        ),
    ] = None,
    row: Annotated[str, typer.Option("--show", metavar="ID", help="Print this row of what was built.")] = "",
    accept: Annotated[
        bool, typer.Option("--accept-differences", help="Switch although rows differ: the fold was changed on purpose.")
    ] = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Read everything again into a new generation of a view, compare it with the live one, and switch to it.

    trustflow ops rebuild project --yes --why "The fold of members was wrong before 1.4.2."
    """
    given = warrant(yes, why, operator)
    outcome = terminal.ended(lambda: _worked(view_named(view), until, row, given, accept))
    if isinstance(outcome.result, Rebuilt):
        _tell_rebuilt(outcome.result, as_json)
    elif outcome.result:
        _tell_past(outcome.result, as_json)
    else:
        _tell_prospect(outcome.prospect, as_json)
    if outcome.row:
        out.print(outcome.row, soft_wrap=True, highlight=False, markup=False)
    if isinstance(outcome.result, Rebuilt) and not outcome.result.switched:
        raise typer.Exit(REJECTED)


def view_named(name: str) -> AnyView:
    """Return a view by its name.

    Raises
    ------
    Refused
        it names somebody whose handlers have effects outside.
    NotFound
    """
    for view in VIEWS:
        if view.name == name:
            return view
    names = ", ".join(view.name for view in VIEWS)
    if name in SERVICES or name.startswith(TRUST_PREFIX):
        raise Refused(
            f"{name} is no view. Who acts on what it reads is never made to read it again: its effects would be real "
            f"ones. Views can be rebuilt: {names}"
        )
    raise NotFound(f"there is no view {name}: choose of {names}")


@asynccontextmanager
async def views_database() -> AsyncIterator[Connection]:
    """A connection to where the views are.

    Raises
    ------
    Refused
        not now: somebody else is at it, or in the way.
    """
    try:
        async with opened(federation_settings().views_database()) as connection:
            yield connection
    except NotNow as error:
        raise Refused(str(error)) from error


async def _worked(view: AnyView, until: Then | None, row: str, given: Warrant | None, accept: bool) -> Outcome:
    async with (
        terminal.operator_ears() as speaker,
        speaker.history(view.topics) as history,
        views_database() as connection,
    ):
        work = Rebuild(connection, history, view, GATEWAY)
        then = await until.in_topics_of(view, history) if until else None
        prospect = await work.prospect(then)
        if given is None:
            return Outcome(prospect)
        act = Act("rebuild_view" if then is None else "view_as_of", view.name, prospect.records)
        async with accounted(speaker, given, act) as progress:
            result = await (work.switch_over(accept_differences=accept) if then is None else _past(work, then))
            progress.count = work.records
        return Outcome(prospect, result, await _row(work, result, row) if row else None)


async def _past(work: Rebuild, then: Places) -> Past:
    return Past(*await work.as_of(then))


async def _row(work: Rebuild, result: Rebuilt | Past, id_: str) -> str:
    made = result.made if isinstance(result, Rebuilt) else result.kept
    found = await work.row(made, id_)
    if found is None:
        raise NotFound(f"{made.table} has no row {id_}")
    return found


def _tell_prospect(prospect: Prospect, as_json: bool) -> None:
    live = prospect.live
    facts = {"view": live.view, "generation": live.number, "rows": prospect.rows, "records": prospect.records}
    sentence = (
        f"{live.view}: generation {live.number} is live with {prospect.rows} rows; "
        f"{prospect.records} records would be read into a new one"
    )
    say(as_json, facts, sentence)
    tell_dry_run(as_json)


def _tell_past(past: Past, as_json: bool) -> None:
    facts = {"view": past.kept.view, "generation": past.kept.number, **_contents(past.contents)}
    sentence = f"{past.kept.table}: {past.contents.rows} rows, sha256 {past.contents.checksum}; never switched to"
    say(as_json, facts, sentence)


def _tell_rebuilt(made: Rebuilt, as_json: bool) -> None:
    facts = {"view": made.made.view, "generation": made.made.number, "switched": made.switched}
    facts |= {"records": made.records, **_contents(made.contents), "live": _contents(made.contents_before)}
    if as_json:
        say_json({**facts, "differences": [{"id": one.id, "kind": one.kind} for one in made.differences]})
        return
    if made.differences:
        _show_differences(made.differences)
    out.print(_sentence(made), soft_wrap=True, highlight=False)


def _sentence(made: Rebuilt) -> str:
    view, rows = made.made.view, f"{made.contents.rows} rows of {made.records} records, sha256 {made.contents.checksum}"
    before = f"generation {made.before.number}"
    if not made.switched:
        return f"{view}: {before} stays live. If the fold was changed on purpose: --accept-differences"
    same = "differs from" if made.differences else "is the same as"
    return f"{view}: generation {made.made.number} is live, {rows}. It {same} {before}, which is kept for a week"


def _show_differences(differences: Sequence[Difference]) -> None:
    rows = [(one.id, one.kind) for one in differences]
    out.print(table("Rows that differ", ("id", "row"), rows))


def _contents(contents: Contents) -> dict[str, object]:
    return {"rows": contents.rows, "checksum": contents.checksum}
