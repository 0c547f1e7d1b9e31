"""`trustflow ops replay`: a part of a topic copied to a private one, to be looked at in peace."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bus.admin.topic_admin import topic_admin
from bus.decode import Record
from client import terminal
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.ops.copies import Copier, Passage, Span, read_passage, refuse_consumer, span
from client.ops.moments import Since, Until
from client.settings import federation_settings
from client.terminal import AsJson, say


def _parsed(given: str) -> Span:
    try:
        return span(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def replay(
    topic: Annotated[str, typer.Argument(help="The topic to copy from.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="The copy becomes replay.NAME, and is kept for 7 days.")] = "",
    since: Since = None,
    until: Until = None,
    offsets: Annotated[
        list[Span] | None,
        typer.Option(parser=_parsed, metavar="PARTITION:FIRST-LAST", help="Only these; give it once for each range."),
    ] = None,
    key: Annotated[str, typer.Option(help="Only this project, query, model or run.")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this type.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many records.")] = 100_000,
    to: Annotated[str, typer.Option(help="A consumer: always refused, with what to do instead.")] = "",
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Copy a part of a topic to a private topic; nothing that runs reads it.

    trustflow ops replay project.events --key PROJECT --since 2d --name inquiry-7 --yes --why "Inquiry 7."
    """
    given = warrant(yes, why, operator)
    passage = Passage(topic, since, until, tuple(offsets or ()), key, type_)

    async def work() -> tuple[Sequence[Record], str | None]:
        if to:
            refuse_consumer(to)
        login = federation_settings().operator_login()
        async with terminal.operator_ears() as speaker, topic_admin(login) as admin:
            records = await read_passage(speaker, passage, limit)
            if given is None or not records:
                return records, None
            return records, await Copier(speaker, admin, given).copy(topic, records, name)

    _tell(*terminal.ended(work), passage, as_json)
    if given is None:
        tell_dry_run(as_json)


def _tell(records: Sequence[Record], target: str | None, passage: Passage, as_json: bool) -> None:
    told = f"{len(records)} records of {passage.topic}"
    sentence = (
        f"copied {told} to {target}: `trustflow ops tail --topic {target}`" if target else f"{told} would be copied"
    )
    say(as_json, {"records": len(records), "topic": target}, sentence)
