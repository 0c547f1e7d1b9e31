"""One warehouse of 1,130 synthetic people for all who judge, run or refuse queries: CDM 5.4 and MI-CDM."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from infra.demo import warehouse
from infra.demo.people import people_of

CANARY = "Canary Zwolinski"
"""Stands in each source value that no query may bring out."""

_IMAGING = """
set search_path = omop;
insert into procedure_occurrence
  (procedure_occurrence_id, person_id, procedure_concept_id, procedure_date, procedure_type_concept_id)
  select 20000000 + n, person_id, 4013636, date '2015-01-01' + (n % 2000)::int, 32817
  from (select person_id, row_number() over (order by person_id) as n from person) p where n <= 600;
insert into image_occurrence
  (image_occurrence_id, person_id, procedure_occurrence_id, image_occurrence_date, image_study_uid, image_series_uid,
   modality_concept_id, anatomic_site_concept_id, accession_id, visit_occurrence_id)
  select (procedure_occurrence_id - 20000000)::int * 10 + series, person_id, procedure_occurrence_id, procedure_date,
         '2.25.' || procedure_occurrence_id, '2.25.' || procedure_occurrence_id || '.' || series,
         case procedure_occurrence_id % 3 when 0 then 4300757 when 1 then 4013636 else 4056681 end, 4001307,
         'ACC' || (procedure_occurrence_id - 20000000),
         (select min(visit_occurrence_id) from visit_occurrence v where v.person_id = p.person_id)
  from procedure_occurrence p, generate_series(1, 2) series where procedure_occurrence_id > 20000000;
insert into observation
  (observation_id, person_id, observation_concept_id, observation_date, observation_type_concept_id,
   value_as_concept_id)
  select 90000000 + image_occurrence_id, person_id, 4052536, image_occurrence_date, 32817,
         case image_occurrence_id / 10 % 4 when 0 then 4215818 when 1 then 4196943 else 40481136 end
  from image_occurrence where image_occurrence_id % 10 = 1;
insert into image_feature
  (image_feature_id, person_id, image_occurrence_id, image_feature_event_field_concept_id, image_feature_event_id,
   image_feature_concept_id, image_feature_type_concept_id)
  select image_occurrence_id, person_id, image_occurrence_id, 1147304, 90000000 + image_occurrence_id, 4052536, 32817
  from image_occurrence where image_occurrence_id % 10 = 1;
insert into concept values
  (4215818, 'Pleural effusion', 'Observation', 'SNOMED', 'Clinical Finding', 'S', '60046008', '1970-01-01',
   '2099-12-31', null),
  (4300757, 'Computed tomography', 'Procedure', 'SNOMED', 'Procedure', 'S', '77477000', '1970-01-01', '2099-12-31',
   null) on conflict do nothing;
create index on image_feature (person_id);
create index on concept_ancestor (ancestor_concept_id);
"""
_PLANT = "update omop.person set person_source_value = $1, gender_source_value = $1"
_BROAD = "grant usage on schema omop to {role}; grant select on all tables in schema omop to {role}"


@dataclass(frozen=True, slots=True)
class OmopGround:
    """`dsn_reader`: the hardened reader of the views; `dsn_broad`: one that may read every column.

    `dsn_owner` may change everything: what a test changes it puts back.
    """

    database: str
    reader: str
    dsn_owner: str = field(repr=False)
    dsn_reader: str = field(repr=False)
    dsn_broad: str = field(repr=False)


@pytest.fixture(scope="session")
def omop_ground(postgres: Any) -> OmopGround:
    return furnished(postgres)


def furnished(postgres: Any) -> OmopGround:
    """Everybody of the set 1001; 600 of them have a study of two series, with a finding each."""
    tail = secrets.token_hex(4)
    database, reader, broad = f"omop_{tail}", f"omop_reader_{tail}", f"omop_broad_{tail}"
    role = warehouse.Reader(reader, secrets.token_hex(8), timeout_ms=10_000)
    people = people_of(["everywhere"])["everywhere"]
    asyncio.run(warehouse.load(postgres.dsn(), database, role, people, ()))
    password = secrets.token_hex(8)
    postgres.part.ensure_role(broad, password)
    asyncio.run(_furnish(postgres.dsn(database), broad, database))
    dsn_broad = postgres.part.dsn(database, broad, password)
    return OmopGround(
        database, reader, postgres.dsn(database), postgres.part.dsn(database, reader, role.password), dsn_broad
    )


async def _furnish(dsn: str, broad: str, database: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_IMAGING)
        await connection.execute(_PLANT, CANARY[:50])
        await connection.execute(f"grant connect on database {database} to {broad};" + _BROAD.format(role=broad))
        await connection.execute("analyze")
    finally:
        await connection.close()
