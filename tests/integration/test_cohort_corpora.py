"""Every good query of the corpora runs on real data, read by the role that a trust would give."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from schemas.sql.judge import judge
from schemas.sql.refusal import Refused
from schemas.sql.tabulation import Tabulation
from tests.corpora.reading import Sample, good
from tests.integration.omop_ground import OmopGround

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def reader(omop_ground: OmopGround) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(omop_ground.dsn_reader, server_settings={"jit": "off"})
    yield connection
    await connection.close()


@pytest.mark.parametrize("sample", good(), ids=str)
async def test_a_good_query_is_accepted_and_runs_as_it_was_judged(sample: Sample, reader: asyncpg.Connection) -> None:
    verdict = judge(sample.sql)
    assert not isinstance(verdict, Refused), verdict
    statement = await reader.prepare(verdict.sql)
    width = len(verdict.keys) + 1 if isinstance(verdict, Tabulation) else len(verdict.columns)
    assert len(statement.get_attributes()) == width
    await reader.execute(f"SELECT FROM (\n{verdict.sql}\n) AS judged")


async def test_the_persons_of_each_cell_are_those_that_the_servers_own_count_finds(reader: asyncpg.Connection) -> None:
    counted = "SELECT gender_concept_id, count(DISTINCT person_id) FROM person GROUP BY gender_concept_id"
    verdict = judge(counted)
    assert isinstance(verdict, Tabulation)
    cells: dict[int, set[int]] = {}
    for concept, person in await reader.fetch(verdict.sql):
        cells.setdefault(concept, set()).add(person)
    assert {concept: len(persons) for concept, persons in cells.items()} == dict(
        map(tuple, await reader.fetch(counted))
    )


async def test_several_counts_of_one_query_come_as_cells_of_their_own(reader: asyncpg.Connection) -> None:
    verdict = judge(
        "SELECT count(*) AS everybody, count(*) FILTER (WHERE year_of_birth < 1950) AS old, "
        "sum(CASE WHEN year_of_birth < 1950 THEN 1 ELSE 0 END) AS flagged FROM person"
    )
    assert isinstance(verdict, Tabulation)
    rows = [tuple(row) for row in await reader.fetch(verdict.sql)]
    old = await reader.fetchval("SELECT count(*) FROM person WHERE year_of_birth < 1950")
    sizes = {name: sum(1 for measure, _ in rows if measure == name) for name, _ in rows}
    assert sizes == {"everybody": 1130, "old": old, "flagged": old}
