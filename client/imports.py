"""`trustflow import`: how the images of an approved cohort arrive, study by study."""

from collections.abc import Iterator, Mapping
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

Trust = Annotated[str, typer.Option(help="The trust whose import it is.", show_default=False)]
Study = Annotated[str, typer.Option(help="The study's pseudonym, as `trustflow import status` shows it.")]
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
        out.print(Group(bars(view), failures(view), *findings(view)))


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


@app.command()
def skip(project_id: ProjectId, actor: Actor, trust: Trust, study: Study, as_json: AsJson = False) -> None:
    """Leave a study out: nothing more is tried for it.

    trustflow import skip ID --trust amber --study A0123456789abcdef --as ann
    """
    play(lambda hub: hub.skip_study(project_id, trust, study), actor)
    _said(as_json, project_id, trust, study, f"{trust} leaves {study} out.")


@app.command()
def reimport(project_id: ProjectId, actor: Actor, trust: Trust, study: Study, as_json: AsJson = False) -> None:
    """Bring a study in from scratch: fetched anew, archived anew.

    trustflow import reimport ID --trust amber --study A0123456789abcdef --as ann
    """
    play(lambda hub: hub.reimport_study(project_id, trust, study), actor)
    _said(as_json, project_id, trust, study, f"{trust} brings {study} in from scratch.")


@app.command()
def reconcile(project_id: ProjectId, actor: Actor, trust: Trust, as_json: AsJson = False) -> None:
    """Have a trust compare PACS and archive with what it told, and repair what can be.

    trustflow import reconcile ID --trust amber --as ann
    """
    play(lambda hub: hub.reconcile_import(project_id, trust), actor)
    _said(as_json, project_id, trust, None, f"{trust} compares. Next: trustflow import status {project_id}")


@app.command()
def convert(
    project_id: ProjectId,
    actor: Actor,
    trust: Trust,
    on: Annotated[bool, typer.Option("--on/--off", help="From now on, or no longer.")] = True,
    as_json: AsJson = False,
) -> None:
    """Convert the project's images at a trust to NIfTI, those that are there too, or no longer.

    trustflow import convert ID --trust amber --on --as ann
    """
    play(lambda hub: hub.switch_conversion(project_id, trust, on=on), actor)
    _said(as_json, project_id, trust, None, f"{trust} converts {'from now on' if on else 'no longer'}.")


def _said(as_json: bool, project_id: str, trust: str, study: str | None, sentence: str) -> None:
    say(as_json, {"project_id": project_id, "trust_id": trust, "study": study}, sentence)


def bars(view: ImportView) -> RenderableType:
    made = Table(title=f"Import of {view.project_id}", title_justify="left")
    made.add_column("trust", no_wrap=True)
    for column in ("studies", "", "received", "archived", "converted", "not arrived", "slices"):
        made.add_column(column)
    for trust in sorted({*view.approved, *view.trusts}):
        state = view.trusts.get(trust, TrustImport())
        tally = state.tally
        bar = ProgressBar(total=1.0, completed=share_done(state), width=10)
        stay = {name: count for name in ("held", "failed", "skipped") if (count := getattr(tally, name))}
        counts = (
            tally.received,
            tally.archived,
            tally.converted,
            listed(stay),
            f"{tally.slices_out}/{tally.slices_in}",
        )
        made.add_row(trust, str(asked(state)), bar, *map(str, counts))
    return made


def asked(state: TrustImport) -> int:
    return max(state.planned, state.tally.asked)


def share_done(state: TrustImport) -> float:
    """From 0 to 1; each study has three steps before it, and one that failed or was left out has none."""
    if state.finished:
        return 1.0
    tally = state.tally
    steps = tally.received + tally.archived + tally.converted + STEPS * (tally.failed + tally.skipped)
    return min(1.0, steps / (STEPS * asked(state))) if asked(state) else 0.0


def failures(view: ImportView) -> Table:
    rows: list[tuple[object, ...]] = [
        (trust, pseudonym, study.shown, study.code or listed(study.held), study.attempt)
        for trust, state in sorted(view.trusts.items())
        for pseudonym, study in state.studies.items()
        if study.state == "failed" or study.rest
    ]
    rows += [(trust, "all", "barred", why, "") for trust, why in view.barred.items()]
    title = "Studies that have not arrived" if rows else "No study failed"
    return table(title, ("trust", "study", "state", "why", "attempt"), rows)


def findings(view: ImportView) -> list[Table]:
    """What trusts have told besides: labels, comparisons, members without an account, images that are gone."""
    rows = [(trust, what, said) for trust, state in sorted(view.trusts.items()) for what, said in _findings(state)]
    return [table("Besides", ("trust", "what", "found"), rows)] if rows else []


def _findings(state: TrustImport) -> Iterator[tuple[str, str]]:
    if state.coverage:
        c = state.coverage
        yield (
            "labels",
            f"{c.labelled} of {c.images} images, {c.masked} with a mask; {listed(c.rejected) or 'none'} rejected",
        )
    if state.comparison:
        found = state.comparison
        yield (
            "comparison",
            f"{found.agreed} of {found.studies} studies agree; {listed(found.differences) or 'no difference'}",
        )
    if state.without_address:
        yield "members", f"{state.without_address} have no account: the trust knows no address of theirs"
    if state.purged:
        yield "images", f"removed, proof {state.purged[:16]}…"


def listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
