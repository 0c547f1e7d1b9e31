"""What can't be handled leaves whole: the record's own bytes, and headers that say where, when, how often and why."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bus.decode import Record, Unreadable, place_of
from bus.uow import OutboxRow, as_text
from schemas.topics import dead_letter_topic

OURS = "tf-"
KEPT = "tf-redrive"
"""What an operator wrote when sending it again stays on it, should it come back."""

REDRIVEN_BY, REDRIVE_COUNT = "tf-redriven-by", "tf-redrive-count"


@dataclass(frozen=True, slots=True)
class Trial:
    """How often a record was tried before it was put aside, and since when; ``error`` is a class's name, no more."""

    attempts: int = 1
    first_failed_at: datetime | None = None
    error: str | None = None


def letter(record: Record, fault: Unreadable, group: str, trial: Trial) -> OutboxRow:
    """A row for the group's dead letters. No header repeats anything of the payload."""
    now = datetime.now(UTC)
    added = {
        "tf-outcome": "parked" if fault.parked else "dead",
        "tf-code": fault.code,
        "tf-error": trial.error or fault.code,
        "tf-group": group,
        "tf-origin": place_of(record),
        "tf-origin-time": str(record.timestamp),
        "tf-attempts": str(trial.attempts),
        "tf-first-failed-at": (trial.first_failed_at or now).isoformat(),
        "tf-failed-at": now.isoformat(),
    }
    own = [(name, value) for name, value in record.headers if not name.startswith(OURS) or name.startswith(KEPT)]
    headers = [*own, *((name, value.encode()) for name, value in added.items())]
    key = as_text(record.key) if record.key is not None else None
    return OutboxRow(dead_letter_topic(group), key, record.value or b"", headers)
