"""`trustflow import`: how the images of an approved cohort arrive, study by study."""

from contextlib import aclosing
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from client.sdk import Trustflow
from client.terminal import Actor, AsJson, out, pictures, play, say, say_json, table
from schemas.views import ImportView, TrustImport

app = typer.Typer(no_args_is_help=True, help="Follow images from each PACS into the trust's XNAT.")

STEPS = 3

ProjectId = Annotated[str, typer.Argument(help="The project's id.", show_default=False)]


@app.command()
def status(project_id: ProjectId, as_json: AsJson = False) -> None:
    """Where the import stands at each trust, and which studies failed and why.

    trustflow import status ID
    """
    view = play(lambda hub: hub.imports(project_id))
    if as_json:
        say_json(view)
    else:
        out.print(Group(bars(view), failures(view)))


@app.command()
def watch(project_id: ProjectId, as_json: AsJson = False) -> None:
    """5. A bar for each trust until every study is where it should be, or failed with a reason.

    trustflow import watch ID
    """

    async def work(hub: Trustflow) -> ImportView | None:
        last: ImportView | None = None
        with pictures(as_json) as draw:
            async with aclosing(hub.watch_import(project_id)) as views:
                async for view in views:
                    last = view
                    if as_json:
                        say_json(view)
                    else:
                        draw(bars(view))
        return last

    view = play(work)
    if view and not as_json:
        out.print(Group(bars(view), failures(view)))
        out.print(f"Next: trustflow model create {project_id} NAME --as …", soft_wrap=True)


@app.command()
def retry(
    project_id: ProjectId,
    actor: Actor,
    trust: Annotated[str, typer.Option(help="The trust whose studies to try again.", show_default=False)],
    study: Annotated[str | None, typer.Option(help="One study's pseudonym; all that failed by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try failed studies again.

    trustflow import retry ID --trust amber --as ann
    """
    play(lambda hub: hub.retry_import(project_id, trust, study), actor)
    say(
        as_json,
        {"project_id": project_id, "trust_id": trust, "study": study},
        f"{trust} tries again. Next: trustflow import watch {project_id}",
    )


def bars(view: ImportView) -> RenderableType:
    made = Table(title=f"Import of {view.project_id}", title_justify="left")
    for column in ("trust", "studies", "", "received", "archived", "converted", "failed", "slices in", "slices out"):
        made.add_column(column)
    for trust in sorted({*view.approved, *view.trusts}):
        state = view.trusts.get(trust, TrustImport())
        tally = state.tally
        counts = (tally.received, tally.archived, tally.converted, tally.failed, tally.slices_in, tally.slices_out)
        bar = ProgressBar(total=1.0, completed=share_done(state), width=20)
        made.add_row(trust, str(asked(state)), bar, *map(str, counts))
    return made


def asked(state: TrustImport) -> int:
    return max(state.planned, state.tally.asked)


def share_done(state: TrustImport) -> float:
    """From 0 to 1; each study has three steps before it, and one that failed has none left."""
    if state.finished:
        return 1.0
    tally = state.tally
    steps = tally.received + tally.archived + tally.converted + STEPS * tally.failed
    return min(1.0, steps / (STEPS * asked(state))) if asked(state) else 0.0


def failures(view: ImportView) -> Table:
    rows: list[tuple[object, ...]] = [
        (trust, pseudonym, study.code, study.attempt)
        for trust, state in sorted(view.trusts.items())
        for pseudonym, study in state.studies.items()
        if study.state == "failed"
    ]
    rows += [(trust, "all", why, "") for trust, why in view.barred.items()]
    return table("Failed studies" if rows else "No study failed", ("trust", "study", "code", "attempt"), rows)
