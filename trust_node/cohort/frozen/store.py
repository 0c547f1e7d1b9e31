"""The node's tables of frozen cohorts, and all that goes from them with a person who is gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bus.database import Connection
from trust_node.cohort.freeze import Member
from trust_node.cohort.frozen.record import Frozen

COLUMNS = """project_id, query_id, digest, sql, is_frame, software, cdm_version, vocabulary_version, persons, studies,
             told_persons, approved_by"""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A study that is asked for no more; `settled`: nothing was under way for it."""

    study: str
    state: str
    attempt: int
    expected: int | None
    received: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a cohort stood when it was last looked at; `late`: that is longer ago than it should be."""

    usable: bool
    looked_at: datetime | None
    late: bool


async def load(connection: Connection, project_id: str) -> Frozen | None:
    """Return the record, and keep others from changing it until the transaction ends."""
    row = await connection.fetchrow(f"select {COLUMNS} from cohort where project_id = $1 for update", project_id)  # noqa: S608  our own words
    return Frozen(**row) if row else None


async def save(connection: Connection, frozen: Frozen, members: Sequence[Member], now: datetime) -> None:
    """Enter a cohort with its members, or a new record of one that is known: nobody is added to that."""
    known = await connection.fetchval("select true from cohort where project_id = $1", frozen.project_id)
    await connection.execute(
        f"""insert into cohort ({COLUMNS}, sql_sha256, frozen_at, looked_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
            on conflict (project_id) do update set (query_id, digest, sql, is_frame, software, cdm_version,
                vocabulary_version, persons, studies, told_persons, approved_by, sql_sha256, frozen_at, looked_at,
                usable) =
                (excluded.query_id, excluded.digest, excluded.sql, excluded.is_frame, excluded.software,
                excluded.cdm_version, excluded.vocabulary_version, excluded.persons, excluded.studies,
                excluded.told_persons, excluded.approved_by, excluded.sql_sha256, excluded.frozen_at,
                excluded.looked_at, true)""",  # noqa: S608  our own words
        frozen.project_id,
        frozen.query_id,
        frozen.digest,
        frozen.sql,
        frozen.is_frame,
        frozen.software,
        frozen.cdm_version,
        frozen.vocabulary_version,
        frozen.persons,
        frozen.studies,
        frozen.told_persons,
        frozen.approved_by,
        frozen.sql_sha256,
        now,
    )
    if not known:
        await connection.executemany(
            "insert into member values ($1, $2, $3)",
            [(frozen.project_id, member.person_id, member.accession) for member in members],
        )


async def in_use(connection: Connection) -> list[str]:
    """Return the projects with a cohort whose end has not come here."""
    rows = await connection.fetch(
        "select project_id from cohort left join project using (project_id) where ended_at is null order by project_id"
    )
    return [row["project_id"] for row in rows]


async def standing(connection: Connection, project_id: str, since: datetime) -> Standing | None:
    """Return how a cohort in use stands, `late` if it was not looked at `since` then; None where none is in use."""
    row = await connection.fetchrow(
        """select usable, looked_at, coalesce(looked_at <= $2, true) as late
           from cohort left join project using (project_id) where project_id = $1 and ended_at is null""",
        project_id,
        since,
    )
    return Standing(**row) if row else None


async def looked(connection: Connection, project_id: str, at: datetime, *, usable: bool) -> bool:
    """Take note of what a look has found; return whether the cohort was usable until then."""
    was_usable = await connection.fetchval(
        """update cohort set looked_at = $2, usable = $3
           from (select usable from cohort where project_id = $1) as before
           where project_id = $1 returning before.usable""",
        project_id,
        at,
        usable,
    )
    return bool(was_usable)


async def look_first(connection: Connection, project_id: str) -> None:
    """Have the cohort looked at before anything more is done with it, however fresh its last look is."""
    await connection.execute("update cohort set looked_at = null where project_id = $1", project_id)


async def tell(connection: Connection, project_id: str, persons: int | None) -> None:
    """Take note of the figure that the hub is told from now on."""
    await connection.execute("update cohort set told_persons = $2 where project_id = $1", project_id, persons)


async def let_go(connection: Connection, project_id: str, gone: Iterable[Member]) -> list[Dropped]:
    """Forget members, and their studies with all that was noted of them; what is here of these is withdrawn."""
    accessions = [member.accession for member in gone]
    if not accessions:
        return []
    studies = [row["study"] for row in await connection.fetch(_STUDIES, project_id, accessions)]
    await connection.execute(_WITHDRAW, project_id, studies)
    await connection.execute(_DROP_JOBS, project_id, studies)
    await connection.execute(_DROP_STEPS, project_id, studies)
    await connection.execute(_DROP_FOUND, project_id, studies)
    await connection.execute(_DROP_HOLDS, project_id)
    dropped = await connection.fetch(_DROP_STUDIES, project_id, studies)
    await connection.execute(
        "delete from member where project_id = $1 and accession = any($2::text[])", project_id, accessions
    )
    return [Dropped(**row) for row in dropped]


async def withdrawn(connection: Connection, project_id: str) -> frozenset[str]:
    """Return the studies that may not be used any more, by the pseudonym that the archive knows them by."""
    rows = await connection.fetch("select study from withdrawn where project_id = $1", project_id)
    return frozenset(row["study"] for row in rows)


async def sessions(connection: Connection, project_id: str) -> dict[str, list[str]]:
    """Return the studies in the archive, by the accession number that led to them."""
    rows = await connection.fetch(
        """select study.accession, found.session from study
           join study_found as found using (project_id, study)
           join member on member.project_id = study.project_id and member.accession = study.accession
           where study.project_id = $1 and found.chosen""",
        project_id,
    )
    led: dict[str, list[str]] = {}
    for row in rows:
        led.setdefault(row["accession"], []).append(row["session"])
    return led


_STUDIES = "select study from study where project_id = $1 and accession = any($2::text[])"
_WITHDRAW = """
insert into withdrawn select project_id, session from study_found where project_id = $1 and study = any($2::text[])
union select project_id, session from study where project_id = $1 and study = any($2::text[]) and session is not null
on conflict do nothing"""
_DROP_JOBS = """
delete from job where lane = 'imaging' and not running and key = any($2::text[])
    and convert_from(payload, 'UTF8')::jsonb ->> 'project_id' = $1"""
_DROP_STEPS = "delete from study_step where project_id = $1 and study = any($2::text[])"
_DROP_FOUND = "delete from study_found where project_id = $1 and study = any($2::text[])"
_DROP_HOLDS = """
delete from hold using withdrawn as gone
where hold.project_id = $1 and gone.project_id = hold.project_id and gone.study = hold.study"""
_DROP_STUDIES = """
delete from study where project_id = $1 and study = any($2::text[])
returning study, state, attempt, expected, received, settled"""
