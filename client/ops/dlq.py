"""`trustflow ops dlq`: look at dead letters, send them again, or lay them to rest."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from bus.speaker import Speaker
from client import terminal
from client.hearing import NotFound
from client.ops.account import Ledger, Refused, Warrant, read_ledger
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.letters import (
    Heap,
    Letter,
    Selection,
    as_record,
    drop,
    heaps,
    read_letters,
    redrive,
    shown_headers,
    standing,
)
from client.terminal import AsJson, out, say, say_json, table
from schemas.operations import MOST_LETTERS
from schemas.topics import PROJECTORS

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that a group put aside, bytes unchanged.")

Group = Annotated[str, typer.Option(help="Only of this group, such as project or trust-amber.")]
Code = Annotated[str, typer.Option(help="Only with this error code.")]
Type = Annotated[str, typer.Option("--type", help="Only of this type.")]
Ids = Annotated[
    list[str] | None, typer.Option("--id", help="Only this event, origin or letter; give it once for each.")
]
Limit = Annotated[int, typer.Option(min=1, max=MOST_LETTERS, help="At most so many, the oldest of each group first.")]
Again = Annotated[bool, typer.Option("--again", help="Also what an earlier act redrove, dropped or left unfinished.")]


Deal = Callable[[Speaker, Sequence[Letter], Warrant], Awaitable[Sequence[Letter]]]
"""Does something to letters, and returns those that it has: not another operator's."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The letters that are meant, and the account that says what became of each."""

    letters: Sequence[Letter]
    ledger: Ledger

    def open(self) -> list[Letter]:
        return [letter for letter in self.letters if standing(letter, self.ledger) == "open"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Letters that were chosen, and those of them that were dealt with; None in a dry run."""

    chosen: Sequence[Letter]
    dealt_with: Sequence[Letter] | None


@app.command("list")
def list_(
    *,
    group: Group = "",
    code: Code = "",
    type_: Type = "",
    each: Annotated[bool, typer.Option("--each", help="Every letter in a line of its own.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Those that were dealt with as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """What was put aside and not dealt with, by group, error code and type.

    trustflow ops dlq list --group project
    """
    desk = terminal.ended(lambda: _read(Selection(group, code, type_)))
    letters = [letter for letter in desk.letters if all_ or standing(letter, desk.ledger) in ("open", "unfinished")]
    if each:
        _show_each(letters, desk.ledger, as_json)
    else:
        _show_heaps(heaps(letters), as_json)


@app.command()
def show(
    letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="An event's id, its origin, or the letter's place.", show_default=False)
    ],
    payload: Annotated[
        bool, typer.Option("--payload", help="Its bytes too: they may hold anything, patient data as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """One letter: where it comes from, why it was put aside, and its headers.

    trustflow ops dlq show dlq.project/0/3
    """
    desk = terminal.ended(lambda: _named(letter_id))
    for letter in desk.letters:
        told = dict(as_record(letter, standing(letter, desk.ledger))) | {"headers": dict(shown_headers(letter))}
        told |= {"payload": letter.value.decode("utf-8", "replace")} if payload else {}
        if as_json:
            say_json(told)
        else:
            out.print(_sheet(told))


@app.command("redrive")
def redrive_(
    *,
    group: Group = "",
    code: Code = "",
    type_: Type = "",
    ids: Ids = None,
    limit: Limit = 1000,
    rate: Annotated[float, typer.Option(min=0.1, help="Letters a second.")] = 50.0,
    again: Again = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Send letters again to the group that put them aside; what had its effect already has none a second time.

    trustflow ops dlq redrive --group project --code retries_exhausted --yes --why "Fixed in 1.4.2."
    """

    async def deal(speaker: Speaker, letters: Sequence[Letter], given: Warrant) -> Sequence[Letter]:
        return await redrive(speaker, letters, given, per_second=rate, again=again)

    def redrivable(desk: Desk) -> list[Letter]:
        if group in PROJECTORS:
            raise Refused(f"{group} keeps views and is not redriven: put it right, then `trustflow ops rebuild`")
        return [letter for letter in (desk.letters if again else desk.open()) if letter.can_be_redriven][:limit]

    selection, given = Selection(group, code, type_, tuple(ids or ())), warrant(yes, why, operator)
    outcome = terminal.ended(lambda: _dealt_with(selection, redrivable, deal, given))
    _tell("redriven", outcome, as_json)


@app.command("drop")
def drop_(
    *,
    group: Group = "",
    code: Code = "",
    type_: Type = "",
    ids: Ids = None,
    limit: Limit = 1000,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Lay letters to rest: nothing is deleted, and `redrive --again` still finds them.

    trustflow ops dlq drop --id dlq.project/0/3 --yes --why "A test of the new portal."
    """
    selection, given = Selection(group, code, type_, tuple(ids or ())), warrant(yes, why, operator)
    outcome = terminal.ended(lambda: _dealt_with(selection, lambda desk: desk.open()[:limit], drop, given))
    _tell("dropped", outcome, as_json)


async def _read(selection: Selection) -> Desk:
    async with terminal.operator_ears() as speaker:
        return await _desk(speaker, selection)


async def _named(letter_id: str) -> Desk:
    desk = await _read(Selection(ids=(letter_id,)))
    if not desk.letters:
        raise NotFound(f"no dead letter is {letter_id}: `trustflow ops dlq list --each --all` shows all")
    return desk


async def _desk(speaker: Speaker, selection: Selection) -> Desk:
    letters = [letter for letter in await read_letters(speaker) if selection.has(letter)]
    return Desk(letters, await read_ledger(speaker))


async def _dealt_with(
    selection: Selection, choose: Callable[[Desk], list[Letter]], deal: Deal, given: Warrant | None
) -> Outcome:
    async with terminal.operator_ears() as speaker:
        chosen = choose(await _desk(speaker, selection))
        if given is None:
            return Outcome(chosen, None)
        return Outcome(chosen, await deal(speaker, chosen, given) if chosen else ())


def _tell(verb: str, outcome: Outcome, as_json: bool) -> None:
    """The letters in a dry run; else how many there were, and how many another operator was quicker to take."""
    done = outcome.dealt_with
    if done is None:
        _show_each(outcome.chosen, Ledger(), as_json)
        tell_dry_run(as_json)
        return
    taken = len(outcome.chosen) - len(done)
    others = f"; {taken} were taken by another act meanwhile" if taken else ""
    say(as_json, {verb: len(done), "taken_by_others": taken}, f"letters {verb}: {len(done)}{others}")


def _show_heaps(found: Sequence[Heap], as_json: bool) -> None:
    if as_json:
        for heap in found:
            say_json(_heap_record(heap))
        return
    if not found:
        out.print("No dead letter waits.")
        return
    rows = [
        (heap.group, heap.code, heap.type_, len(heap.letters), _time(heap.oldest), _time(heap.newest)) for heap in found
    ]
    out.print(table("Dead letters", ("group", "code", "type", "letters", "oldest", "newest"), rows))


def _heap_record(heap: Heap) -> dict[str, object]:
    times = {"oldest": heap.oldest.isoformat(), "newest": heap.newest.isoformat()}
    return {"group": heap.group, "code": heap.code, "type": heap.type_ or None, "letters": len(heap.letters), **times}


def _show_each(letters: Sequence[Letter], ledger: Ledger, as_json: bool) -> None:
    if as_json:
        for letter in letters:
            say_json(dict(as_record(letter, standing(letter, ledger))))
        return
    if not letters:
        out.print("No dead letter waits.")
        return
    rows = [
        (letter.place, standing(letter, ledger), letter.code, letter.type, letter.origin, _time(letter.at))
        for letter in letters
    ]
    out.print(table("Dead letters", ("letter", "standing", "code", "type", "origin", "since"), rows))


def _sheet(told: dict[str, object]) -> Table:
    headers = told.pop("headers")
    rows = [*told.items(), *(headers.items() if isinstance(headers, dict) else ())]
    return table(str(told["letter"]), ("", ""), rows)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
