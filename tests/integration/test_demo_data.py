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
        "select * from note",
        "select city from location",
    ],
)
async def test_the_reader_sees_no_column_that_says_who_somebody_is(reader, sql):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
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


async def test_studies_of_another_trusts_people_are_refused(postgres, studies):
    with pytest.raises(ValueError, match="live at another trust"):
        await warehouse.load(postgres.dsn(), "omop_birch", READER, people_of(TRUSTS)["birch"], studies)
