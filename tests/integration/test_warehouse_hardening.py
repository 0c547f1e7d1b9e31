"""A warehouse of each CDM version is hardened on a real server; what the reader then sees, and who else notices."""

import os
import secrets
from typing import Any

import asyncpg
import pytest

from schemas.sql.allowed import Kind
from schemas.sql.judge import Listing, judge
from schemas.sql.words import FUNCTIONS
from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.cohort.freeze import Member
from trust_node.cohort.hardening.executable import GOLDEN, NEVER, OPERATORS, OWN, RULE, TYPES, executable
from trust_node.cohort.hardening.layout import others_of
from trust_node.cohort.hardening.store import HardeningError, harden, planned
from trust_node.cohort.store import Warehouse, WarehouseError, WarehouseFault

pytestmark = pytest.mark.integration

EVERYBODY = "SELECT person_id FROM person"
IMAGES = "SELECT person_id, accession_id FROM image_occurrence"


def listing(sql: str) -> Listing:
    judged = judge(sql)
    assert isinstance(judged, Listing)
    return judged


@pytest.fixture(scope="module")
async def ground(postgres: Any) -> Ground:
    return await warehouse_ground(postgres, cdm())


async def test_the_golden_list_follows_from_what_the_judge_allows(ground: Ground) -> None:
    """With WRITE_FIGURES=1 in the environment the list is written anew."""
    rows = await ground.fetch(RULE, list(TYPES), list(OPERATORS), sorted(FUNCTIONS), list(OWN), list(NEVER))
    if os.environ.get("WRITE_FIGURES"):
        GOLDEN.write_text("".join(f"{row[0]}\n" for row in rows), encoding="utf-8")
        executable.cache_clear()
    assert {row[0] for row in rows} == executable()


async def test_a_plan_changes_nothing_and_a_second_run_has_nothing_to_do(postgres: Any) -> None:
    ground = await warehouse_ground(postgres, cdm())
    first = await planned(ground.dsn, ground.layout())
    assert first == await planned(ground.dsn, ground.layout())
    assert await harden(ground.dsn, ground.layout()) == first
    assert await harden(ground.dsn, ground.layout()) == []
    assert all(statement.why for statement in first)


async def test_what_a_new_version_of_the_cdm_brings_is_shown_by_the_next_run(postgres: Any) -> None:
    ground = await warehouse_ground(postgres, cdm())
    warehouse = await ground.hardened()
    await ground.execute("drop table omop.note cascade")
    assert "note" not in (await warehouse.catalogue()).tables
    await ground.execute("create table omop.note (note_id int, person_id int, note_text text)")
    await ground.hardened()
    assert (await warehouse.catalogue()).tables["note"] == {"note_id", "person_id"}


async def test_a_function_that_queries_may_call_since_is_given_by_the_next_run(postgres: Any) -> None:
    ground = await warehouse_ground(postgres, cdm())
    await ground.execute("revoke execute on function upper(text) from public")
    warehouse = await ground.hardened()
    shouted = listing(
        "SELECT m.person_id FROM measurement m JOIN concept c ON c.concept_id = m.measurement_concept_id"
        " WHERE upper(c.concept_name) = 'A'"
    )
    assert len(await warehouse.persons(shouted)) == 0
    assert await harden(ground.dsn, ground.layout()) == []


@pytest.mark.parametrize("version", ["5_3", "5_4", "5_5"])
async def test_each_version_answers_and_lacks_what_it_lacks(postgres: Any, version: str) -> None:
    warehouse = await (await warehouse_ground(postgres, cdm(version))).hardened()
    assert len(await warehouse.persons(listing(EVERYBODY))) == 60
    assert await warehouse.members(listing(IMAGES)) != []
    entered = "SELECT person_id FROM visit_occurrence WHERE admitted_from_concept_id = 1"
    assert len(await warehouse.persons(listing(entered))) == 0
    newer = listing("SELECT person_id FROM procedure_occurrence WHERE procedure_end_date > '2020-01-01'")
    if version != "5_3":
        assert len(await warehouse.persons(newer)) == 0
        return
    assert (await warehouse.catalogue()).cdm_version == "5.3"
    with pytest.raises(WarehouseError) as error:
        await warehouse.persons(newer)
    assert (error.value.fault, error.value.name) == (WarehouseFault.COLUMN_ABSENT, "procedure_end_date")
    assert "procedure_end_date" in error.value.sentence
    with pytest.raises(WarehouseError) as error:
        await warehouse.persons(listing("SELECT person_id FROM episode"))
    assert error.value.name == "episode"


async def test_schemas_have_the_names_of_the_site(postgres: Any) -> None:
    vocabulary = "create schema words; create table words.concept (concept_id int, concept_name text)"
    ground = await warehouse_ground(postgres, [*cdm(schema="cdm54"), vocabulary, "drop table cdm54.concept cascade"])
    named = {"cdm_schema": "cdm54", "vocabulary_schema": "words", "views_schema": "seen"}
    warehouse = await ground.hardened(**named)
    assert len(await warehouse.persons(listing(EVERYBODY))) == 60
    assert (await warehouse.catalogue()).tables["concept"] == {"concept_id", "concept_name"}


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ("image_occurrence.image_occurrence_id", "{n}"),
        ("procedure_occurrence.procedure_source_value", "P{n}"),
        ("hospital.exam.number by visit_occurrence_id", "E{n}"),
    ],
)
async def test_accession_numbers_come_from_where_the_site_has_them(postgres: Any, column: str, named: str) -> None:
    exams = (
        "create schema hospital; create table hospital.exam (visit_occurrence_id int primary key, number text);"
        "insert into hospital.exam select n, 'E' || n from generate_series(1, 40) n;"
        "update omop.image_occurrence set visit_occurrence_id = image_occurrence_id"
    )
    ground = await warehouse_ground(postgres, [*cdm(accession=""), exams])
    warehouse = await ground.hardened(accession=column)
    found = await warehouse.members(listing(IMAGES))
    assert sorted(found) == sorted(Member(n, named.format(n=n)) for n in range(1, 41))


async def test_without_an_accession_number_the_column_is_told_as_absent(postgres: Any) -> None:
    warehouse = await (await warehouse_ground(postgres, cdm(accession=""))).hardened()
    with pytest.raises(WarehouseError) as error:
        await warehouse.members(listing(IMAGES))
    assert error.value.name == "accession_id"
    assert await warehouse.studies(listing(EVERYBODY)) == {}


async def test_who_has_opted_out_is_in_no_table(postgres: Any) -> None:
    rows = (
        "create schema hospital; create table hospital.gone (subject_id int);"
        "insert into hospital.gone select generate_series(1, 7);"
        "insert into omop.episode (episode_id, person_id, episode_concept_id, episode_start_date,"
        " episode_object_concept_id, episode_type_concept_id) select n, n, 1, '2020-01-01', 1, 1"
        " from generate_series(1, 20) n;"
        "insert into omop.episode_event select n, n, 1 from generate_series(1, 20) n"
    )
    ground = await warehouse_ground(postgres, [*cdm(), rows])
    warehouse = await ground.hardened(opt_out="hospital.gone.subject_id")
    for table in ("person", "image_occurrence", "procedure_occurrence", "episode"):
        assert not set(range(1, 8)) & set(await warehouse.persons(listing(f"SELECT person_id FROM {table}")))
    assert await warehouse.ask("SELECT count(*) FROM episode_event") == [(13,)]
    await ground.execute("insert into hospital.gone values (8)")
    assert 8 not in await warehouse.persons(listing(EVERYBODY))


async def test_no_function_of_a_query_sees_a_row_of_who_has_opted_out(postgres: Any) -> None:
    """The reader itself asks, past judge and node: an error would tell that the person is there."""
    gone = "create schema hospital; create table hospital.gone (person_id int); insert into hospital.gone values (3)"
    ground = await warehouse_ground(postgres, [*cdm(), gone])
    await ground.hardened(opt_out="hospital.gone")
    reader = await asyncpg.connect(ground.reader_dsn)
    try:
        for table in ("person", "procedure_occurrence", "image_occurrence JOIN person USING (person_id)"):
            assert await reader.fetch(f"SELECT person_id FROM {table} WHERE 1 / (person_id - 3) > 9") == []
            with pytest.raises(asyncpg.DivisionByZeroError):
                await reader.fetch(f"SELECT person_id FROM {table} WHERE 1 / (person_id - 4) > 9")
    finally:
        await reader.close()


async def test_joins_by_keys_are_no_cost_behind_views_that_hide_rows_and_pairs_are(postgres: Any) -> None:
    many = (
        "insert into omop.person (person_id, gender_concept_id, year_of_birth, race_concept_id, ethnicity_concept_id)"
        " select n, 8507, 1950, 0, 0 from generate_series(100, 5000) n; analyze omop.person;"
        "create schema hospital; create table hospital.gone (person_id int)"
    )
    ground = await warehouse_ground(postgres, [*cdm(), many])
    await ground.hardened(opt_out="hospital.gone")
    careful = Warehouse(ground.reader_dsn, cost_limit=50_000)
    joined = " ".join(f"JOIN person p{at} ON p{at}.person_id = p.person_id" for at in range(4))
    assert len(await careful.persons(listing(f"SELECT p.person_id FROM person p {joined}"))) == 4961
    with pytest.raises(WarehouseError) as error:
        await careful.persons(Listing("SELECT p.person_id FROM person p, person q", (Kind.PERSON,)))
    assert error.value.fault is WarehouseFault.TOO_COSTLY


async def test_names_of_concepts_are_indexed_and_nothing_of_the_extension_is_given(postgres: Any) -> None:
    ground = await warehouse_ground(postgres, cdm())
    warehouse = await ground.hardened()
    indexed = await warehouse.ask(
        "SELECT table_name FROM trustflow_cohort_about.indexes WHERE column_name LIKE '%name'"
    )
    assert {("concept",), ("concept_synonym",)} <= set(indexed)
    for text in ("SELECT similarity('a', 'b')", "SELECT omop.similarity('a', 'b')", "SELECT 'a' % 'b'"):
        with pytest.raises(WarehouseError):
            await warehouse.ask(text)
    assert (await warehouse.verify()).passed


async def test_everybody_else_goes_on_as_before(postgres: Any) -> None:
    ground = await warehouse_ground(postgres, cdm())
    guest, later, password = f"guest_{ground.reader}", f"later_{ground.reader}", secrets.token_hex(8)
    for role in (guest, later):
        postgres.part.ensure_role(role, password)
    await ground.execute(f"grant connect, temporary on database {ground.database} to {guest}")
    await ground.hardened()
    ask = "select count(*) from pg_stats, generate_series(1, 2) where pg_sleep(0) is not null"
    await _runs(postgres.part.dsn(ground.database, guest, password), ask, "create temporary table mine (a int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _runs(postgres.part.dsn(ground.database, later, password), ask)
    await ground.execute(f"grant {others_of(ground.database)}, pg_read_all_data to {later}")
    await ground.execute(f"grant connect on database {ground.database} to {later}")
    await _runs(postgres.part.dsn(ground.database, later, password), ask, "select person_source_value from omop.person")


async def _runs(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_schema_that_is_not_ours_is_left_alone(postgres: Any) -> None:
    ground = await warehouse_ground(postgres, [*cdm(), "create schema trustflow_cohort"])
    with pytest.raises(HardeningError, match="not ours"):
        await harden(ground.dsn, ground.layout())


async def test_only_a_superuser_can_harden(ground: Ground) -> None:
    with pytest.raises(HardeningError, match="superuser"):
        await harden(ground.reader_dsn, ground.layout())
