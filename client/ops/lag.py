"""`trustflow ops lag`: who is behind, by how many records and for how long."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from bus.admin.lag import PartitionLag, lags
from client import terminal
from client.settings import federation_settings
from client.terminal import AsJson, out, say_json, table


def lag(
    group: Annotated[str, typer.Option(help="Only this group, such as cohort or trust-amber.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Those that are not behind as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """How far each group is behind on each partition, in records and in seconds.

    trustflow ops lag --group trust-amber
    """
    found = terminal.ended(lambda: lags(federation_settings().operator_login()))
    now = datetime.now(UTC)
    wanted = [one for one in found if group in ("", one.group) and (all_ or one.records)]
    if as_json:
        for one in wanted:
            say_json(as_record(one, now))
    else:
        out.print(picture(wanted, now) if wanted else "Nobody is behind.")


def as_record(lag: PartitionLag, now: datetime) -> dict[str, object]:
    return {
        "group": lag.group,
        "members": lag.members,
        "topic": lag.topic,
        "partition": lag.partition,
        "position": lag.position,
        "end": lag.end,
        "records": lag.records,
        "seconds": lag.seconds(now),
    }


def picture(found: Iterable[PartitionLag], now: datetime) -> Table:
    rows = [
        (one.group, one.members, one.topic, one.partition, one.position, one.records, _seconds(one, now))
        for one in found
    ]
    columns = ("group", "members", "topic", "partition", "position", "records", "seconds")
    return table("Lag", columns, rows)


def _seconds(lag: PartitionLag, now: datetime) -> str:
    seconds = lag.seconds(now)
    return "?" if seconds is None else f"{seconds:.0f}"
