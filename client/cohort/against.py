"""Look at what differs: trusts side by side, two queries against each other."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from client.cohort.asking import QueryId
from client.cohort.pictures import missing
from client.comparing import Change, Difference, TableDifference, difference
from client.figures import TOO_FEW
from client.sdk import Trustflow
from client.tables import SideBySide, side_by_side
from client.terminal import AsJson, out, play, say_json, table
from schemas.views import QueryView


def compare(
    query_id: QueryId,
    statistic: Annotated[str | None, typer.Option(help="Only the table of this name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Trusts side by side: each released table as shares of that trust's own released figures.

    trustflow cohort compare QUERY --statistic age_band
    """
    view = play(lambda hub: hub.cohort(query_id))
    tables = side_by_side(view, statistic)
    if as_json:
        for beside in tables:
            say_json(_shares(beside))
    else:
        out.print(Group(*map(_compared, tables)) if tables else no_table(view, statistic))


def no_table(view: QueryView, statistic: str | None) -> str:
    """What to say, and do, where there is no such table."""
    if statistic is None:
        return f"No trust released a table for {view.query_id}: ask with --statistics all"
    names = ", ".join(beside.name for beside in side_by_side(view)) or "none"
    return f"No trust released {statistic} for {view.query_id}; released: {names}"


def _compared(beside: SideBySide) -> RenderableType:
    rows = [
        (
            *beside.spoken(keys),
            *(_share(beside.share(keys, trust)) for trust in beside.told),
            _points(beside.spread(keys)),
        )
        for keys in beside.rows
    ]
    columns = (*beside.captions, *beside.told, "apart by")
    return Group(table(f"{beside.title} ({beside.name})", columns, rows), *map(Text, missing(beside)))


def _share(share: float | None) -> str:
    return TOO_FEW if share is None else f"~{share:.0%}"


def _points(spread: float | None) -> str:
    return "" if spread is None else f"~{spread * 100:.0f} points"


def _shares(beside: SideBySide) -> dict[str, Any]:
    return {
        "statistic": beside.name,
        "title": beside.title,
        "keys": beside.keys,
        "unit": beside.unit,
        "rows": [
            {
                "keys": keys,
                "persons": dict(persons),
                "shares": {trust: beside.share(keys, trust) for trust in beside.told},
            }
            for keys, persons in beside.rows.items()
        ],
        "missing": dict(beside.missing),
    }


def diff(
    query_id: QueryId,
    other: Annotated[str, typer.Argument(help="The query to compare it with.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """What differs between two queries: released figures and cells only, and the lines of the SQL.

    trustflow cohort diff QUERY QUERY
    """

    async def work(hub: Trustflow) -> Difference:
        return difference(await hub.cohort(query_id), await hub.cohort(other))

    found = play(work)
    if as_json:
        say_json(_differing(found))
    else:
        out.print(_difference(found, query_id, other))


def _difference(found: Difference, before: str, after: str) -> RenderableType:
    changes = (*found.trusts, found.total)
    rows = [(change.where, *change.words, _by(change)) for change in changes]
    made = table(f"From {before} to {after}", ("trust", "before", "after", "difference"), rows)
    notes = [*_alone(found.only_before, before), *_alone(found.only_after, after)]
    text = ["", *found.text] if found.text else ["The SQL is the same."]
    tables = [_changed(one) for one in found.tables]
    return Group(made, *map(Text, notes), *tables, *map(Text, text))


def _changed(found: TableDifference) -> RenderableType:
    title = f"{found.title} ({found.name})"
    if not found.cells:
        return Text(f"{title}: the same as before")
    rows = [(*keys, change.where, *change.words) for keys, change in found.cells]
    return table(title, (*found.captions, "trust", "before", "after"), rows)


def _alone(trusts: Iterable[str], query: str) -> list[str]:
    return [f"{trust} was asked by {query} only." for trust in trusts]


def _by(change: Change) -> str:
    if change.by is None:
        return ""
    margin = f" (± {change.margin:,})" if change.margin else ""
    within = ", within the margin: it may be chance" if change.within and change.by else ""
    return f"about {change.by:+,}{margin}{within}" if change.by else "none"


def _differing(found: Difference) -> dict[str, Any]:
    return {
        "changes": [_line(change) for change in (*found.trusts, found.total)],
        "only_before": found.only_before,
        "only_after": found.only_after,
        "tables": [_table_line(one) for one in found.tables],
        "sql": found.text,
    }


def _table_line(found: TableDifference) -> dict[str, Any]:
    cells = [{"keys": keys, **_line(change)} for keys, change in found.cells]
    return {"statistic": found.name, "title": found.title, "captions": found.captions, "cells": cells}


def _line(change: Change) -> dict[str, Any]:
    return {
        "where": change.where,
        "before": change.before,
        "after": change.after,
        "by": change.by,
        "margin": change.margin,
        "within_margin": change.within,
    }
