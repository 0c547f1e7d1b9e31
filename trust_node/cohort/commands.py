"""`trustflow node warehouse`: harden the database under the cohort queries, prove it, and look what is missing."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trust_node.checking.findings import Finding, exit_code
from trust_node.cohort.hardening.changes import Statement
from trust_node.cohort.hardening.store import harden, planned
from trust_node.cohort.store import Warehouse
from trust_node.cohort.warehouse.checking import WarehouseCheck
from trust_node.cohort.warehouse.faults import WarehouseError
from trust_node.cohort.warehouse.verifying import Verification
from trust_node.imaging.pacs import open_pacs
from trust_node.imaging.spool import Spool
from trust_node.terminal import AsJson, carried_out, desk_at, say_json

LONGEST = 160
FAILED = 1
FOLLOWS_S, LOOK_S = 10.0, 0.2

app = typer.Typer(no_args_is_help=True, help="The warehouse that cohort queries run on.")
out = Console()

Apply = Annotated[bool, typer.Option("--apply/--plan", help="Do it, or only show it.")]
AdminUrl = Annotated[
    str,
    typer.Option("--admin-url", help="The environment variable that holds a superuser's address; never stored."),
]
Sample = Annotated[int, typer.Option("--sample", min=0, max=500, help="Accession numbers to look up, each way.")]


@app.command("harden")
def harden_warehouse(
    context: typer.Context,
    apply: Apply = False,
    admin_url: AdminUrl = "TRUSTFLOW_WAREHOUSE_ADMIN_URL",
    as_json: AsJson = False,
) -> None:
    """Let the role of queries see a schema of views and nothing else. --plan shows each statement, changing nothing."""
    settings = desk_at(context).settings
    act = harden if apply else planned
    statements: list[Statement] = carried_out(lambda: act(_address(admin_url), settings.layout))
    _show(statements, as_json=as_json, done=apply)
    if apply:
        _end(carried_out(lambda: _followed(settings.warehouse)), as_json=as_json)


@app.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Try on the live server, as the role of queries, everything that must not work; exit code 1 if any of it does."""
    warehouse = desk_at(context).settings.warehouse
    _end(carried_out(lambda: _verified(warehouse)), as_json=as_json)


@app.command()
def check(context: typer.Context, sample: Sample = 20, as_json: AsJson = False) -> None:
    """Look for what makes cohorts slow, empty or wrong: keys, indexes, vocabulary, accession numbers.

    Exit codes: 0 all is well, 1 something is not, 2 wrong usage, 3 nothing is wrong but some was skipped.
    """
    settings = desk_at(context).settings
    pacs = open_pacs(settings, Spool(settings.data_directory / "spool"))
    found = carried_out(lambda: _found(WarehouseCheck(settings.warehouse, pacs, sample)))
    for finding in found if as_json else ():
        say_json(finding.as_json())
    if not as_json:
        out.print(_table("The warehouse", [(each.step, each.verdict.value, _what(each)) for each in found]))
    raise typer.Exit(exit_code(found))


def _address(variable: str) -> str:
    address = os.environ.get(variable)
    if not address:
        raise ValueError(f"{variable} is not set: put a superuser's postgresql://… address there for this one command")
    return address


async def _verified(warehouse: Warehouse) -> Verification:
    try:
        return await warehouse.verify()
    except WarehouseError as error:
        raise ValueError(f"{error.fault}: {error.sentence}") from None


async def _followed(warehouse: Warehouse) -> Verification:
    """Verify, again for a while on a replica, which has still to replay what was done on its primary."""
    give_up = monotonic() + FOLLOWS_S
    while True:
        verification = await _verified(warehouse)
        if verification.is_hardened or not verification.is_replica or monotonic() > give_up:
            return verification
        await asyncio.sleep(LOOK_S)


async def _found(check: WarehouseCheck) -> list[Finding]:
    return [finding async for finding in check.findings()]


def _show(statements: Sequence[Statement], *, as_json: bool, done: bool) -> None:
    if as_json:
        for statement in statements:
            say_json(asdict(statement))
        return
    for statement in statements:
        # Some name thousands of functions: --json has them whole.
        cut = f" … ({len(statement.sql)} characters)" if len(statement.sql) > LONGEST else ""
        touches = f"\n-- {statement.touches}" if statement.touches else ""
        out.print(escape(f"-- {statement.why}{touches}\n{statement.sql[:LONGEST]}{cut};"), soft_wrap=True)
    out.print(f"{len(statements)} statements {'executed' if done else 'to execute; nothing was changed'}")


def _end(verification: Verification, *, as_json: bool) -> None:
    for result in verification.results if as_json else ():
        say_json(asdict(result))
    if not as_json:
        place = "a replica" if verification.is_replica else "no replica"
        title = f"PostgreSQL {verification.server_version}, {place}"
        rows = [(each.name, "passed" if each.passed else "failed", each.found) for each in verification.results]
        out.print(_table(title, rows))
    raise typer.Exit(0 if verification.passed else FAILED)


def _table(title: str, rows: Sequence[tuple[str, str, str]]) -> Table:
    made = Table(title=title, title_justify="left")
    for column in ("step", "result", "what"):
        made.add_column(column)
    for step, result, what in rows:
        made.add_row(step, f"[{'green' if result == 'passed' else 'red'}]{result}[/]", escape(what))
    return made


def _what(finding: Finding) -> str:
    lines = [finding.told, f"Likely: {finding.cause}." if finding.cause else ""]
    return "\n".join(line for line in [*lines, f"Do: {finding.remedy}." if finding.remedy else ""] if line)
