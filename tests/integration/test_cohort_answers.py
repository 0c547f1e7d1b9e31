"""What a question is answered, with the release as it is and on real data."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from schemas.cohort import Rule
from tests.integration.cohort_world import EVERYBODY, IMAGED, CohortWorld, cohort_world
from tests.integration.omop_ground import OmopGround
from trust_node.cohort.release import ReleasePolicy

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(pool: Any, omop_ground: OmopGround) -> AsyncIterator[CohortWorld]:
    async with cohort_world(pool, omop_ground) as world:
        yield world


async def test_each_answer_is_spent_by_who_asked(world: CohortWorld) -> None:
    first = await world.answer(await world.ask(EVERYBODY, "spends"))
    again = await world.answer(await world.ask("SELECT DISTINCT person_id FROM person p", "spends"))
    assert first.spent == again.spent
    assert (first.persons, again.persons) == (1130, 1130)


async def test_persons_and_studies_are_counted_apart_and_each_rule_has_its_step(world: CohortWorld) -> None:
    men = "SELECT person_id FROM person WHERE gender_concept_id = 8507"
    none = "SELECT person_id FROM person WHERE year_of_birth < 1800"
    rules = (Rule(name="everybody", sql=EVERYBODY), Rule(name="men", sql=men), Rule(name="ancient", sql=none))
    told = await world.answer(await world.ask(IMAGED, rules=rules))
    assert (told.outcome, told.persons, told.studies) == ("counted", 600, 600)
    everybody, men_left, ancient = told.attrition
    assert (everybody.name, everybody.persons, ancient.persons) == ("everybody", 1130, None)
    assert men_left.persons is not None
    assert 300 < men_left.persons < 800


async def test_a_table_is_told_with_its_keys(world: CohortWorld) -> None:
    sql = "SELECT gender_concept_id, count(DISTINCT person_id) FROM person GROUP BY gender_concept_id"
    told = await world.answer(await world.ask(sql))
    assert (told.outcome, told.keys, told.persons) == ("counted", ("gender_concept_id",), None)
    assert {cell.keys for cell in told.cells} == {("8507",), ("8532",)}
    assert sum(cell.persons or 0 for cell in told.cells) == 1130


async def test_progress_is_told_in_steps_after_the_question_began(world: CohortWorld) -> None:
    query = await world.ask(IMAGED, statistics=("sex", "year"))
    await world.answer(query)
    told = await world.progress(query)
    assert told[0] == (0, 3, False)
    assert all(done < parts == 3 for done, parts, _ in told)
    due = await world.pool.fetch("select due_at from outbox where key = $1 order by due_at", query.query_id)
    steps = {(later["due_at"] - due[0]["due_at"]).total_seconds() for later in due}
    assert all(step in {0, *(2**n for n in range(5))} for step in steps), steps


@pytest.mark.parametrize(
    ("sql", "asked", "code"),
    [
        ("SELECT * FROM person", {}, "star_not_allowed"),
        (EVERYBODY, {"statistics": ("shoe_size",)}, "unknown_statistic"),
        (EVERYBODY, {"rules": (Rule(name="first", sql="SELECT 1 FROM person"),)}, "output_not_allowed"),
        ("SELECT count(*) FROM person", {"statistics": ("sex",)}, "not_a_list"),
    ],
)
async def test_what_may_not_run_is_refused_before_anything_runs(
    world: CohortWorld, sql: str, asked: dict[str, Any], code: str
) -> None:
    told = await world.answer(query := await world.ask(sql, **asked))
    assert (told.outcome, told.code) == ("refused", code)
    assert told.reason
    assert await world.progress(query) == []


async def test_a_spent_budget_is_told_with_what_is_spent(pool: Any, omop_ground: OmopGround) -> None:
    async with cohort_world(pool, omop_ground, ReleasePolicy(user_daily=2)) as world:
        await _spend(world)


async def _spend(world: CohortWorld) -> None:
    first = await world.answer(await world.ask(EVERYBODY, "poor", statistics=("sex", "age_band")))
    assert first.outcome == "counted"
    assert [bool(statistic.cells) for statistic in first.statistics] == [True, False]
    assert "budget" in (first.statistics[1].missing or "")
    told = await world.answer(await world.ask(IMAGED, "poor"))
    assert (told.outcome, told.code, told.persons) == ("refused", "budget_spent", None)
    assert told.spent is not None
    assert (told.spent.user_today, told.spent.user_daily) == (2, 2)


async def test_a_training_frame_is_told_by_its_size_and_its_statistics(world: CohortWorld) -> None:
    frame = "SELECT accession_id, modality_concept_id, anatomic_site_concept_id FROM image_occurrence -- all"
    told = await world.answer(await world.ask(frame, statistics=("body_site",)))
    assert (told.outcome, told.persons, told.studies, told.cells) == ("counted", 600, 600, ())
    assert [cell.persons for cell in told.statistics[0].cells] == [600]
