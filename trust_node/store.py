"""The node's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bus.database import Connection
from schemas.deid import DeidWish
from trust_node.cohort.freeze import Member


@dataclass(frozen=True, slots=True)
class Project:
    project_id: str
    name: str
    dicom_to_nifti: bool
    xnat_project: str | None
    several: str | None = None
    ended_at: datetime | None = None
    deid: Mapping[str, Any] | None = None

    @property
    def wish(self) -> DeidWish:
        """What the project asks of de-identification; nothing, where it has not said."""
        return DeidWish.model_validate(self.deid or {})


@dataclass(frozen=True, slots=True)
class Run:
    run_id: str
    project_id: str
    entry_point: str
    ended: bool


async def members(connection: Connection, project_id: str) -> list[Member]:
    rows = await connection.fetch("select person_id, accession from member where project_id = $1", project_id)
    return [Member(row["person_id"], row["accession"]) for row in rows]


async def save_project(
    connection: Connection, project_id: str, name: str, *, dicom_to_nifti: bool, deid: DeidWish | None = None
) -> None:
    await connection.execute(
        """insert into project (project_id, name, dicom_to_nifti, deid) values ($1, $2, $3, $4)
           on conflict (project_id) do update
           set name = excluded.name, dicom_to_nifti = excluded.dicom_to_nifti, deid = excluded.deid""",
        project_id,
        name,
        dicom_to_nifti,
        deid and deid.model_dump(mode="json"),
    )


async def project(connection: Connection, project_id: str) -> Project | None:
    row = await connection.fetchrow("select * from project where project_id = $1", project_id)
    return Project(**row) if row else None


async def set_xnat_project(connection: Connection, project_id: str, xnat_project: str) -> None:
    await connection.execute("update project set xnat_project = $2 where project_id = $1", project_id, xnat_project)


async def reopen(
    connection: Connection, project_id: str, studies: Sequence[str], deadline_at: datetime, *, fresh: bool = False
) -> None:
    """Have studies brought in from now on, by a moment; ``fresh`` past what is here of them."""
    await connection.execute(
        """update study set settled = false, rest = null, code = null, failures = 0, deadline_at = $3, fresh = $4
           where project_id = $1 and study = any($2::text[])""",
        project_id,
        list(studies),
        deadline_at,
        fresh,
    )


async def switch_conversion(connection: Connection, project_id: str, *, on: bool) -> None:
    await connection.execute("update project set dicom_to_nifti = $2 where project_id = $1", project_id, on)


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
