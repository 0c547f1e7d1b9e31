"""The plain difference in real SQL on the real warehouse, through judge, warehouse and release."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from bus.database import migrate, open_pool
from infra.federation import ROOT
from schemas.sql.judge import Listing, judge
from tests.integration.omop_ground import OmopGround, omop_ground
from trust_node.cohort.release import Population, ReleasePolicy, Releasing
from trust_node.cohort.store import Warehouse

pytestmark = pytest.mark.integration
__all__ = ["omop_ground"]

KEY = b"k" * 32
TARGETS = """
select p.year_of_birth, p.gender_concept_id, p.race_concept_id,
       exists (select from omop.condition_occurrence c
               where c.person_id = any(array_agg(p.person_id)) and condition_concept_id = $1)
from omop.person p group by 1, 2, 3 having count(*) = 1 order by 1, 2, 3"""
COMMONEST = """
select condition_concept_id from omop.condition_occurrence group by 1
order by abs(count(distinct person_id) - 400) limit 1"""


def _difference(target: Any, condition: int) -> tuple[str, str]:
    """Everybody with the condition, and the same without the target."""
    base = (
        "SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM condition_occurrence c"
        f" WHERE c.person_id = p.person_id AND c.condition_concept_id = {condition})"
    )
    year, gender, race, _ = target
    one = f"p.year_of_birth = {year} AND p.gender_concept_id = {gender} AND p.race_concept_id = {race}"
    return base, f"{base} AND NOT ({one})"


@pytest.fixture
async def pool(postgres: Any) -> AsyncIterator[Any]:
    pool = await open_pool(postgres.fresh_database("attacked"))
    await migrate(pool, ROOT / "trust_node" / "migrations")
    yield pool
    await pool.close()


async def test_a_difference_of_one_person_decides_on_exact_counts_and_never_on_released_ones(
    omop_ground: OmopGround, pool: Any
) -> None:
    warehouse = Warehouse(omop_ground.dsn_reader)
    condition, targets = await _targets(omop_ground.dsn_owner)
    assert {has for *_, has in targets} == {True, False}
    for number, target in enumerate(targets):
        sets = []
        for sql in _difference(target, condition):
            listing = judge(sql)
            assert isinstance(listing, Listing)
            sets.append(await warehouse.persons(listing))
        assert (len(sets[0]) - len(sets[1]) == 1) is target[-1]
        for policy in (ReleasePolicy(), ReleasePolicy(noise=0)):
            told = [await _released(pool, policy, f"{number} {policy.noise}", warehouse, members) for members in sets]
            assert told[0] == told[1] != None  # noqa: E711  neither is suppressed


async def _targets(dsn: str) -> tuple[int, list[Any]]:
    connection = await asyncpg.connect(dsn)
    try:
        condition = await connection.fetchval(COMMONEST)
        rows = [tuple(row) for row in await connection.fetch(TARGETS, condition)]
    finally:
        await connection.close()
    return condition, [row for row in rows if row[-1]][:4] + [row for row in rows if not row[-1]][:4]


async def _released(pool: Any, policy: ReleasePolicy, project: str, warehouse: Warehouse, members: Any) -> int | None:
    async def everyone() -> Any:
        return await warehouse.persons(judge("SELECT person_id FROM person"))  # type: ignore[arg-type]  a list

    population, now = Population(everyone, KEY), datetime(2026, 11, 2, tzinfo=UTC)
    names = {"project_id": project, "user_id": project}
    async with pool.acquire() as connection, connection.transaction():
        released = await Releasing(connection, policy, KEY, population, **names, now=now).number(members)
    return None if released is None else released.persons
