"""`trustflow ops audit`: whether every participant's account still says what it said."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated

import typer

from bus.proof.audit import Account, Head, UnreadableAccount, read_account
from bus.proof.verifying import Finding, verify
from bus.speaker import Heard, Speaker
from client import terminal
from client.settings import NotRunning, federation_settings
from client.terminal import AsJson, out, say_json, table
from schemas.audit import HeadSealed, TrustHeadSealed
from schemas.topics import AUDIT_EVENTS, TRUST_TOPIC, trust_principal

TOUCHED = 7
app = typer.Typer(no_args_is_help=True, help="The accounts of what was decided, chained by hash.")


@app.callback()
def _group() -> None:
    """Keep `verify` a word of its own, however few there are."""


@app.command("verify")
def verify_(
    database: Annotated[
        list[str] | None, typer.Option(help="A participant's PostgreSQL URL; default TRUSTFLOW_DATABASES.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every chain and compare it with its heads on the topics and in the others' databases.

    Exit code 7 when something was changed, deleted, cut off or rewritten.

    trustflow ops audit verify --database "$PROJECT_DATABASE_URL" --database "$COHORT_DATABASE_URL"
    """
    accounts, findings = terminal.ended(lambda: _verified(database or _known_databases()))
    if as_json:
        for line in (*map(_as_record, accounts), *map(_finding_record, findings)):
            say_json(line)
    else:
        rows = [(one.participant, len(one.entries), one.hash[:16], _verdict(one, findings)) for one in accounts]
        out.print(table("Accounts", ("participant", "entries", "head", "verdict"), rows))
        for finding in findings:
            out.print(f"{finding.participant}: {finding.sentence}", soft_wrap=True, markup=False)
    if findings:
        raise typer.Exit(TOUCHED)


async def _verified(databases: Sequence[str]) -> tuple[list[Account], list[Finding]]:
    async with terminal.operator_ears() as ears:
        said = await heads(ears)
    accounts = [await _account(url) for url in databases]
    heard = [*said, *(witness for account in accounts for witness in account.witnesses)]
    return accounts, [finding for account in accounts for finding in verify(account, heard)]


async def heads(speaker: Speaker) -> list[Head]:
    """Every head that was said, by the participant itself."""
    topics = [name for name in await speaker.topics() if name == AUDIT_EVENTS or _may_hold_heads(name)]
    async with aclosing(speaker.events(topics, until="now")) as events:
        return [head async for heard in events if (head := head_of(heard))]


def head_of(heard: Heard) -> Head | None:
    """A head counts only from whose account it is of."""
    match heard.message:
        case HeadSealed(participant=name, seq=seq, hash=hash_):
            pass
        case TrustHeadSealed(trust_id=trust, seq=seq, hash=hash_):
            name = trust_principal(trust)
        case _:
            return None
    if heard.envelope is None or heard.envelope.source != f"/{name}":
        return None
    return Head(name, seq, hash_, f"{heard.topic}/{heard.partition}/{heard.offset}")


def _may_hold_heads(topic: str) -> bool:
    return TRUST_TOPIC.fullmatch(topic) is not None and topic.endswith(".events")


def _known_databases() -> list[str]:
    known = federation_settings().databases
    if not known:
        raise NotRunning("no database is named: give --database, or set TRUSTFLOW_DATABASES")
    return known.split(",")


async def _account(url: str) -> Account:
    try:
        return await read_account(url)
    except UnreadableAccount as error:
        raise NotRunning(f"{url.rpartition('@')[2]}: {error}") from None


def _verdict(account: Account, findings: Sequence[Finding]) -> str:
    first = next((finding for finding in findings if finding.participant == account.participant), None)
    return f"{first.code} at entry {first.seq}" if first else "untouched"


def _as_record(account: Account) -> dict[str, object]:
    return {"participant": account.participant, "entries": len(account.entries), "head": account.hash}


def _finding_record(finding: Finding) -> dict[str, object]:
    return {
        "participant": finding.participant,
        "seq": finding.seq,
        "code": finding.code,
        "sentence": finding.sentence,
    }
