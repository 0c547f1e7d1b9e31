"""`trustflow node import`: how imports stand here, why, and what to do about it."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bus.uow import UnitOfWork
from schemas.trust_imaging import CompareImport
from trust_node.desk import Desk, decided
from trust_node.imaging import store
from trust_node.imaging.asks import Asks, UnknownStudyError
from trust_node.imaging.explaining import explain as explained
from trust_node.imaging.store import Study
from trust_node.imaging.study import Several
from trust_node.jobs import CoverEnrichment
from trust_node.terminal import AsJson, Person, Why, carried_out, desk_at, say_json

app = typer.Typer(no_args_is_help=True, help="How imports stand here, why, and what to do about it.")
out = Console()
T = TypeVar("T")

Project = Annotated[str, typer.Argument(help="The project's id.", show_default=False)]
Named = Annotated[str, typer.Argument(help="The study's pseudonym, A or S and 16 digits.", show_default=False)]
Ask = Callable[[UnitOfWork, Asks], Awaitable[T]]


@app.command()
def status(context: typer.Context, project: Project, as_json: AsJson = False) -> None:
    """Where every study stands: how many at each state, and those that need somebody."""
    studies = _asked(desk_at(context), lambda uow, _: store.studies(uow.connection, project))
    if as_json:
        for study in studies:
            say_json({"study": study.study, "state": shown(study), "code": study.code, "held": dict(study.held)})
        return
    counts = Counter(shown(study) for study in studies)
    out.print(", ".join(f"{state} {count}" for state, count in sorted(counts.items())) or "Nothing was asked for.")
    made = Table("study", "state", "code", "attempt", "images", title="Need somebody", title_justify="left")
    for study in studies:
        if study.failed or study.rest == "held":
            images = f"{study.archived} of {study.expected}"
            made.add_row(study.study, shown(study), study.code, str(study.attempt), images)
    if made.row_count:
        out.print(made)


@app.command()
def explain(context: typer.Context, project: Project, study: Named) -> None:
    """What happened to one study, step by step, and what to do."""

    async def told(uow: UnitOfWork, _asks: Asks) -> list[str]:
        one = await store.study(uow.connection, project, study)
        if one is None:
            raise UnknownStudyError(f"{study} was not asked for by {project}: see `trustflow node import status`")
        found = await store.found(uow.connection, project, one.study)
        return explained(one, await store.told(uow.connection, project, one.study), found.get(one.study, ()))

    for line in _asked(desk_at(context), told):
        out.print(line, soft_wrap=True, highlight=False, markup=False)


@app.command()
def retry(
    context: typer.Context,
    project: Project,
    study: Annotated[str | None, typer.Argument(help="One study's pseudonym; all that failed by default.")] = None,
) -> None:
    """Try failed studies again."""
    tried = _asked(desk_at(context), lambda uow, asks: asks.retry(uow, project, study))
    out.print(f"{len(tried)} studies are tried again.", soft_wrap=True)


@app.command()
def skip(context: typer.Context, project: Project, study: Named, *, person: Person, reason: Why) -> None:
    """Leave a study out of the project: nothing more is tried for it."""

    async def work(uow: UnitOfWork, asks: Asks) -> None:
        await asks.skip(uow, project, study)
        decided(uow, person, "import.skip", f"{project}/{study}", reason)

    _asked(_entitled(desk_at(context), person), work)
    out.print(f"{study} is left out.", soft_wrap=True)


@app.command()
def reimport(context: typer.Context, project: Project, study: Named) -> None:
    """Bring a study in from scratch: fetched anew, archived anew."""
    _asked(desk_at(context), lambda uow, asks: asks.reimport(uow, project, study))
    out.print(f"{study} is brought in from scratch.", soft_wrap=True)


@app.command()
def reconcile(context: typer.Context, project: Project) -> None:
    """Compare PACS, content store and archive with what was told, and repair what can be; the node does it."""

    async def work(uow: UnitOfWork, asks: Asks) -> None:
        uow.enqueue("imports", CompareImport(trust_id=asks.trust_id, project_id=project))

    _asked(desk_at(context), work)
    out.print("The node compares; its differences come with `import_compared`, and in `trustflow node import status`.")


@app.command()
def cover(context: typer.Context, project: Project) -> None:
    """Look at the project's labels and masks in XNAT, and tell the hub how many images they cover."""

    async def work(uow: UnitOfWork, _asks: Asks) -> None:
        uow.enqueue("imports", CoverEnrichment(project_id=project))

    _asked(desk_at(context), work)
    out.print("The node looks at the labels; see `trustflow import status`.")


@app.command()
def choose(
    context: typer.Context,
    project: Project,
    several: Annotated[Several, typer.Option(help="Which to take where an accession number leads to several studies.")],
    *,
    person: Person,
    reason: Why,
) -> None:
    """Decide once per project which of several studies under one accession number to take."""

    async def work(uow: UnitOfWork, _asks: Asks) -> None:
        if not await store.choose_several(uow.connection, project, several):
            raise LookupError(f"{project} is not imported here: see the project's id in `trustflow project list`")
        decided(uow, person, "import.choose", f"{project}/{several}", reason)

    _asked(_entitled(desk_at(context), person), work)
    out.print(
        f"Where several studies are found: {several}. Next: trustflow node import retry {project}", soft_wrap=True
    )


def shown(study: Study) -> str:
    """Where a study stands, in one word."""
    return study.rest or ("failed" if study.failed else study.state)


def _entitled(desk: Desk, person: str) -> Desk:
    async def judged() -> None:
        desk.entitled(person)

    carried_out(judged)
    return desk


def _asked(desk: Desk, ask: Ask[T]) -> T:
    asks = Asks(desk.settings.trust_id, timedelta(days=desk.policy.import_days))

    async def work() -> T:
        async with desk.unit_of_work() as uow:
            return await ask(uow, asks)

    result: T = carried_out(work)
    return result
