"""`trustflow node content`: what lies here, and what must stay."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from trust_node.desk import Desk, decided
from trust_node.imaging.content.pins import LEGAL, Pin
from trust_node.imaging.content.store import Content, ContentStore
from trust_node.terminal import AsJson, Person, Why, carried_out, desk_at, say_json

app = typer.Typer(no_args_is_help=True, help="Originals kept here within the quota; legal holds.")
out = Console()

Study = Annotated[str, typer.Argument(help="The study's pseudonym, S and 16 digits.", show_default=False)]


@app.command("list")
def listing(context: typer.Context, as_json: AsJson = False) -> None:
    """Whole studies, the longest unused first: the first to go when the quota is full."""
    contents = _store(desk_at(context)).listing()
    if as_json:
        for content in contents:
            say_json(_told(content))
    else:
        out.print(_table(contents))


@app.command()
def hold(context: typer.Context, study: Study, person: Person, reason: Why) -> None:
    """Keep a study whatever the quota says and whichever project ends: a legal hold."""
    desk = desk_at(context)

    async def work() -> None:
        async with desk.unit_of_work() as uow:
            who = desk.entitled(person)
            _store(desk).pin(study, LEGAL, Pin(by=who, reason=reason, at=datetime.now(UTC)))
            decided(uow, who, "content.hold", study, reason)

    carried_out(work)
    out.print(f"{study} stays until `trustflow node content unhold {study}`.", soft_wrap=True)


@app.command()
def unhold(context: typer.Context, study: Study, person: Person, reason: Why) -> None:
    """End a legal hold; the quota and the ends of projects count again."""
    desk = desk_at(context)

    async def work() -> None:
        async with desk.unit_of_work() as uow:
            who = desk.entitled(person)
            if not _store(desk).unpin(study, LEGAL):
                raise LookupError(f"{study} is on no legal hold: see `trustflow node content list`")
            decided(uow, who, "content.unhold", study, reason)

    carried_out(work)
    out.print(f"{study} is on hold no longer.", soft_wrap=True)


def _store(desk: Desk) -> ContentStore:
    return ContentStore(desk.settings.content_directory, desk.policy.content_bytes)


def _table(contents: list[Content]) -> Table:
    made = Table(title=f"{decimal(sum(content.manifest.bytes for content in contents))} of originals")
    for column in ("study", "images", "size", "projects", "last used", "kept because"):
        made.add_column(column)
    for content in contents:
        made.add_row(
            content.study,
            str(len(content.manifest.parts)),
            decimal(content.manifest.bytes),
            str(len(content.projects)),
            f"{content.used_at:%Y-%m-%d %H:%M}",
            "; ".join(f"{kind} ({pin.by}: {pin.reason})" for kind, pin in sorted(content.pins.items())),
        )
    return made


def _told(content: Content) -> dict[str, object]:
    return {
        "study": content.study,
        "images": len(content.manifest.parts),
        "bytes": content.manifest.bytes,
        "projects": sorted(content.projects),
        "used_at": content.used_at.isoformat(),
        "pins": {kind: pin.model_dump(mode="json") for kind, pin in content.pins.items()},
    }
