"""The node's tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bus.database import Connection
from trust_node.cohort.freeze import FrozenCohort, Member


@dataclass(frozen=True, slots=True)
class Project:
    project_id: str
    name: str
    dicom_to_nifti: bool
    xnat_project: str | None


@dataclass(frozen=True, slots=True)
class Study:
    project_id: str
    study: str
    accession: str = field(repr=False)
    attempt: int
    state: str


@dataclass(frozen=True, slots=True)
class Run:
    run_id: str
    project_id: str
    entry_point: str
    ended: bool


async def members(connection: Connection, project_id: str) -> list[Member]:
    rows = await connection.fetch("select person_id, accession from member where project_id = $1", project_id)
    return [Member(row["person_id"], row["accession"]) for row in rows]


async def is_frozen(connection: Connection, project_id: str) -> bool:
    return bool(await connection.fetchval("select exists (select 1 from cohort where project_id = $1)", project_id))


async def save_cohort(
    connection: Connection, project_id: str, query_id: str, cohort: FrozenCohort, now: datetime
) -> None:
    await connection.execute("delete from cohort where project_id = $1", project_id)
    await connection.execute("insert into cohort values ($1, $2, $3, $4)", project_id, query_id, cohort.digest, now)
    await connection.executemany(
        "insert into member values ($1, $2, $3)",
        [(project_id, member.person_id, member.accession) for member in cohort.members],
    )


async def save_project(connection: Connection, project_id: str, name: str, *, dicom_to_nifti: bool) -> None:
    await connection.execute(
        """insert into project (project_id, name, dicom_to_nifti) values ($1, $2, $3)
           on conflict (project_id) do update set name = excluded.name, dicom_to_nifti = excluded.dicom_to_nifti""",
        project_id,
        name,
        dicom_to_nifti,
    )


async def project(connection: Connection, project_id: str) -> Project | None:
    row = await connection.fetchrow("select * from project where project_id = $1", project_id)
    return Project(**row) if row else None


async def set_xnat_project(connection: Connection, project_id: str, xnat_project: str) -> None:
    await connection.execute("update project set xnat_project = $2 where project_id = $1", project_id, xnat_project)


async def plan_studies(connection: Connection, project_id: str, accessions: Iterable[tuple[str, str]]) -> None:
    """Pairs of pseudonym and accession number; a study that is known keeps its state."""
    await connection.executemany(
        "insert into study (project_id, study, accession) values ($1, $2, $3) on conflict do nothing",
        [(project_id, study, accession) for study, accession in accessions],
    )


async def study(connection: Connection, project_id: str, pseudonym: str) -> Study | None:
    row = await connection.fetchrow(
        "select project_id, study, accession, attempt, state from study where project_id = $1 and study = $2",
        project_id,
        pseudonym,
    )
    return Study(**row) if row else None


async def failed_studies(connection: Connection, project_id: str, pseudonym: str | None) -> Sequence[str]:
    rows = await connection.fetch(
        """select study from study where project_id = $1 and state = 'failed' and ($2::text is null or study = $2)
           order by study""",
        project_id,
        pseudonym,
    )
    return [row["study"] for row in rows]


async def begin_attempt(connection: Connection, project_id: str, pseudonym: str) -> int:
    """Count the attempt that starts now; return its number."""
    attempt = await connection.fetchval(
        "update study set attempt = attempt + 1 where project_id = $1 and study = $2 returning attempt",
        project_id,
        pseudonym,
    )
    return int(attempt)


async def save_study(
    connection: Connection, project_id: str, pseudonym: str, *, state: str, session: str | None, code: str | None
) -> None:
    await connection.execute(
        """update study set state = $3, session = coalesce($4, session), code = $5
           where project_id = $1 and study = $2""",
        project_id,
        pseudonym,
        state,
        session,
        code,
    )


async def save_run(connection: Connection, run_id: str, project_id: str, entry_point: str) -> None:
    await connection.execute(
        """insert into run (run_id, project_id, entry_point) values ($1, $2, $3)
           on conflict (run_id) do update set entry_point = excluded.entry_point""",
        run_id,
        project_id,
        entry_point,
    )


async def run(connection: Connection, run_id: str) -> Run | None:
    row = await connection.fetchrow("select * from run where run_id = $1", run_id)
    return Run(**row) if row else None


async def end_run(connection: Connection, run_id: str) -> None:
    """Remember that it is over, even if it was never prepared here, and forget what was still to do for it."""
    await connection.execute(
        """insert into run (run_id, project_id, entry_point, ended) values ($1, '', '', true)
           on conflict (run_id) do update set ended = true""",
        run_id,
    )
    await connection.execute("delete from job where lane = 'training' and key = $1 and not running", run_id)
