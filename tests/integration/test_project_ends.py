"""What concerns a whole project at a trust: comparing, and the end with its signed proof."""

from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bus.lanes import CLAIM, Job
from bus.proof.signing import BadSignature, Signer
from bus.proof.statements import verify
from bus.wake import Wake
from schemas.message import Message
from schemas.trust_imaging import CompareImport, ImportCompared, ProjectPurged, PurgeProject
from tests.integration.study_world import REQUEST, SESSION, World
from tests.unit.imaging.importing import ACCESSION, STUDY, image, parts
from trust_node.imaging.comparing import Comparing
from trust_node.imaging.content import LEGAL, Pin
from trust_node.imaging.purging import Purging

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(pool: Any, threads: Executor, tmp_path: Path) -> World:
    made = World(pool, Signer.open(tmp_path / "key.pem"), parts(tmp_path, threads))
    await made.begin()
    await made.attempt()
    return made


async def done(world: World, worker: Any, message: Message) -> None:
    async with world.uow() as uow:
        uow.enqueue("imports", message)
    row = await world.pool.fetchrow(CLAIM, "imports")
    await worker(message, Job(row["job_id"], row["attempts"], None, world.author, world.pool, Wake()))


async def last(world: World, kind: type[Any]) -> Any:
    value = await world.pool.fetchval(
        "select value from outbox where key = $1 order by outbox_id desc limit 1", world.project_id
    )
    return kind.parse(value)


async def compared(world: World) -> ImportCompared:
    command = CompareImport(trust_id="amber", project_id=world.project_id)
    await done(world, Comparing(world.asks, lambda: world.importer).work, command)
    said: ImportCompared = await last(world, ImportCompared)
    return said


def purging(world: World, folder: Path, *, keeps_archive: bool = False) -> Purging:
    return Purging("amber", lambda: world.importer, world.signer, folder / "projects", keeps_archive=keeps_archive)


class TestComparing:
    async def test_what_agrees_is_left_alone(self, world: World) -> None:
        said = await compared(world)
        assert (said.studies, said.agreed, said.differences, said.repaired) == (1, 1, {}, 0)
        assert not await world.attempt()

    async def test_what_the_archive_lost_is_brought_in_again_without_the_pacs(self, world: World) -> None:
        world.importer.xnat.sessions[SESSION].popitem()
        said = await compared(world)
        assert (said.agreed, said.differences, said.repaired) == (0, {"archive_lacks": 1}, 1)
        assert await world.attempt()
        assert (len(world.importer.xnat.files), world.importer.pacs.retrievals) == (3, 1)
        assert (await compared(world)).agreed == 1

    async def test_what_the_pacs_has_got_since_is_fetched(self, world: World) -> None:
        world.importer.pacs.images[STUDY].append(image(9))
        assert (await compared(world)).differences == {"pacs_has_more": 1}
        await world.attempt()
        assert (await world.study()).archived == 4

    async def test_a_damaged_original_is_found_and_replaced(self, world: World) -> None:
        world.importer.content.find(SESSION).files[0].write_bytes(b"rotten")
        assert (await compared(world)).differences == {"content_damaged": 1}

    async def test_a_study_whose_job_was_lost_gets_one(self, world: World) -> None:
        async with world.uow() as uow:
            await world.asks.reimport(uow, world.project_id, REQUEST)
        await world.pool.execute("delete from job where lane = 'imaging'")
        assert (await compared(world)).differences == {"no_job": 1}
        assert await world.attempt()


class TestTheEnd:
    async def test_nothing_of_the_project_is_left_and_anybody_can_verify_the_proof(
        self, world: World, tmp_path: Path
    ) -> None:
        (tmp_path / "projects" / world.project_id).mkdir(parents=True)
        await done(world, purging(world, tmp_path).work, PurgeProject(trust_id="amber", project_id=world.project_id))
        proof: ProjectPurged = await last(world, ProjectPurged)
        assert (proof.studies, proof.images, proof.retained, proof.sessions) == (1, 3, 0, 1)
        assert world.importer.content.find(SESSION) is None
        assert world.importer.xnat.sessions == {}
        assert not (tmp_path / "projects" / world.project_id).exists()
        for table in ("study", "study_step", "study_found", "member"):
            assert not await world.pool.fetchval(
                f"select count(*) from {table} where project_id = $1", world.project_id
            )
        public = world.signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        verify(public, proof.statement, proof.signature)
        with pytest.raises(BadSignature):
            verify(public, proof.model_copy(update={"images": 2}).statement, proof.signature)
        assert ACCESSION not in proof.model_dump_json()

    async def test_what_is_on_legal_hold_stays_and_is_told(self, world: World, tmp_path: Path) -> None:
        world.importer.content.pin(SESSION, LEGAL, Pin(by="bob", reason="court", at=datetime.now(UTC)))
        await done(world, purging(world, tmp_path).work, PurgeProject(trust_id="amber", project_id=world.project_id))
        proof: ProjectPurged = await last(world, ProjectPurged)
        assert (proof.studies, proof.retained) == (0, 1)
        assert world.importer.content.find(SESSION) is not None

    async def test_a_trust_may_keep_its_archive(self, world: World, tmp_path: Path) -> None:
        command = PurgeProject(trust_id="amber", project_id=world.project_id)
        await done(world, purging(world, tmp_path, keeps_archive=True).work, command)
        assert (await last(world, ProjectPurged)).sessions == 0
        assert len(world.importer.xnat.files) == 3

    async def test_after_the_end_nothing_is_imported(self, world: World, tmp_path: Path) -> None:
        await done(world, purging(world, tmp_path).work, PurgeProject(trust_id="amber", project_id=world.project_id))
        async with world.uow() as uow:
            assert await world.asks.retry(uow, world.project_id, None) == []
        assert not await world.attempt()
