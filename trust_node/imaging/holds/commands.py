"""`trustflow node hold`: look at the images that wait, and decide."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from trust_node.desk import Desk
from trust_node.imaging.content import ContentStore
from trust_node.imaging.deid.pixels import HoldReason, NoPictureError, explain, preview
from trust_node.imaging.holds.deciding import NothingWaitsError, decide
from trust_node.imaging.holds.store import Hold, Ruling, waiting
from trust_node.terminal import AsJson, Person, Why, carried_out, desk_at, say_json

app = typer.Typer(no_args_is_help=True, help="Images that a rule held back wait for a person of the trust.")
out = Console()

Project = Annotated[str, typer.Argument(help="The project's id.", show_default=False)]
Study = Annotated[str, typer.Argument(help="The study's pseudonym, S and 16 digits.", show_default=False)]
Images = Annotated[list[str] | None, typer.Option("--image", help="One image's name; all that wait by default.")]


@app.command("list")
def listing(
    context: typer.Context,
    project: Annotated[str | None, typer.Option(help="One project's id; all by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """What waits: a line per study and rule, the longest waiting first."""
    holds = _waiting(desk_at(context), project)
    groups = Counter((hold.project_id, hold.study, hold.reason) for hold in holds)
    since = {(hold.project_id, hold.study, hold.reason): hold.since for hold in reversed(holds)}
    if as_json:
        for (project_id, study, reason), images in groups.items():
            say_json({"project_id": project_id, "study": study, "reason": reason, "images": images})
        return
    made = Table(title=f"{len(holds)} images wait" if holds else "Nothing waits", title_justify="left")
    for column in ("project", "study", "rule", "images", "since"):
        made.add_column(column)
    for group, images in groups.items():
        made.add_row(*group, str(images), f"{since[group]:%Y-%m-%d %H:%M}")
    out.print(made)


@app.command()
def show(
    context: typer.Context,
    project: Project,
    study: Study,
    to: Annotated[Path, typer.Option(help="Folder for the pictures: they may show a patient's name.")],
    image: Images = None,
) -> None:
    """Write a PNG of each waiting image, to be looked at before deciding. Delete them afterwards."""
    desk = desk_at(context)
    content = ContentStore(desk.settings.content_directory, desk.policy.content_bytes).find(study)
    files = {file.name: file for file in content.files} if content else {}
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Table(title=f"Waiting images of {study}", title_justify="left")
    for column in ("image", "why it waits", "picture"):
        made.add_column(column, overflow="fold")
    for hold in _waiting(desk, project, study):
        if not image or hold.image in image:
            made.add_row(hold.image, explain(HoldReason(hold.reason)), _drawn(files.get(hold.image), to))
    out.print(made)


@app.command()
def release(
    context: typer.Context, project: Project, study: Study, *, person: Person, reason: Why, image: Images = None
) -> None:
    """Let images go on: de-identified like any other, past the rule that held them."""
    _decide(desk_at(context), (project, study, image or ()), Ruling("released", person, reason))


@app.command()
def reject(
    context: typer.Context, project: Project, study: Study, *, person: Person, reason: Why, image: Images = None
) -> None:
    """Leave images out of the project for good; the others of the study go on."""
    _decide(desk_at(context), (project, study, image or ()), Ruling("rejected", person, reason))


def _decide(desk: Desk, what: tuple[str, str, Sequence[str]], ruling: Ruling) -> None:
    async def work() -> list[Hold]:
        desk.entitled(ruling.person)
        async with desk.unit_of_work() as uow:
            return await decide(uow, *what, ruling)

    chosen = carried_out(work)
    out.print(f"{len(chosen)} images {ruling.verdict}; the node imports the study again.", soft_wrap=True)


def _waiting(desk: Desk, project: str | None, study: str | None = None) -> Sequence[Hold]:
    async def work() -> Sequence[Hold]:
        async with desk.unit_of_work() as uow:
            return await waiting(uow.connection, project, study)

    holds: Sequence[Hold] = carried_out(work)
    return holds


def _drawn(file: Path | None, folder: Path) -> str:
    if file is None:
        raise NothingWaitsError("the image is no longer in the content store: import the study again first")
    target = folder / f"{file.stem}.png"
    try:
        target.write_bytes(preview(file))
    except NoPictureError as unreadable:
        return f"no picture: {unreadable}"
    return str(target)
