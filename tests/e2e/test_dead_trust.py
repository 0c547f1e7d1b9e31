"""A trust that does not answer: named as missing, it hangs no run; what it has not imported, nobody can train on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.speaker import CommandRejected
from client.sdk import Trustflow
from infra.demo.play import BUNDLE, COHORT, Play
from infra.federation import Federation
from schemas.training import RoundClosed, RoundFinished, RunFailed, RunFinished, RunPlan
from tests.e2e.processes import healthy_again, start, stop
from tests.e2e.runs import Stage, connected

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PATIENCE_S = 20.0
"""Time enough for the other trust to be ready."""


@pytest.fixture(scope="module")
async def counted_project(federation: Federation, played: Play) -> str:
    """Staged with a cohort that birch has counted while it could."""
    async with connected(federation) as hub:
        project_id = await hub.create_project("Too late for birch")
        counted = [event async for event in hub.query(project_id, COHORT, ["birch"])]
        await hub.stage(project_id, counted[-1].query_id, ["birch"])
    return project_id


@pytest.fixture(scope="module", autouse=True)
async def _birch_is_off(federation: Federation, counted_project: str) -> AsyncIterator[None]:
    await asyncio.to_thread(stop, federation, "node-birch")
    yield
    start(federation, "node-birch")
    await healthy_again(federation, "node-birch")


async def test_a_dead_trust_is_named_as_missing_and_hangs_no_run(stage: Stage) -> None:
    enough, too_few = (
        RunPlan(rounds=2, quorum=quorum, prepare_deadline_s=PATIENCE_S, round_deadline_s=PATIENCE_S)
        for quorum in (1, 2)
    )
    told, failed = await asyncio.gather(stage.watch(await stage.start(enough)), stage.watch(await stage.start(too_few)))

    assert isinstance(told.end, RunFinished)
    assert [done.participants for done in told.of(RoundFinished)] == [("amber",)] * 3
    assert [closed.missing for closed in told.of(RoundClosed) if closed.round] == [("birch",)] * 2
    assert isinstance(failed.end, RunFailed)
    assert failed.end.code == "quorum_not_reached"
    assert "missing: birch (no answer)" in failed.end.reason


async def test_a_run_where_no_image_has_arrived_is_rejected(hub: Trustflow, counted_project: str) -> None:
    approver = hub.acting_as("birch-approver")
    await approver.approve(counted_project, "birch")
    model_id = await hub.create_model(counted_project, "nothing to learn from")
    submitted = await hub.upload_bundle(model_id, BUNDLE)
    await approver.approve_bundle(model_id, "birch", submitted.sha256)
    with pytest.raises(CommandRejected, match="no_images: No import has finished at birch"):
        await hub.start_run(model_id, ["birch"], RunPlan(rounds=1, quorum=1))
