"""What is here of persons who are gone is removed, and what training sees of the others comes from the frozen query."""

import csv
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bus.errors import Rejection
from bus.lanes import CLAIM, Job
from bus.proof.signing import Signer
from bus.wake import Wake
from schemas.trust import CohortFixed, CohortNotFixed
from tests.conftest import Database
from tests.integration.frozen_ground import FrozenWorld, opt_out_ground
from tests.integration.study_world import SESSION, World
from tests.integration.warehouse_ground import Ground
from tests.unit.imaging.enrichment.shelf import Shelf, nifti
from tests.unit.imaging.importing import ACCESSION, parts
from trust_node import store as node
from trust_node.cohort.freeze import Member
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.shrinking import let_go
from trust_node.cohort.store import Warehouse
from trust_node.imaging.content import LEGAL, Pin
from trust_node.imaging.withdrawing import Withdrawing
from trust_node.jobs import RemoveWithdrawn
from trust_node.training.dataset import gather

pytestmark = pytest.mark.integration

FRAME = """
WITH born AS (SELECT person_id, min(year_of_birth) AS year FROM person GROUP BY person_id)
SELECT i.accession_id, i.person_id, born.year AS "Year of birth",
       max(CASE WHEN i.modality_concept_id = 4300757 THEN 1 ELSE 0 END) AS ct
FROM image_occurrence i JOIN born ON born.person_id = i.person_id GROUP BY i.accession_id, i.person_id, born.year"""
GONE = Member(1, ACCESSION)


@pytest.fixture(scope="module")
async def ground(postgres: Database) -> tuple[Ground, Warehouse]:
    return await opt_out_ground(postgres)


@pytest.fixture
async def world(pool: Any, threads: Executor, tmp_path: Path) -> World:
    made = World(pool, Signer.open(tmp_path / "key.pem"), parts(tmp_path, threads))
    await made.begin()
    return made


@pytest.fixture
async def frozen(pool: Any, ground: tuple[Ground, Warehouse]) -> FrozenWorld:
    await ground[0].execute("truncate hospital.gone")
    await pool.execute("delete from job")
    return FrozenWorld(pool, *ground)


async def person_goes(world: World) -> None:
    async with world.uow() as uow:
        await let_go(uow, "amber", world.project_id, [GONE])


async def remove(world: World, projects: Path, *, keeps_archive: bool = False) -> None:
    row = await world.pool.fetchrow(CLAIM, "imports")
    job = Job(row["job_id"], row["attempts"], None, world.author, world.pool, Wake())
    work = Withdrawing(lambda: world.importer, projects, keeps_archive=keeps_archive).work
    await work(RemoveWithdrawn(project_id=world.project_id), job)


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class TestWhatIsHere:
    async def test_originals_and_archived_images_go_and_the_hub_hears_nothing(
        self, world: World, tmp_path: Path
    ) -> None:
        await world.attempt()
        assert SESSION in world.importer.xnat.sessions
        told = await world.told()
        await person_goes(world)
        await remove(world, tmp_path)
        assert SESSION not in world.importer.xnat.sessions
        assert world.importer.content.find(SESSION) is None
        assert await world.told() == told

    async def test_a_trust_that_keeps_its_archive_keeps_it_and_a_legal_hold_holds(
        self, world: World, tmp_path: Path
    ) -> None:
        await world.attempt()
        found = world.importer.content.find(SESSION)
        world.importer.content.pin(SESSION, LEGAL, Pin(by="bob", reason="court", at=found.used_at))
        await person_goes(world)
        await remove(world, tmp_path, keeps_archive=True)
        assert SESSION in world.importer.xnat.sessions
        assert world.importer.content.find(SESSION) is not None

    async def test_another_projects_original_stays_and_removing_again_is_no_error(
        self, world: World, tmp_path: Path
    ) -> None:
        await world.attempt()
        world.importer.content.use(SESSION, "another")
        await person_goes(world)
        await remove(world, tmp_path)
        async with world.uow() as uow:
            uow.enqueue("imports", RemoveWithdrawn(project_id=world.project_id))
        await world.pool.execute("delete from job where running")
        await remove(world, tmp_path)
        assert world.importer.content.find(SESSION).projects == {"another"}

    async def test_a_study_whose_person_goes_while_it_is_brought_in_never_reaches_the_archive(
        self, world: World, tmp_path: Path
    ) -> None:
        retrieve = world.importer.pacs.retrieve

        async def retrieved(hit: Any) -> Any:
            await person_goes(world)
            return await retrieve(hit)

        world.importer.pacs.retrieve = retrieved
        await world.attempt()
        assert world.importer.xnat.sessions == {}
        assert not await world.attempt()
        assert [step.rest for step in await world.told()][-1] == "skipped"
        await world.pool.execute("delete from job where job_id = (select min(job_id) from job where lane = 'imports')")
        await remove(world, tmp_path)
        assert world.importer.content.find(SESSION) is None

    async def test_a_run_that_goes_on_finds_a_table_without_them(self, world: World, tmp_path: Path) -> None:
        await world.attempt()
        shelf, folder = Shelf(), tmp_path / "projects" / world.project_id
        for study in (SESSION, "S2"):
            shelf.put(study, "2", "NIFTI", "input_a.nii.gz", nifti(tmp_path))
        await gather(shelf, "p", folder)
        await node.set_xnat_project(world.pool, world.project_id, "p")
        assert {row["study"] for row in table(folder)} == {SESSION, "S2"}
        world.importer = replace(world.importer, xnat=shelf)
        await person_goes(world)
        await remove(world, tmp_path / "projects", keeps_archive=True)
        assert {row["study"] for row in table(folder)} == {"S2"}
        assert not [file for file in folder.rglob("*") if SESSION in str(file)]


class TestFrames:
    async def test_a_frame_reaches_the_table_under_pseudonyms_and_for_members_only(
        self, frozen: FrozenWorld, tmp_path: Path
    ) -> None:
        (fixed,) = await frozen.freeze(FRAME)
        assert isinstance(fixed, CohortFixed)
        assert fixed.record is not None
        assert (fixed.persons, fixed.record.frame) == (40, True)
        await frozen.imported(3, 7)
        await frozen.opt_out(7)
        covariates = await frozen.using.for_run(frozen.project_id, await frozen.a_job(), last=False)
        shelf, folder = Shelf(), tmp_path / "data"
        for study in ("S3", "S7"):
            shelf.put(study, "2", "NIFTI", "input_a.nii.gz", nifti(tmp_path))
        left_out = partial(store.withdrawn, frozen.pool, frozen.project_id)
        await gather(shelf, "p", folder, left_out, covariates)
        (row,) = table(folder)
        assert (row["study"], row["Year of birth"], row["ct"]) == ("S3", "1943", "1")
        assert row["person_id"].startswith("N")
        held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.suffix in {".csv", ".json"})
        assert b"ACC" not in held

    async def test_a_query_with_a_name_that_the_table_needs_is_not_frozen(self, frozen: FrozenWorld) -> None:
        (told,) = await frozen.freeze(FRAME.replace('"Year of birth"', '"path"'))
        assert isinstance(told, CohortNotFixed)
        assert told.code == "column_taken"

    async def test_several_rows_of_one_study_are_refused_when_a_run_is_prepared(self, frozen: FrozenWorld) -> None:
        images = "image_occurrence i JOIN measurement m ON m.person_id = i.person_id"
        await frozen.ground.execute(
            "insert into omop.measurement (measurement_id, person_id, measurement_concept_id, measurement_date,"
            " measurement_type_concept_id, value_as_number) select n, (n + 1) / 2, 3, '2020-01-01', 0, n"
            " from generate_series(1, 80) n"
        )
        await frozen.freeze(f"SELECT i.accession_id, m.value_as_number AS value FROM {images}")
        await frozen.imported(3)
        with pytest.raises(Rejection) as refused:
            await frozen.using.for_run(frozen.project_id, await frozen.a_job(), last=False)
        assert refused.value.code == "several_rows"

    async def test_a_list_adds_no_columns(self, frozen: FrozenWorld) -> None:
        await frozen.freeze()
        covariates = await frozen.using.for_run(frozen.project_id, await frozen.a_job(), last=False)
        assert covariates.columns == ()
        assert await node.members(frozen.pool, frozen.project_id) != []
