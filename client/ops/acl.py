"""`trustflow ops acl`: the rules that the broker obeys beside those of `schemas/topics.py`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from bus.broker_admin import BrokerAdmin, administrator
from bus.speaker import reaching
from client import terminal
from client.ops.account import Act, Warrant, accounted
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.settings import federation_settings
from client.terminal import AsJson, out, say, say_json, table
from schemas.topics import Acl, acls

app = typer.Typer(no_args_is_help=True, help="Who may read and write what, beside schemas/topics.py.")


@dataclass(frozen=True, slots=True)
class Difference:
    """Rules that the broker lacks, and rules that it has beyond ours."""

    missing: tuple[Acl, ...]
    extra: tuple[Acl, ...]


def compare(wanted: frozenset[Acl], live: frozenset[Acl]) -> Difference:
    return Difference(tuple(sorted(wanted - live, key=str)), tuple(sorted(live - wanted, key=str)))


@app.command()
def plan(as_json: AsJson = False) -> None:
    """Rules that are missing on the broker, and rules that are not ours.

    trustflow ops acl plan
    """
    _show(terminal.ended(_planned), as_json)


@app.command()
def apply(
    *,
    prune: Annotated[bool, typer.Option("--prune", help="Remove the rules that are not ours.")] = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Add the rules that are missing; remove others only with --prune.

    trustflow ops acl apply --prune --yes --why "The broker was restored from an old snapshot."
    """
    given = warrant(yes, why, operator)
    if given is None:
        _show(terminal.ended(_planned), as_json)
        tell_dry_run(as_json)
        return
    done = terminal.ended(lambda: _applied(given, prune=prune))
    told = {"added": len(done.missing), "removed": len(done.extra)}
    say(as_json, told, f"added: {told['added']} rules; removed: {told['removed']}")


async def _planned() -> Difference:
    async with _admin() as admin:
        return await _compared(admin)


@asynccontextmanager
async def _admin() -> AsyncIterator[BrokerAdmin]:
    login = federation_settings().admin_login()
    with reaching(login):
        async with administrator(login) as admin:
            yield admin


async def _compared(admin: BrokerAdmin) -> Difference:
    return compare(frozenset(acls(federation_settings().known_trusts())), await admin.acls())


async def _applied(given: Warrant, *, prune: bool) -> Difference:
    async with _admin() as admin, terminal.administrators_voice() as voice:
        found = await _compared(admin)
        todo = Difference(found.missing, found.extra if prune else ())
        count = len(todo.missing) + len(todo.extra)
        if not count:
            return todo
        about = f"add {len(todo.missing)} rules, remove {len(todo.extra)}"
        async with accounted(voice, given, Act("apply_acls", about, count)) as progress:
            await _carry_out(admin, todo)
            progress.count = count
    return todo


async def _carry_out(admin: BrokerAdmin, todo: Difference) -> None:
    if todo.missing:
        await admin.ensure_acls(todo.missing)
    if todo.extra:
        await admin.drop_acls(todo.extra)


def _show(found: Difference, as_json: bool) -> None:
    rows = [*(("add", *_cells(acl)) for acl in found.missing), *(("extra", *_cells(acl)) for acl in found.extra)]
    columns = ("change", "principal", "operation", "resource", "name")
    if as_json:
        for row in rows:
            say_json(dict(zip(columns, row, strict=True)))
    elif rows:
        out.print(table("Rules", columns, rows))
    else:
        out.print("The broker's rules are those of schemas/topics.py.")


def _cells(acl: Acl) -> Sequence[str]:
    return (acl.principal, acl.operation, acl.resource, f"{acl.name}*" if acl.prefixed else acl.name)
