"""The node's tables of studies: what was asked for, how far it is, what was told of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bus.database import Connection
from trust_node.imaging.study import Found

COLUMNS = """project_id, study, accession, state, attempt, session, code, settled, rest, fresh, failures, expected,
             received, archived, held, deadline_at, touched_at"""


@dataclass(frozen=True, slots=True)
class Study:
    """What the database says of a study: what was proven of it, and when."""

    project_id: str
    study: str
    accession: str = field(repr=False)
    state: str
    attempt: int
    session: str | None
    code: str | None
    settled: bool
    rest: str | None
    fresh: bool
    failures: int
    expected: int | None
    received: int
    archived: int
    held: Mapping[str, int]
    deadline_at: datetime
    touched_at: datetime

    @property
    def failed(self) -> bool:
        return self.settled and self.code is not None


@dataclass(frozen=True, slots=True)
class Told:
    """One step that was told of a study."""

    at: datetime
    attempt: int
    state: str
    code: str | None
    expected: int | None
    present: int
    held: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step changes: of ``settled`` studies nothing more is told."""

    state: str
    present: int
    session: str | None = None
    code: str | None = None
    rest: str | None = None
    expected: int | None = None
    received: int = 0
    archived: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    settled: bool = False


async def plan(connection: Connection, project_id: str, accessions: Iterable[tuple[str, str]]) -> None:
    """Pairs of pseudonym and accession number; a study that is known keeps its state."""
    await connection.executemany(
        "insert into study (project_id, study, accession) values ($1, $2, $3) on conflict do nothing",
        [(project_id, study, accession) for study, accession in accessions],
    )


async def begin(connection: Connection, project_id: str, study: str) -> Study | None:
    """Count the attempt that starts now; None if nothing is to be done for the study any more."""
    row = await connection.fetchrow(
        f"""update study set attempt = attempt + 1 where project_id = $1 and study = $2 and not settled
            returning {COLUMNS}""",  # noqa: S608  our own words
        project_id,
        study,
    )
    return Study(**row) if row else None


async def advance(connection: Connection, project_id: str, study: str, attempt: int, step: Progress) -> bool:
    """Take note of a step; False, and nothing done, where the study was settled or begun anew meanwhile."""
    mine = await connection.fetchval(
        """update study set state = $4, session = coalesce($5, session), code = $6, rest = $7,
               expected = coalesce($8, expected), received = $9, archived = $10, held = $11, settled = $12,
               fresh = fresh and not $12, failures = failures + ($6::text is not null)::int, touched_at = now()
           where project_id = $1 and study = $2 and attempt = $3 and not settled returning true""",
        project_id,
        study,
        attempt,
        step.state,
        step.session,
        step.code,
        step.rest,
        step.expected,
        step.received,
        step.archived,
        dict(step.held),
        step.settled,
    )
    if mine:
        await _note(connection, project_id, study, attempt, step)
    return bool(mine)


async def settle(connection: Connection, study: Study, *, code: str | None = None, rest: str | None = None) -> None:
    """End what was under way for a study, with nothing more to come by itself."""
    await drop_jobs(connection, study.project_id, study.study)
    await connection.execute(
        """update study set settled = true, code = $3, rest = $4, touched_at = now()
           where project_id = $1 and study = $2""",
        study.project_id,
        study.study,
        code,
        rest,
    )
    step = Progress(study.state, study.received, code=code, rest=rest, expected=study.expected, held=study.held)
    await _note(connection, study.project_id, study.study, study.attempt, step)


async def _note(connection: Connection, project_id: str, study: str, attempt: int, step: Progress) -> None:
    await connection.execute(
        "insert into study_step values ($1, $2, now(), $3, $4, $5, $6, $7, $8)",
        project_id,
        study,
        attempt,
        step.rest or step.state,
        step.code,
        step.expected,
        step.present,
        dict(step.held),
    )


async def studies(connection: Connection, project_id: str) -> list[Study]:
    rows = await connection.fetch(f"select {COLUMNS} from study where project_id = $1 order by study", project_id)  # noqa: S608
    return [Study(**row) for row in rows]


async def study(connection: Connection, project_id: str, pseudonym: str) -> Study | None:
    """Find a study by what names it: the pseudonym of what was asked for, or of what was found."""
    row = await connection.fetchrow(
        f"""select {COLUMNS} from study where project_id = $1 and (study = $2 or exists (
                select from study_found as found where found.project_id = study.project_id
                and found.study = study.study and found.session = $2)) order by study limit 1""",  # noqa: S608
        project_id,
        pseudonym,
    )
    return Study(**row) if row else None


async def overdue(connection: Connection, project_id: str, now: datetime) -> list[Study]:
    rows = await connection.fetch(
        f"select {COLUMNS} from study where project_id = $1 and not settled and deadline_at <= $2",  # noqa: S608
        project_id,
        now,
    )
    return [Study(**row) for row in rows]


async def told(connection: Connection, project_id: str, pseudonym: str) -> list[Told]:
    rows = await connection.fetch(
        """select at, attempt, state, code, expected, present, held from study_step
           where project_id = $1 and study = $2 order by at""",
        project_id,
        pseudonym,
    )
    return [Told(**row) for row in rows]


async def save_found(connection: Connection, project_id: str, pseudonym: str, studies: Iterable[Found]) -> None:
    await connection.execute("delete from study_found where project_id = $1 and study = $2", project_id, pseudonym)
    await connection.executemany(
        "insert into study_found values ($1, $2, $3, $4, $5)",
        [(project_id, pseudonym, found.session, found.expected, found.chosen) for found in studies],
    )


async def found(connection: Connection, project_id: str, pseudonym: str | None = None) -> dict[str, list[Found]]:
    """What accession numbers led to in the PACS, by the pseudonym of what was asked for."""
    rows = await connection.fetch(
        """select study, session, expected, chosen from study_found
           where project_id = $1 and ($2::text is null or study = $2) order by study, session""",
        project_id,
        pseudonym,
    )
    listed: dict[str, list[Found]] = {}
    for row in rows:
        listed.setdefault(row["study"], []).append(Found(row["session"], row["expected"], row["chosen"]))
    return listed


async def drop_jobs(connection: Connection, project_id: str, study: str | None = None) -> None:
    """Forget imports that have not begun: of one study, or of the whole project."""
    await connection.execute(
        """delete from job where lane = 'imaging' and not running and ($2::text is null or key = $2)
           and convert_from(payload, 'UTF8')::jsonb ->> 'project_id' = $1""",
        project_id,
        study,
    )


async def awaited(connection: Connection, project_id: str) -> frozenset[str]:
    """Return the studies for which a job waits or runs."""
    rows: Sequence[Any] = await connection.fetch(
        "select key from job where lane = 'imaging' and convert_from(payload, 'UTF8')::jsonb ->> 'project_id' = $1",
        project_id,
    )
    return frozenset(row["key"] for row in rows)


async def choose_several(connection: Connection, project_id: str, rule: str) -> bool:
    """Fix which of several studies to take; tell whether the project is known."""
    known = await connection.fetchval(
        "update project set several = $2 where project_id = $1 returning true", project_id, rule
    )
    return bool(known)


async def end(connection: Connection, project_id: str) -> None:
    """From now on nothing is imported for the project."""
    await connection.execute("update project set ended_at = now() where project_id = $1", project_id)


async def forget(connection: Connection, project_id: str) -> None:
    """Drop everything that names a person or an accession number of a project that has ended."""
    for table in ("study", "study_step", "study_found", "cohort"):
        await connection.execute(f"delete from {table} where project_id = $1", project_id)  # noqa: S608
