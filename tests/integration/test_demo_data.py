"""The demo's studies in a real PACS and a real warehouse."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from infra.demo import warehouse
from infra.demo.images import fetch_slices, write_study
from infra.demo.pacs import load_into_pacs
from infra.demo.people import people_of
from infra.demo.plan import PlannedStudy, plan
from schemas.sql.allowed import Kind
from schemas.sql.judge import Listing
from trust_node.cohort.hardening.layout import Layout
from trust_node.cohort.hardening.store import harden
from trust_node.cohort.store import Warehouse

pytestmark = pytest.mark.integration

TRUSTS = ["amber", "birch"]
CACHE = Path(__file__).parents[2] / "build" / "cache"
READER = warehouse.Reader("reader_amber", "made-up", timeout_ms=5_000)


@pytest.fixture(scope="module")
def studies() -> list[PlannedStudy]:
    return [study for study in plan(TRUSTS, people_of(TRUSTS)) if study.trust == "amber"]


@pytest.fixture(scope="module")
def warehouse_dsn(postgres, studies) -> str:
    people = people_of(TRUSTS)["amber"]
    asyncio.run(warehouse.load(postgres.dsn(), "omop_amber", READER, people, studies))
    return postgres.part.dsn("omop_amber", READER.role, READER.password)


@pytest.fixture
async def reader(warehouse_dsn):
    connection = await asyncpg.connect(warehouse_dsn)
    yield connection
    await connection.close()


def test_the_pacs_counts_what_a_study_has(orthanc, studies, tmp_path):
    slices = fetch_slices(CACHE)
    ambiguous = [study for study in studies if study.fate == "ambiguous"]
    files = [path for study in ambiguous for path in write_study(study, slices, tmp_path)]
    assert load_into_pacs("127.0.0.1", orthanc.dicom_port, orthanc.title, files) == len(files)
    assert len(files) == sum(study.slices for study in ambiguous)


def test_a_pacs_that_answers_to_another_title_is_named_with_the_remedy(orthanc):
    with pytest.raises(RuntimeError, match="refuses the association"):
        load_into_pacs("127.0.0.1", orthanc.dicom_port, "ELSEWHERE", [])


async def test_the_warehouse_links_every_planned_series_to_its_person(reader, studies):
    rows = await reader.fetch("select person_id, accession_id from image_occurrence join person using (person_id)")
    assert Counter(map(tuple, rows)) == Counter(
        (study.person.id, study.identity.accession) for study in studies for _ in study.series
    )


async def test_a_cohort_by_year_of_birth_finds_enough_people(reader):
    found = await reader.fetchval(
        "select count(distinct person_id) from image_occurrence join person using (person_id)"
        " where year_of_birth < 2000"
    )
    assert found == 14


async def test_only_the_own_people_have_clinical_rows(reader):
    own = {person.id for person in people_of(TRUSTS)["amber"]}
    for table in ("person", "measurement", "condition_occurrence", "death"):
        found = {row["person_id"] for row in await reader.fetch(f"select distinct person_id from {table}")}
        assert found
        assert found <= own


@pytest.mark.parametrize(
    "sql",
    [
        "select birth_datetime from person",
        "select person_source_value from person",
        "select image_study_uid from image_occurrence",
        "select note_text from note",
        "select city from location",
        "select birth_datetime from omop.person",
    ],
)
async def test_the_reader_sees_no_column_that_says_who_somebody_is(reader, sql):
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedColumnError, asyncpg.UndefinedTableError)):
        await reader.fetch(sql)


async def test_the_reader_can_write_nothing_and_not_for_ever(reader):
    assert await reader.fetchval("show statement_timeout") == "5s"
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await reader.execute("create temp table t (a int)")
    await reader.execute("set default_transaction_read_only = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("delete from person")


async def test_loading_twice_leaves_the_same_rows(postgres, warehouse_dsn, studies):
    people = people_of(TRUSTS)["amber"]
    await warehouse.load(postgres.dsn(), "omop_amber", READER, people, studies)
    connection = await asyncpg.connect(warehouse_dsn)
    assert await connection.fetchval("select count(*) from person") == len(people)
    await connection.close()


async def test_a_warehouse_that_was_hardened_while_empty_is_filled_and_answers(postgres, studies):
    reader = warehouse.Reader("reader_empty", "made-up")
    postgres.part.ensure_role(reader.role, reader.password)
    postgres.part.ensure_database("omop_empty")
    await harden(postgres.dsn("omop_empty"), Layout(reader.role))
    node = Warehouse(postgres.part.dsn("omop_empty", reader.role, reader.password))
    await node.prove()
    assert node.unready() == ()
    await warehouse.load(postgres.dsn(), "omop_empty", reader, people_of(TRUSTS)["amber"], studies)
    assert await harden(postgres.dsn("omop_empty"), Layout(reader.role)) == []
    found = await node.persons(Listing("SELECT person_id FROM person", (Kind.PERSON,)))
    assert len(found) == len(people_of(TRUSTS)["amber"])


async def test_studies_of_another_trusts_people_are_refused(postgres, studies):
    with pytest.raises(ValueError, match="live at another trust"):
        await warehouse.load(postgres.dsn(), "omop_birch", READER, people_of(TRUSTS)["birch"], studies)
