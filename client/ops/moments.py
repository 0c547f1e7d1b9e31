"""Times as people give them: an ISO 8601 time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FORMS = "2026-11-21T09:00Z, or 15m, 2h, 7d ago"


def moment(given: str, now: datetime) -> datetime:
    """Return the time that is meant, in UTC; one without a zone is in UTC.

    Raises
    ------
    ValueError
    """
    if ago := AGO.fullmatch(given):
        return now - timedelta(**{UNITS[ago[2]]: float(ago[1])})
    time = datetime.fromisoformat(given)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _parsed(given: str) -> datetime:
    try:
        return moment(given, datetime.now(UTC))
    except ValueError:
        raise typer.BadParameter(f"{given} is no time: write {FORMS}") from None


Since = Annotated[datetime | None, typer.Option(parser=_parsed, metavar="TIME", help=f"Only from then on: {FORMS}.")]
Until = Annotated[datetime | None, typer.Option(parser=_parsed, metavar="TIME", help="Only before then.")]
