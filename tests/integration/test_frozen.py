"""A frozen cohort only shrinks: at each use, by who is gone from the warehouse, and nobody sees one person go."""

from dataclasses import replace
from typing import Any

import pytest

from bus.errors import Rejection, Transient
from bus.lanes import Lanes
from schemas.trust import CohortFixed, CohortNotFixed, FrozenShrunk
from schemas.trust_imaging import ImportCohort, ImportPlanned, StudyAdvanced
from tests.conftest import Database
from tests.integration.frozen_ground import IMAGES, KEYS, FrozenWorld, opt_out_ground
from tests.integration.warehouse_ground import Ground
from trust_node.cohort.frozen import store
from trust_node.cohort.store import Warehouse
from trust_node.imaging.asks import Asks
from trust_node.imaging.planning import Planning
from trust_node.imaging.projects import ProjectLanes
from trust_node.imaging.store import awaited

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def ground(postgres: Database) -> tuple[Ground, Warehouse]:
    return await opt_out_ground(postgres)


@pytest.fixture
async def world(pool: Any, ground: tuple[Ground, Warehouse]) -> FrozenWorld:
    await ground[0].execute("truncate hospital.gone")
    await pool.execute("delete from job")
    return FrozenWorld(pool, *ground)


async def look(world: FrozenWorld) -> bool:
    looked = await world.shrinking.look(world.project_id, await world.a_job(), last=False)
    assert looked is not None
    return looked.usable


async def import_cohort(world: FrozenWorld) -> list[Any]:
    lanes, asks = Lanes(), Asks("amber")
    planning = Planning(asks, KEYS, world.shrinking)
    ProjectLanes(planning, *[None] * 5).join(lanes)  # type: ignore[arg-type]  # no other work is asked of it
    lane = next(lane for lane in lanes if lane.name == "imports")
    command = ImportCohort(
        trust_id="amber", project_id=world.project_id, project_name="Knees", dicom_to_nifti=False, deid=None
    )
    await world.pool.execute(
        "insert into project (project_id, name, dicom_to_nifti) values ($1, 'Knees', false) on conflict do nothing",
        world.project_id,
    )
    return await world.do(lane, command)


async def test_what_a_cohort_was_frozen_by_is_kept_and_told(world: FrozenWorld) -> None:
    (fixed,) = await world.freeze()
    assert isinstance(fixed, CohortFixed)
    assert fixed.persons == 40
    row = await world.pool.fetchrow("select * from cohort where project_id = $1", world.project_id)
    assert (row["sql"], row["persons"], row["studies"], row["approved_by"]) == (IMAGES, 40, 40, "bob")
    record = fixed.record
    assert record is not None
    assert (record.sql_sha256, record.software) == (row["sql_sha256"], row["software"])
    assert record.software.startswith("trustflow ")
    assert "sha256:" in record.software
    assert (record.cdm_version, record.frame) == (row["cdm_version"], False)
    assert row["digest"] == fixed.digest


async def test_of_a_list_with_a_limit_the_same_members_are_frozen_whenever_asked(world: FrozenWorld) -> None:
    await world.freeze(f"{IMAGES} LIMIT 15")
    chosen = await world.members()
    other = FrozenWorld(world.pool, world.ground, world.warehouse)
    await other.freeze(f"{IMAGES} LIMIT 15")
    assert len(chosen) == 15
    assert chosen == await other.members()


async def test_a_cohort_below_the_threshold_is_not_frozen(world: FrozenWorld) -> None:
    (told,) = await world.freeze(f"{IMAGES} WHERE image_occurrence_date > '2100-01-01'")
    assert isinstance(told, CohortNotFixed)
    assert told.code == "too_small"
    assert await world.members() == set()


async def test_who_opts_out_is_gone_at_the_next_use_and_one_person_less_is_not_told(world: FrozenWorld) -> None:
    (fixed,) = await world.freeze()
    await world.opt_out(7)
    assert await look(world)
    assert len(await world.members()) == 39
    assert all(person != 7 for person, _ in await world.members())
    assert await world.said() == []
    (again,) = await world.freeze()
    assert (again.persons, again.digest) == (fixed.persons, fixed.digest)


async def test_a_use_that_changes_nothing_says_nothing(world: FrozenWorld) -> None:
    await world.freeze()
    assert await look(world)
    assert (await world.said(), await world.jobs()) == ([], [])


async def test_as_many_as_the_threshold_gone_at_once_are_told_as_released(world: FrozenWorld) -> None:
    (fixed,) = await world.freeze()
    await world.opt_out(*range(1, 26))
    assert await look(world)
    (shrunk,) = await world.said()
    assert isinstance(shrunk, FrozenShrunk)
    assert (shrunk.persons, shrunk.usable, shrunk.digest) == (15, True, fixed.digest)


async def test_below_the_threshold_the_cohort_is_not_used_any_more(world: FrozenWorld) -> None:
    (fixed,) = await world.freeze()
    await world.opt_out(*range(1, 32))
    assert not await look(world)
    (shrunk,) = await world.said()
    assert (shrunk.persons, shrunk.usable, shrunk.digest) == (None, False, fixed.digest)
    with pytest.raises(Rejection) as refused:
        await world.using.for_run(world.project_id, await world.a_job(), last=False)
    assert refused.value.code == "too_small"


async def test_who_comes_back_after_an_opt_out_comes_back_into_no_cohort(world: FrozenWorld) -> None:
    await world.freeze()
    await world.opt_out(7)
    await look(world)
    await world.ground.execute("truncate hospital.gone")
    assert await look(world)
    await world.freeze()
    assert all(person != 7 for person, _ in await world.members())


async def test_a_warehouse_that_is_away_is_asked_again_and_never_taken_for_unchanged(world: FrozenWorld) -> None:
    await world.freeze()
    away = Warehouse("postgresql://nobody:x@127.0.0.1:9/omop")
    world.shrinking = replace(world.shrinking, warehouse=away)
    world.using = replace(world.using, looking=replace(world.looking, shrinking=world.shrinking))
    with pytest.raises(Transient):
        await world.using.for_run(world.project_id, await world.a_job(), last=False)
    with pytest.raises(Rejection) as refused:
        await world.using.for_run(world.project_id, await world.a_job(), last=True)
    assert refused.value.code == "warehouse_unreachable"


async def test_a_project_that_was_never_frozen_here_has_no_run(world: FrozenWorld) -> None:
    with pytest.raises(Rejection) as refused:
        await world.using.for_run(world.project_id, await world.a_job(), last=False)
    assert refused.value.code == "not_frozen"


async def test_what_is_here_of_who_is_gone_is_withdrawn_and_nothing_of_it_is_known_any_more(world: FrozenWorld) -> None:
    await world.freeze()
    await world.imported(7, 8)
    await world.pool.execute(
        "insert into hold (project_id, study, image, reason, since) values ($1, 'S7', 'i', 'r', now())",
        world.project_id,
    )
    await world.opt_out(7)
    await world.using.for_run(world.project_id, await world.a_job(), last=False)
    assert await store.withdrawn(world.pool, world.project_id) == {"S7"}
    assert await world.said() == []
    assert "trustflow.node.remove_withdrawn.v1" in await world.jobs()
    for table in ("study", "study_found", "study_step", "hold", "member"):
        rows = await world.pool.fetch(f"select * from {table} where project_id = $1", world.project_id)
        assert not [row for row in rows if {"ACC7", "S7", KEYS.request("ACC7")} & set(map(str, row.values()))]
    assert set(await store.sessions(world.pool, world.project_id)) == {"ACC8"}


async def test_an_import_is_planned_for_those_who_are_still_there(world: FrozenWorld) -> None:
    await world.freeze()
    await world.opt_out(7)
    (planned,) = await import_cohort(world)
    assert (type(planned), planned.studies) == (ImportPlanned, 39)
    asked = await world.pool.fetch("select accession from study where project_id = $1", world.project_id)
    assert "ACC7" not in {row["accession"] for row in asked}


async def test_a_study_on_its_way_ends_as_skipped_when_its_person_is_gone(world: FrozenWorld) -> None:
    await world.freeze()
    await import_cohort(world)
    await world.opt_out(7)
    assert await look(world)
    (skipped,) = await world.said()
    assert isinstance(skipped, StudyAdvanced)
    assert (skipped.study, skipped.rest) == (KEYS.request("ACC7"), "skipped")
    job = "select count(*) from job where lane = 'imaging' and key = $1"
    assert await world.pool.fetchval(job, KEYS.request("ACC7")) == 0


async def test_nothing_is_imported_of_a_cohort_below_the_threshold(world: FrozenWorld) -> None:
    await world.freeze()
    await import_cohort(world)
    await world.opt_out(*range(1, 36))
    told = await import_cohort(world)
    assert [one.usable for one in told if isinstance(one, FrozenShrunk)] == [False]
    assert [one.studies for one in told if isinstance(one, ImportPlanned)] == [0]
    assert len([one for one in told if isinstance(one, StudyAdvanced) and one.rest == "skipped"]) == 40
    assert await awaited(world.pool, world.project_id) == frozenset()
