"""The table of holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bus.database import Connection

Verdict = Literal["released", "rejected"]


@dataclass(frozen=True, slots=True)
class Hold:
    """One image of a study, by its file's name in the content store, and the rule that holds it."""

    project_id: str
    study: str
    image: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person of the trust decides, and why."""

    verdict: Verdict
    person: str
    why: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What has been decided on a study: reasons that no longer hold an image, by image, and images that are dropped."""

    released: Mapping[str, frozenset[str]]
    rejected: frozenset[str]


async def hold(
    connection: Connection, project_id: str, study: str, held: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Enter images with their reasons; what was entered or decided before stays as it is."""
    await connection.executemany(
        "insert into hold (project_id, study, image, reason, since) values ($1, $2, $3, $4, $5) on conflict do nothing",
        [(project_id, study, image, reason, now) for image, reason in held],
    )


async def waiting(connection: Connection, project_id: str | None = None, study: str | None = None) -> Sequence[Hold]:
    """Return what nobody has decided on, the longest waiting first."""
    rows = await connection.fetch(
        """select project_id, study, image, reason, since from hold
           where verdict is null and ($1::text is null or project_id = $1) and ($2::text is null or study = $2)
           order by since, project_id, study, image""",
        project_id,
        study,
    )
    return [Hold(**row) for row in rows]


async def reviewed(connection: Connection, project_id: str, study: str) -> Reviewed:
    rows = await connection.fetch(
        "select image, reason, verdict from hold where project_id = $1 and study = $2 and verdict is not null",
        project_id,
        study,
    )
    released: dict[str, frozenset[str]] = {}
    for row in rows:
        if row["verdict"] == "released":
            released[row["image"]] = released.get(row["image"], frozenset()) | {row["reason"]}
    return Reviewed(released, frozenset(row["image"] for row in rows if row["verdict"] == "rejected"))


async def settle(connection: Connection, holds: Iterable[Hold], ruling: Ruling, now: datetime) -> None:
    await connection.executemany(
        """update hold set verdict = $5, decided_by = $6, why = $7, decided_at = $8
           where project_id = $1 and study = $2 and image = $3 and reason = $4 and verdict is null""",
        [
            (one.project_id, one.study, one.image, one.reason, ruling.verdict, ruling.person, ruling.why, now)
            for one in holds
        ],
    )


async def drop(connection: Connection, project_id: str) -> None:
    """Forget a project's holds: it has ended."""
    await connection.execute("delete from hold where project_id = $1", project_id)


async def requests_of(connection: Connection, project_id: str, study: str) -> Sequence[str]:
    """Return the pseudonyms under which the study was asked for."""
    rows = await connection.fetch(
        """select study from study where project_id = $1 and (session = $2 or exists (
               select from study_found as found
               where found.project_id = $1 and found.study = study.study and found.session = $2)) order by study""",
        project_id,
        study,
    )
    return [row["study"] for row in rows]
