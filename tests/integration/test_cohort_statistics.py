"""Every statistic on real data, beside the same computed another way from the whole tables."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from schemas.sql.judge import Listing, judge
from tests.integration.omop_ground import OmopGround
from trust_node.cohort.statistics import asked_for
from trust_node.cohort.store import Warehouse

pytestmark = pytest.mark.integration

IMAGED = "SELECT person_id, accession_id FROM image_occurrence WHERE image_occurrence_date >= DATE '2016-01-01'"
EVERYBODY = "SELECT person_id FROM person -- all of them"
BY_ACCESSION = "SELECT accession_id FROM image_occurrence"

Cells = dict[tuple[str, ...], set[int]]


@pytest.fixture
async def owner(omop_ground: OmopGround) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(omop_ground.dsn_owner, server_settings={"search_path": "omop"})
    yield connection
    await connection.close()


@pytest.fixture
def warehouse(omop_ground: OmopGround) -> Warehouse:
    return Warehouse(omop_ground.dsn_reader)


async def told(warehouse: Warehouse, name: str, sql: str) -> Cells:
    listing = judge(sql)
    assert isinstance(listing, Listing)
    (asked,) = asked_for((name,), listing)
    cells = await warehouse.cells(asked.tabulation, 400)
    persons = [person for members in cells.values() for person in members]
    assert len(persons) == len(set(persons))
    found: Cells = defaultdict(set)
    for key, members in cells.items():
        for labels in asked.told(key):
            found[labels] |= set(members)
    return dict(found)


def grouped(rows: list[Any]) -> Cells:
    cells: Cells = defaultdict(set)
    for *key, person in rows:
        cells[tuple("not known" if part is None else str(part) for part in key)].add(person)
    return dict(cells)


async def test_sex_is_by_the_names_of_the_concepts(warehouse: Warehouse, owner: Any) -> None:
    rows = await owner.fetch(
        "select coalesce(c.concept_name, gender_concept_id::text), person_id from person "
        "left join concept c on c.concept_id = gender_concept_id"
    )
    assert await told(warehouse, "sex", EVERYBODY) == grouped(rows)


@pytest.mark.parametrize("name", ["modality", "body_site"])
async def test_images_are_the_latest_that_are_listed(warehouse: Warehouse, owner: Any, name: str) -> None:
    column = "modality_concept_id" if name == "modality" else "anatomic_site_concept_id"
    rows = await owner.fetch(
        f"select coalesce(c.concept_name, {column}::text), person_id from image_occurrence "
        f"left join concept c on c.concept_id = {column} where image_occurrence_date >= '2016-01-01' "
        "order by image_occurrence_date, image_occurrence_id"
    )
    latest = {person: label for label, person in rows}
    assert await told(warehouse, name, IMAGED) == grouped([(label, person) for person, label in latest.items()])


async def test_years_are_of_the_latest_image(warehouse: Warehouse, owner: Any) -> None:
    rows = await owner.fetch("select max(image_occurrence_date), person_id from image_occurrence group by 2")
    years = [(date.year, person) for date, person in rows]
    assert await told(warehouse, "year", IMAGED) == grouped([(year, person) for year, person in years if year >= 2016])
    assert await told(warehouse, "year", BY_ACCESSION) == grouped(years)
    assert await told(warehouse, "year", EVERYBODY) == grouped(years)


async def test_each_person_is_in_one_age_band_by_the_latest_image(warehouse: Warehouse, owner: Any) -> None:
    rows = await owner.fetch(
        "select person_id, year_of_birth, max(image_occurrence_date) as latest from image_occurrence "
        "join person using (person_id) where image_occurrence_date >= '2016-01-01' group by 1, 2"
    )
    ages = [(max(0, row["latest"].year - row["year_of_birth"]), row["person_id"]) for row in rows]
    bands = [(min(age // 10 * 10, 90), person) for age, person in ages]
    expected = {(low, "" if low == "90" else str(int(low) + 10)): persons for (low,), persons in grouped(bands).items()}
    assert await told(warehouse, "age_band", IMAGED) == expected
    assert sum(map(len, expected.values())) == len(rows)


async def test_ages_of_everybody_leave_nobody_out(warehouse: Warehouse) -> None:
    cells = await told(warehouse, "age_band", EVERYBODY)
    assert sum(map(len, cells.values())) == 1130


async def test_a_null_and_a_concept_of_zero_are_both_not_known(warehouse: Warehouse, owner: Any) -> None:
    cells = await told(warehouse, "nulls", IMAGED)
    for column in ("race_concept_id", "ethnicity_concept_id", "year_of_birth"):
        rows = await owner.fetch(
            f"select '{column}', person_id from person where coalesce({column}, 0) = 0 and person_id in "
            "(select person_id from image_occurrence where image_occurrence_date >= '2016-01-01')"
        )
        assert cells.get((column,), set()) == grouped(rows).get((column,), set())
    assert any(cells)


async def test_a_histogram_has_each_persons_latest_value_once(warehouse: Warehouse, owner: Any) -> None:
    concept = await owner.fetchval(
        "select measurement_concept_id from measurement where value_as_number is not null "
        "group by 1 order by count(distinct person_id) desc, 1 limit 1"
    )
    latest: dict[int, float] = {
        row["person_id"]: float(row["value_as_number"])
        for row in await owner.fetch(
            "select person_id, value_as_number from measurement where measurement_concept_id = $1 "
            "and value_as_number is not null order by measurement_date, measurement_id",
            concept,
        )
    }
    for name in (f"measurement_{concept}", f"measurement_{concept}_0_200_10"):
        cells = await told(warehouse, name, EVERYBODY)
        found = {person: key for key, persons in cells.items() for person in persons}
        assert found.keys() == latest.keys()
        assert sum(map(len, cells.values())) == len(latest)
        for person, (_, low, high) in found.items():
            assert float(low or "-inf") <= latest[person] < float(high or "inf")


async def test_the_manufacturer_is_told_where_it_is_linked_by_dicoms_attribute(
    warehouse: Warehouse, owner: Any
) -> None:
    assert await told(warehouse, "manufacturer", IMAGED) == {}
    made = "insert into concept values ({}, '{}', 'Observation', '{}', 'DICOM Attributes', 'S', '{}', now(), now())"
    await owner.execute(made.format(1_900_000_001, "Manufacturer", "DICOM", "00080070"))
    try:
        await owner.execute("update image_feature set image_feature_concept_id = 1900000001")
        linked = await owner.fetch(
            "select coalesce(c.concept_name, value_as_concept_id::text), i.person_id from image_occurrence i "
            "join observation o on o.observation_id = 90000000 + i.image_occurrence_id "
            "left join concept c on c.concept_id = value_as_concept_id where image_occurrence_date >= '2016-01-01'"
        )
        assert await told(warehouse, "manufacturer", IMAGED) == grouped(linked)
    finally:
        await owner.execute("update image_feature set image_feature_concept_id = 4052536")
        await owner.execute("delete from concept where concept_id = 1900000001")
