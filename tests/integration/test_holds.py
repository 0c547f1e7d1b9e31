"""Images that wait for a person, in the node's own database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bus.proof.signing import Author, Signer
from bus.uow import UnitOfWork, flush
from tests.conftest import Database
from tests.integration.study_world import node_pool
from trust_node.imaging import holds
from trust_node.imaging.holds import NothingWaitsError, Ruling

pytestmark = pytest.mark.integration

PROJECT, STUDY, REQUEST = "p1", "S0123456789abcdef", "A0123456789abcdef"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
HELD = (("a.dcm", "burned_in_annotation"), ("b.dcm", "burned_in_annotation"), ("b.dcm", "leak"))
RELEASE = Ruling("released", "amber-approver", "looked at each: a ruler")
REJECT = Ruling("rejected", "amber-approver", "shows a name")


@pytest.fixture
async def pool(postgres: Database) -> AsyncIterator[Any]:
    async with node_pool(postgres, "holds") as pool:
        async with pool.acquire() as connection:
            await connection.execute(
                "insert into study (project_id, study, accession, session) values ($1, $2, 'X', $3)",
                PROJECT,
                REQUEST,
                STUDY,
            )
            await holds.hold(connection, PROJECT, STUDY, HELD, NOW)
        yield pool


async def decided(pool: Any, tmp_path: Path, images: tuple[str, ...], ruling: Ruling) -> list[holds.Hold]:
    async with pool.acquire() as connection, connection.transaction():
        uow = UnitOfWork(connection, Author("trust-amber", Signer.open(tmp_path / "key.pem")), NOW)
        chosen = await holds.decide(uow, PROJECT, STUDY, images, ruling)
        await flush(uow)
        return chosen


async def test_a_release_passes_over_just_the_rules_that_held_the_image(pool: Any, tmp_path: Path) -> None:
    await decided(pool, tmp_path, ("b.dcm",), RELEASE)
    reviewed = await holds.reviewed(pool, PROJECT, STUDY)
    assert reviewed.released == {"b.dcm": {"burned_in_annotation", "leak"}}
    assert reviewed.rejected == frozenset()
    assert [hold.image for hold in await holds.waiting(pool, PROJECT, STUDY)] == ["a.dcm"]


async def test_a_rejected_image_is_left_out_and_stays_decided(pool: Any, tmp_path: Path) -> None:
    await decided(pool, tmp_path, (), REJECT)
    await holds.hold(pool, PROJECT, STUDY, HELD, NOW)
    reviewed = await holds.reviewed(pool, PROJECT, STUDY)
    assert reviewed.rejected == {"a.dcm", "b.dcm"}
    assert await holds.waiting(pool) == []


async def test_a_decision_is_accounted_for_and_the_study_goes_on(pool: Any, tmp_path: Path) -> None:
    await decided(pool, tmp_path, ("a.dcm",), RELEASE)
    entry = await pool.fetchrow("select actor, action, subject, outcome from audit")
    assert dict(entry) == {
        "actor": "amber-approver",
        "action": "hold.released",
        "subject": f"{PROJECT}/{STUDY}",
        "outcome": "decided",
    }
    assert await pool.fetchval("select lane || ' ' || key from job where lane = 'imaging'") == f"imaging {REQUEST}"


@pytest.mark.parametrize("images", [("c.dcm",), ("a.dcm", "c.dcm")])
async def test_what_does_not_wait_cannot_be_decided(pool: Any, tmp_path: Path, images: tuple[str, ...]) -> None:
    with pytest.raises(NothingWaitsError, match=r"c\.dcm"):
        await decided(pool, tmp_path, images, RELEASE)
    assert len(await holds.waiting(pool)) == len(HELD)


async def test_the_end_of_a_project_forgets_its_holds(pool: Any) -> None:
    await holds.drop(pool, PROJECT)
    assert await holds.waiting(pool) == []
