"""Judged queries on a real PostgreSQL, read by a role that may only read."""

import secrets
import time
from typing import Any

import asyncpg
import pytest

from schemas.sql.allowed import TABLES
from schemas.sql.judge import Listing, judge
from schemas.sql.tabulation import Tabulation
from tests.unit.sql.queries import GOOD_LISTS, GOOD_TABLES, HOSTILE
from trust_node.cohort.count import Counted, Failed, Refused, Suppressed, Tabulated, answer
from trust_node.cohort.freeze import Member, freeze
from trust_node.cohort.release import Cell, ReleasePolicy
from trust_node.cohort.store import Warehouse, WarehouseError, WarehouseFault

pytestmark = pytest.mark.integration

CANARY = "Canary Zwolinski"
_TEXTS = (
    *("_name", "accession_id", "code", "domain_id", "vocabulary_id", "class_id", "relationship_id"),
    *("invalid_reason", "standard_concept", "is_hierarchical", "defines_ancestry"),
)


def _type(column: str) -> str:
    if column.endswith(("_date", "_datetime")):
        return "date" if column.endswith("_date") else "timestamp"
    if "concept_id" not in column and column.endswith(_TEXTS):
        return "text"
    return "numeric" if column.startswith(("value_as_number", "range_", "quantity")) else "integer"


def _schema() -> str:
    tables = (
        f"create table omop.{table} ({', '.join(f'{name} {_type(name)}' for name in columns)});"
        for table, columns in TABLES.items()
    )
    return "create schema omop;" + "".join(tables) + "alter table omop.person add person_source_value text;"


_PEOPLE = f"""
insert into omop.person (person_id, gender_concept_id, year_of_birth, person_source_value)
  select n, case when n <= 40 then 8507 when n <= 57 then 8532 else 0 end, 1940 + n, '{CANARY}'
  from generate_series(1, 60) n;
insert into omop.measurement (measurement_id, person_id, measurement_concept_id, value_as_number)
  select 1000 + n, 1, 77, n from generate_series(1, 300) n;
insert into omop.measurement (measurement_id, person_id, measurement_concept_id, value_as_number)
  select 2000 + n, n, 78, n from generate_series(1, 12) n;
insert into omop.image_occurrence (image_occurrence_id, person_id, modality_concept_id, accession_id)
  select n * 10 + series, n, 4300757, 'ACC' || n from generate_series(1, 23) n, generate_series(0, 2) series;
insert into omop.image_occurrence (image_occurrence_id, person_id, modality_concept_id, accession_id)
  values (9999, 24, 4300757, null);
"""


@pytest.fixture(scope="session")
async def dsn(postgres: Any) -> str:
    database, reader, password = f"omop_{secrets.token_hex(4)}", f"reader_{secrets.token_hex(4)}", secrets.token_hex(8)
    postgres.create_database(database)
    postgres.part.ensure_role(reader, password)
    connection = await asyncpg.connect(postgres.dsn(database))
    await connection.execute(_schema() + _PEOPLE)
    await connection.execute(
        f"grant connect on database {database} to {reader}; grant usage on schema omop to {reader};"
        f"grant select on all tables in schema omop to {reader}",
    )
    await connection.close()
    return str(postgres.part.dsn(database, reader, password))


@pytest.fixture
def warehouse(dsn: str) -> Warehouse:
    return Warehouse(dsn, statement_s=10)


async def test_one_person_with_many_rows_counts_once(warehouse: Warehouse) -> None:
    for sql in (
        "SELECT person_id FROM measurement WHERE measurement_concept_id = 77",
        "SELECT count(*) FROM measurement WHERE measurement_concept_id = 77",
    ):
        assert await answer(sql, warehouse, ReleasePolicy()) == Suppressed()
    everyone = "SELECT person_id FROM measurement -- all of them"
    assert await answer(everyone, warehouse, ReleasePolicy()) == Counted(10)


async def test_accessions_count_the_persons_behind_them(warehouse: Warehouse) -> None:
    listing = judge("SELECT accession_id FROM image_occurrence;", needs_accession=True)
    assert isinstance(listing, Listing)
    assert await warehouse.count(listing) == 23


async def test_each_cell_counts_distinct_persons_and_a_small_one_is_absent(warehouse: Warehouse) -> None:
    sql = "SELECT p.gender_concept_id, count(*) FROM person p LEFT JOIN measurement m USING (person_id) GROUP BY 1"
    assert await answer(sql, warehouse, ReleasePolicy()) == Tabulated(
        ("gender_concept_id",),
        (Cell((8507,), 40), Cell((8532,), 15)),
    )


async def test_a_decade_comes_as_a_whole_number(warehouse: Warehouse) -> None:
    sql = "SELECT floor(year_of_birth / 10) AS decade, count(*) FROM person GROUP BY decade"
    table = await answer(sql, warehouse, ReleasePolicy(threshold=10, rounding=1))
    assert isinstance(table, Tabulated)
    assert Cell((195,), 10) in table.cells


@pytest.mark.parametrize(
    "columns",
    ["accession_id", "person_id, accession_id", 'accession_id AS "Scan", person_id AS p'],
)
async def test_the_members_of_a_list_are_each_image_once(warehouse: Warehouse, columns: str) -> None:
    listing = judge(f"SELECT {columns} FROM image_occurrence")
    assert isinstance(listing, Listing)
    cohort = freeze(await warehouse.members(listing), b"k" * 32)
    assert set(cohort.members) == {Member(n, f"ACC{n}") for n in range(1, 24)}


@pytest.mark.parametrize("sql", GOOD_LISTS + GOOD_TABLES)
async def test_each_accepted_query_runs_on_the_server(warehouse: Warehouse, sql: str) -> None:
    assert not isinstance(await answer(sql, warehouse, ReleasePolicy()), Failed | Refused)


async def test_a_statement_over_its_time_is_stopped_by_the_server(dsn: str) -> None:
    fast = Warehouse(dsn, statement_s=0.2)
    begun = time.monotonic()
    with pytest.raises(WarehouseError) as error:
        await fast.count(Listing("SELECT person_id FROM person, pg_sleep(30)", _person_only()))
    assert error.value.fault is WarehouseFault.TIMEOUT
    assert time.monotonic() - begun < 5


def _person_only() -> Any:
    listing = judge("SELECT person_id FROM person")
    assert isinstance(listing, Listing)
    return listing.columns


async def test_the_servers_words_never_leave(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as error:
        await warehouse.count(Listing("SELECT person_source_value::int FROM person", _person_only()))
    assert error.value.fault is WarehouseFault.QUERY_FAILED
    assert error.value.__cause__ is None
    assert error.value.__context__ is None
    assert CANARY not in str(error.value)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (DELETE FROM omop.person RETURNING person_id) SELECT person_id FROM x",
        "SELECT person_id FROM omop.person FOR UPDATE",
        "SELECT nextval('anything')::int",
    ],
)
async def test_what_would_write_fails_on_the_role_even_past_the_judge(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError):
        await warehouse.count(Listing(sql, _person_only()))
    assert await answer("SELECT person_id FROM person", warehouse, ReleasePolicy()) == Counted(60)


async def test_a_warehouse_that_is_away_is_told_as_unreachable() -> None:
    away = Warehouse("postgresql://nobody:x@127.0.0.1:9/omop")
    assert await answer("SELECT person_id FROM person", away, ReleasePolicy()) == Failed(WarehouseFault.UNREACHABLE)


async def test_no_hostile_query_brings_out_the_planted_name(warehouse: Warehouse) -> None:
    for sql, _ in HOSTILE:
        assert CANARY not in repr(await answer(sql, warehouse, ReleasePolicy()))


async def test_rewritten_counts_agree_with_the_server_about_every_cell(warehouse: Warehouse) -> None:
    table = judge("SELECT measurement_concept_id, count(*) FROM measurement GROUP BY measurement_concept_id")
    assert isinstance(table, Tabulation)
    assert sorted(await warehouse.cells(table, 10)) == [((77,), 1), ((78,), 12)]
