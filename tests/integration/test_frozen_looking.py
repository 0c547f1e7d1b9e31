"""Who opts out is gone within the interval, used or not: planned looks, looks before work, a warehouse that is away."""

from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus.lanes import CLAIM, Lanes, _run, requeue_orphans
from bus.proof.signing import Signer
from bus.wake import Wake
from schemas.trust import FrozenShrunk
from schemas.trust_imaging import ImportPlanned, StudyAdvanced
from tests.conftest import Database
from tests.integration.frozen_ground import EVERY, KEYS, SECRET, FrozenWorld, opt_out_ground
from tests.integration.study_world import REQUEST, SESSION, KillNineError, World, unit_of_work
from tests.integration.warehouse_ground import Ground
from tests.unit.imaging.enrichment.shelf import Shelf, nifti
from tests.unit.imaging.importing import ACCESSION, parts
from trust_node import store as node
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.looking import Looking
from trust_node.cohort.office import Office
from trust_node.cohort.store import Warehouse
from trust_node.imaging.asks import Asks
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.covering import Covering
from trust_node.imaging.planning import Planning
from trust_node.imaging.projects import ProjectLanes
from trust_node.imaging.store import awaited, studies
from trust_node.jobs import CoverEnrichment

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def ground(postgres: Database) -> tuple[Ground, Warehouse]:
    ground, warehouse = await opt_out_ground(postgres)
    await ground.execute(f"update omop.image_occurrence set accession_id = '{ACCESSION}' where person_id = 1")
    return ground, warehouse


@pytest.fixture
async def world(pool: Any, ground: tuple[Ground, Warehouse]) -> FrozenWorld:
    await ground[0].execute("truncate hospital.gone")
    await pool.execute("delete from job")
    made = FrozenWorld(pool, *ground)
    await made.freeze()
    return made


async def next_look(world: FrozenWorld) -> datetime | None:
    rows = await world.pool.fetch("select run_at from job where lane = 'looking' and key = $1", world.project_id)
    assert len(rows) <= 1
    return rows[0]["run_at"] if rows else None


def is_about(moment: datetime | None, ahead: timedelta) -> bool:
    return moment is not None and abs(moment - datetime.now(UTC) - ahead) < timedelta(seconds=20)


async def is_usable(world: FrozenWorld) -> bool:
    standing = await world.looking.in_time(world.project_id, await world.a_job())
    return standing is not None and standing.usable


def of_threshold(world: FrozenWorld, threshold: int) -> Office:
    return Office.of(world.warehouse, replace(world.policy, threshold=threshold), SECRET)


class TestPlannedLooks:
    async def test_who_opts_out_is_gone_though_nobody_uses_the_cohort_and_the_hub_hears_nothing(
        self, world: FrozenWorld
    ) -> None:
        await world.imported(7)
        await world.opt_out(7)
        await world.look()
        await world.goes_by(16)
        assert await world.look() == []
        assert {person for person, _ in await world.members()} == {*range(1, 41)} - {7}
        assert await store.withdrawn(world.pool, world.project_id) == {"S7"}
        assert await world.jobs() == ["trustflow.node.remove_withdrawn.v1"]

    async def test_a_cohort_is_asked_for_once_in_an_interval_by_one_question(self, world: FrozenWorld) -> None:
        await world.look()
        assert world.asked.questions == 0
        assert is_about(await next_look(world), EVERY)
        await world.goes_by(16)
        await world.look()
        assert world.asked.questions == 1
        assert is_about(await next_look(world), EVERY)
        await world.looking.in_time(world.project_id, await world.a_job())
        await world.pool.execute("update job set run_at = now()")
        await world.look()
        assert world.asked.questions == 1

    async def test_a_cohort_that_falls_below_the_threshold_is_told_once_and_its_import_stops(
        self, world: FrozenWorld
    ) -> None:
        await node.save_project(world.pool, world.project_id, "Knees", dicom_to_nifti=False)
        async with unit_of_work(world.pool, world.author) as uow:
            await Asks("amber").plan(uow, world.project_id, KEYS)
        await world.said()
        await world.opt_out(*range(1, 32))
        await world.look()
        await world.goes_by(16)
        told = await world.look()
        assert [one.usable for one in told if isinstance(one, FrozenShrunk)] == [False]
        # what removes images comes first, and may wait for the archive
        assert (await world.pool.fetchrow(CLAIM, "imports"))["type"] == "trustflow.node.remove_withdrawn.v1"
        told = await self._imports(world)
        assert [one.studies for one in told if isinstance(one, ImportPlanned)] == [0]
        assert len([one for one in told if isinstance(one, StudyAdvanced) and one.rest == "skipped"]) == 9
        assert await awaited(world.pool, world.project_id) == frozenset()
        await world.goes_by(16)
        assert await world.look() == []

    async def test_a_cohort_that_is_frozen_anew_is_not_stopped_by_an_order_of_before(self, world: FrozenWorld) -> None:
        await node.save_project(world.pool, world.project_id, "Knees", dicom_to_nifti=False)
        await world.opt_out(*range(11, 41))
        await world.goes_by(16)
        world.shrinking = replace(world.shrinking, office=of_threshold(world, 20))
        world.looking = Looking(world.shrinking, EVERY)
        await world.look()
        assert not await is_usable(world)
        await world.freeze()
        assert await is_usable(world)
        async with unit_of_work(world.pool, world.author) as uow:
            await Asks("amber").plan(uow, world.project_id, KEYS)
        await world.said()
        assert await self._imports(world) == []
        assert len(await awaited(world.pool, world.project_id)) == 10

    async def _imports(self, world: FrozenWorld) -> list[Any]:
        lanes = Lanes()
        planning = Planning(Asks("amber"), KEYS, world.shrinking)
        ProjectLanes(planning, *[None] * 5).join(lanes)  # type: ignore[arg-type]  # no other work is asked of it
        row = await world.pool.fetchrow(CLAIM, "imports")
        await _run(next(iter(lanes)), row, world.pool, world.author, Wake())
        return await world.said()

    async def test_of_a_project_that_has_ended_nobody_looks_any_more(self, world: FrozenWorld) -> None:
        await node.save_project(world.pool, world.project_id, "Knees", dicom_to_nifti=False)
        await world.pool.execute("update project set ended_at = now() where project_id = $1", world.project_id)
        await world.goes_by(16)
        await world.look()
        assert (world.asked.questions, await next_look(world)) == (0, None)

    async def test_a_node_that_starts_plans_one_look_at_each_cohort_in_use(self, world: FrozenWorld) -> None:
        await world.pool.execute("delete from job")
        for _ in range(2):
            async with unit_of_work(world.pool, world.author) as uow:
                await world.looking.begin(uow)
        assert is_about(await next_look(world), timedelta())

    async def test_a_node_that_dies_between_looking_and_forgetting_looks_again(
        self, world: FrozenWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def die(*_: Any, **__: Any) -> bool:
            raise KillNineError

        await world.imported(7)
        await world.opt_out(7)
        await world.goes_by(16)
        with monkeypatch.context() as patched:
            patched.setattr(store, "looked", die)
            with pytest.raises(KillNineError):
                await world.look()
        assert len(await world.members()) == 40
        assert (await world.jobs(), await store.withdrawn(world.pool, world.project_id)) == ([], frozenset())
        await requeue_orphans(world.pool)
        await replace(world, project_id=world.project_id).look()
        assert len(await world.members()) == 39
        assert await store.withdrawn(world.pool, world.project_id) == {"S7"}


class TestWarehouseAway:
    async def test_health_says_since_when_and_the_warehouse_is_left_alone_for_a_while(self, world: FrozenWorld) -> None:
        await world.goes_by(16)
        world.asked.away = True
        since = await world.pool.fetchval("select looked_at from cohort where project_id = $1", world.project_id)
        for _ in range(3):
            standing = await world.looking.in_time(world.project_id, await world.a_job())
            assert standing is not None
            assert standing.late
        await world.look()
        assert world.asked.questions == 1
        assert is_about(await next_look(world), timedelta(minutes=1))
        (line,) = world.looking.unready()
        assert f"{since:%Y-%m-%dT%H:%M:%SZ}" in line
        assert line.endswith("warehouse_unreachable")
        assert len(await world.members()) == 40

    async def test_a_use_that_looks_ends_the_alarm(self, world: FrozenWorld) -> None:
        await world.goes_by(16)
        world.asked.away = True
        await world.look()
        world.asked.away = False
        await world.using.for_run(world.project_id, await world.a_job(), last=False)
        await world.pool.execute("update job set run_at = now()")
        await world.look()
        assert world.looking.unready() == ()

    async def test_a_warehouse_without_any_image_is_taken_to_be_loading(self, world: FrozenWorld) -> None:
        await world.opt_out(*range(1, 41))
        await world.goes_by(16)
        assert await world.look() == []
        assert len(await world.members()) == 40
        (line,) = world.looking.unready()
        assert line.endswith("no_images_in_warehouse")


async def test_coverage_is_told_of_those_who_are_left_and_not_at_all_of_too_few(
    world: FrozenWorld, tmp_path: Path
) -> None:
    shelf: Any = Shelf()
    for study in ("S3", "S7"):
        shelf.put(study, "2", "NIFTI", "input_a.nii.gz", nifti(tmp_path))
    await node.save_project(world.pool, world.project_id, "Knees", dicom_to_nifti=True)
    await node.set_xnat_project(world.pool, world.project_id, "p")
    await world.imported(3, 7)
    covering = Covering("amber", lambda: shelf, tmp_path, world.looking)

    async def covered() -> list[Any]:
        await covering.work(CoverEnrichment(project_id=world.project_id), await world.a_job())
        return await world.said()

    await world.opt_out(7)
    await world.goes_by(16)
    assert [one.images for one in await covered()] == [1]
    await world.opt_out(*range(8, 40))
    await world.goes_by(16)
    assert [type(one) for one in await covered()] == [FrozenShrunk]
    assert await covered() == []


class TestImports:
    @pytest.fixture
    async def study(self, world: FrozenWorld, threads: Executor, tmp_path: Path) -> World:
        """The study of person 1, whose import has failed; another's are not brought in."""
        made = World(world.pool, Signer.open(tmp_path / "key.pem"), parts(tmp_path, threads), world.project_id)
        made.cohorts = world.looking
        await node.save_project(world.pool, world.project_id, "Knees", dicom_to_nifti=True)
        await node.set_xnat_project(world.pool, world.project_id, "archive")
        async with made.uow() as uow:
            await made.asks.plan(uow, world.project_id, KEYS)
        await world.pool.execute("delete from job where lane = 'imaging'")
        await world.pool.execute(
            "update study set study = $2 where project_id = $1 and accession = $3",
            world.project_id, REQUEST, ACCESSION,
        )  # fmt: skip
        async with made.uow() as uow:
            await made.asks.fail(uow, await made.study(), FailureCode.NOT_IN_PACS)
        await world.said()
        return made

    @pytest.mark.parametrize("ask", ["retry", "reimport"])
    async def test_nothing_of_who_has_left_is_brought_in_when_it_is_asked_for_again(
        self, world: FrozenWorld, study: World, ask: str
    ) -> None:
        await world.opt_out(1)
        async with study.uow() as uow:
            await getattr(study.asks, ask)(uow, world.project_id, REQUEST)
        assert await study.attempt()
        assert study.importer.pacs.retrievals == 0
        assert study.importer.xnat.sessions == {}
        assert REQUEST not in {one.study for one in await studies(world.pool, world.project_id)}
        assert [(one.study, one.rest) for one in await world.said()] == [(REQUEST, "skipped")]

    async def test_who_is_still_there_is_brought_in_again(self, world: FrozenWorld, study: World) -> None:
        async with study.uow() as uow:
            await study.asks.retry(uow, world.project_id, REQUEST)
        assert await study.attempt()
        assert world.asked.questions == 1
        assert set(study.importer.xnat.sessions) == {SESSION}

    async def test_a_study_waits_for_the_warehouse_and_does_not_fail(self, world: FrozenWorld, study: World) -> None:
        async with study.uow() as uow:
            await study.asks.retry(uow, world.project_id, REQUEST)
        world.asked.away = True
        for _ in range(20):
            assert await study.attempt()
        assert (study.importer.pacs.retrievals, await world.said()) == (0, [])
        world.asked.away = False
        study.cohorts = Looking(world.shrinking, EVERY)
        assert await study.attempt()
        assert set(study.importer.xnat.sessions) == {SESSION}

    async def test_nothing_is_brought_in_of_a_cohort_that_is_too_small(self, world: FrozenWorld, study: World) -> None:
        await world.opt_out(*range(2, 35))
        await world.goes_by(16)
        await world.look()
        await world.said()
        async with study.uow() as uow:
            await study.asks.retry(uow, world.project_id, REQUEST)
        assert await study.attempt()
        assert study.importer.pacs.retrievals == 0
        assert [(one.study, one.rest) for one in await world.said()] == [(REQUEST, "skipped")]
        assert (await study.study()).rest == "skipped"
