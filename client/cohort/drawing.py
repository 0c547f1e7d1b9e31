"""Draw: bars and histograms in the terminal, or as a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from client.charts import KINDS, chart
from client.cohort.against import no_table
from client.cohort.asking import QueryId
from client.cohort.pictures import histograms
from client.figures import about, bar, standing, summary
from client.sdk import Trustflow
from client.tables import side_by_side
from client.terminal import AsJson, out, play, say, say_json, table
from schemas.views import QueryView


def plot(
    query_id: QueryId,
    statistic: Annotated[str | None, typer.Option(help="Only the table of this name.")] = None,
    to: Annotated[Path | None, typer.Option(help="A file to write, .png or .svg; the terminal by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a query: bars of each trust, and histograms of its tables.

    trustflow cohort plot QUERY --statistic age_band --to ages.svg
    """
    kind = _kind(to)

    async def work(hub: Trustflow) -> tuple[QueryView, bytes]:
        view = await hub.cohort(query_id)
        return view, chart(view, statistic, kind=kind) if to else b""

    view, drawn = play(work)
    if to is not None:
        to.write_bytes(drawn)
        say(as_json, {"query_id": query_id, "file": str(to)}, f"{to} shows {statistic or 'each trust'}.")
    elif as_json:
        say_json(view)
    else:
        out.print(picture(view, statistic))


def picture(view: QueryView, statistic: str | None = None) -> RenderableType:
    tables = [histograms(beside) for beside in side_by_side(view, statistic)]
    if statistic and not tables:
        return Text(no_table(view, statistic))
    return Group(*tables) if statistic else Group(_trusts(view), Text(summary(view)), *tables)


def _trusts(view: QueryView) -> RenderableType:
    top = max((answer.persons or 0 for answer in view.answers.values()), default=0)
    return table(f"Query {view.query_id}", ("trust", "persons", ""), [_bar(view, trust, top) for trust in view.trusts])


def _bar(view: QueryView, trust: str, top: int) -> tuple[str, str, str]:
    answer = view.answers.get(trust)
    if answer is None or answer.outcome not in ("counted", "suppressed"):
        return (trust, standing(answer, view.progress.get(trust)), "")
    return (trust, about(answer.persons, answer.margin), bar(answer.persons, top, 40))


def _kind(to: Path | None) -> str:
    kind = to.suffix.lstrip(".").lower() if to else KINDS[0]
    if kind not in KINDS:
        raise typer.BadParameter(f"{to}: name a file that ends in .png or .svg", param_hint="--to")
    return kind
