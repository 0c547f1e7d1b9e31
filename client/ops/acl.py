"""`trustflow ops acl`: the rules and quotas that the broker obeys beside those of `schemas/topics.py`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

import typer

from bus.admin.broker_admin import BrokerAdmin, administrator
from bus.speaker import reaching
from client import terminal
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.rules import Difference, compare
from client.ops.rules import apply as apply_rules
from client.settings import federation_settings
from client.terminal import AsJson, out, say, say_json, table
from schemas.topics import Acl

app = typer.Typer(no_args_is_help=True, help="Who may read and write what and how much, beside schemas/topics.py.")

COLUMNS = ("change", "principal", "operation", "resource", "name")


@app.command()
def plan(as_json: AsJson = False) -> None:
    """Rules and quotas that are missing on the broker, and rules that are not ours.

    trustflow ops acl plan
    """
    _show(_difference(), as_json)


@app.command()
def apply(
    *,
    prune: Annotated[bool, typer.Option("--prune", help="Remove the rules that are not ours.")] = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Add the rules and quotas that are missing; remove rules only with --prune.

    trustflow ops acl apply --prune --yes --why "The broker was restored from an old snapshot."
    """
    given = warrant(yes, why, operator)
    if given is None:
        _show(_difference(), as_json)
        tell_dry_run(as_json)
        return

    async def work() -> Difference:
        async with _admin() as admin, terminal.administrators_voice() as voice:
            found = await compare(admin, federation_settings().known_trusts())
            todo = found if prune else replace(found, extra=())
            await apply_rules(admin, voice, todo, given)
            return todo

    done = terminal.ended(work)
    told = {"added": len(done.missing), "removed": len(done.extra), "quotas": len(done.unbounded)}
    say(as_json, told, "; ".join(f"{what}: {count}" for what, count in told.items()))


@asynccontextmanager
async def _admin() -> AsyncIterator[BrokerAdmin]:
    login = federation_settings().admin_login()
    with reaching(login):
        async with administrator(login) as admin:
            yield admin


def _difference() -> Difference:
    async def work() -> Difference:
        async with _admin() as admin:
            return await compare(admin, federation_settings().known_trusts())

    return terminal.ended(work)


def _show(found: Difference, as_json: bool) -> None:
    rows = list(_rows(found))
    if as_json:
        for row in rows:
            say_json(dict(zip(COLUMNS, row, strict=True)))
    elif rows:
        out.print(table("Rules", COLUMNS, rows))
    else:
        out.print("The broker's rules are those of schemas/topics.py.")


def _rows(found: Difference) -> Iterator[tuple[str, ...]]:
    yield from (("add", *_cells(acl)) for acl in found.missing)
    yield from (("extra", *_cells(acl)) for acl in found.extra)
    yield from (("set", quota.principal, "", "QUOTA", "") for quota in found.unbounded)


def _cells(acl: Acl) -> tuple[str, ...]:
    operation = f"deny {acl.operation}" if acl.denied else acl.operation
    return (acl.principal, operation, acl.resource, f"{acl.name}*" if acl.prefixed else acl.name)
