"""`trustflow node conversion`: convert what is there, or let the trust's XNAT do it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from trust_node import store
from trust_node.desk import Desk, decided
from trust_node.imaging.conversion.dcm2niix import Dcm2niix
from trust_node.imaging.conversion.scans import Converted, ScanConverter
from trust_node.imaging.xnat import Xnat, XnatRefusedError, XnatUnreachableError
from trust_node.imaging.xnat.subscriptions import Subscriptions
from trust_node.terminal import Person, Why, carried_out, desk_at

app = typer.Typer(no_args_is_help=True, help="DICOM to NIfTI, as a person at the trust asks for it.")
out = Console()

Project = Annotated[str, typer.Argument(help="The project's id.", show_default=False)]
Image = Annotated[str, typer.Option(help="Container image of the site's dcm2niix command.", show_default=False)]


@app.command()
def missing(context: typer.Context, project: Project) -> None:
    """Convert each scan of the project that is in XNAT and not converted yet; name the sessions that fail."""
    desk = desk_at(context)
    told: Converted = carried_out(lambda: _convert_missing(desk, project))
    out.print(f"{told.slices.out} of {told.slices.into} slices are converted", soft_wrap=True)
    for session, code in sorted(told.failed.items()):
        out.print(f"{session}: {code.value}", soft_wrap=True)


@app.command("by-xnat")
def by_xnat(  # noqa: PLR0917  typer reads them by name
    context: typer.Context,
    project: Project,
    image: Image,
    person: Person,
    reason: Why,
    on: Annotated[bool, typer.Option("--on/--off", help="Convert each new scan, or stop that.")] = True,
) -> None:
    """Let XNAT's event service convert the project's new scans, beside the node's own switch of the project."""
    desk = desk_at(context)
    carried_out(lambda: _switch(desk, project, image, person, reason, on=on))
    out.print(f"XNAT converts new scans: {'on' if on else 'off'}", soft_wrap=True)


async def _convert_missing(desk: Desk, project: str) -> Converted:
    with TemporaryDirectory(dir=desk.settings.data_directory) as work:
        async with _archive(desk) as xnat:
            at = await _xnat_project(desk, project)
            return await ScanConverter(xnat, Dcm2niix.pinned()).convert_missing(at, Path(work))


async def _switch(desk: Desk, project: str, image: str, person: str, reason: str, *, on: bool) -> None:
    who = desk.entitled(person)
    at = await _xnat_project(desk, project)
    async with _archive(desk) as xnat, desk.unit_of_work() as uow:
        await Subscriptions(xnat, image).switch(at, on=on)
        decided(uow, who, "conversion.by_xnat" if on else "conversion.not_by_xnat", project, reason)


async def _xnat_project(desk: Desk, project: str) -> str:
    async with desk.unit_of_work() as uow:
        found = await store.project(uow.connection, project)
    if found is None or found.xnat_project is None:
        raise ValueError(f"{project}: nothing of this project has been imported here, name one that has images")
    return found.xnat_project


@asynccontextmanager
async def _archive(desk: Desk) -> AsyncIterator[Xnat]:
    """The trust's archive; that it is away or refuses is said to the person in one sentence."""
    settings = desk.settings
    try:
        async with Xnat(settings.xnat_url, settings.xnat_user, settings.xnat_password) as xnat:
            yield xnat
    except (XnatUnreachableError, XnatRefusedError) as error:
        raise ValueError(f"{error}: look at the archive, and try again") from error
