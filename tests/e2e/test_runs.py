"""Runs that may not start, that are stopped by hand, or that lose a trust."""

import asyncio

import pytest

from bus.speaker import CommandRejected
from bus.uow import new_id
from client.sdk import Trustflow
from infra.demo.play import BUNDLE, Play
from infra.federation import Federation
from schemas.cohort import QueryTotalled
from schemas.training import RoundClosed, RoundFinished, RunEvent, RunFailed, RunFinished, RunPlan, RunStopped
from tests.e2e.processes import healthy_again, sandboxes, start, stop, true
from tests.e2e.runs import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ONE_ROUND = RunPlan(rounds=1, quorum=1)
NOBODY = """\
SELECT i.accession_id FROM image_occurrence i JOIN person p ON p.person_id = i.person_id
WHERE p.year_of_birth < 1800"""


async def test_a_run_of_an_unknown_model_is_rejected(stage: Stage, hub: Trustflow) -> None:
    assert await _refusal(Stage(stage.federation, hub, new_id()), ONE_ROUND) == "unknown_model"


async def test_a_run_of_a_model_without_code_is_rejected(hub: Trustflow, federation: Federation, played: Play) -> None:
    model_id = await hub.create_model(played.story.project_id, "no code yet")
    assert await _refusal(Stage(federation, hub, model_id), ONE_ROUND) == "no_bundle"


async def test_a_run_of_code_that_a_trust_has_not_approved_is_rejected(
    hub: Trustflow, federation: Federation, played: Play
) -> None:
    model_id = await hub.create_model(played.story.project_id, "half approved")
    submitted = await hub.upload_bundle(model_id, BUNDLE)
    await hub.acting_as("amber-approver").approve_bundle(model_id, "amber", submitted.sha256)
    assert await _refusal(Stage(federation, hub, model_id), ONE_ROUND) == "bundle_not_approved"


async def test_a_run_without_images_is_rejected(hub: Trustflow, federation: Federation) -> None:
    project_id = await hub.create_project("Nobody at all")
    async for event in hub.query(project_id, NOBODY, ["amber"]):
        if isinstance(event, QueryTotalled):
            await hub.stage(project_id, event.query_id, ["amber"])
    approver = hub.acting_as("amber-approver")
    await approver.approve(project_id, "amber")
    imports = [view async for view in hub.watch_import(project_id)]
    assert imports[-1].trusts["amber"].tally.archived == 0
    model_id = await hub.create_model(project_id, "nothing to learn from")
    submitted = await hub.upload_bundle(model_id, BUNDLE)
    await approver.approve_bundle(model_id, "amber", submitted.sha256)
    assert await _refusal(Stage(federation, hub, model_id), ONE_ROUND, ["amber"]) == "no_images"


async def test_a_quorum_of_more_trusts_than_are_asked_is_rejected(stage: Stage) -> None:
    assert await _refusal(stage, RunPlan(rounds=1, quorum=3)) == "quorum_too_high"


async def test_a_run_stopped_by_hand_ends_at_once_and_leaves_no_sandbox(stage: Stage) -> None:
    run_id = await stage.start(RunPlan(rounds=1000, quorum=1), ["amber"])

    async def stop_after_a_round(event: RunEvent) -> None:
        if isinstance(event, RoundFinished) and event.round == 1:
            assert sandboxes(stage.federation, run_id)
            await stage.hub.stop_run(run_id)

    told = await stage.watch(run_id, stop_after_a_round)
    assert isinstance(told.end, RunStopped)
    assert told.end.stopped_by == stage.hub.actor
    await true(lambda: not sandboxes(stage.federation, run_id))
    with pytest.raises(CommandRejected, match="run_is_over"):
        await stage.hub.stop_run(run_id)


async def test_a_dead_trust_is_named_as_missing_and_hangs_no_run(stage: Stage, federation: Federation) -> None:
    await asyncio.to_thread(stop, federation, "node-birch")
    try:
        enough = await stage.start(RunPlan(rounds=2, quorum=1, prepare_deadline_s=20, round_deadline_s=20))
        too_few = await stage.start(RunPlan(rounds=2, quorum=2, prepare_deadline_s=20, round_deadline_s=20))
        told, failed = await asyncio.gather(stage.watch(enough), stage.watch(too_few))
    finally:
        start(federation, "node-birch")
        await healthy_again(federation, "node-birch")
    assert isinstance(told.end, RunFinished)
    assert [done.participants for done in told.of(RoundFinished)] == [("amber",)] * 3
    assert [closed.missing for closed in told.of(RoundClosed) if closed.round] == [("birch",)] * 2
    assert isinstance(failed.end, RunFailed)
    assert failed.end.code == "quorum_not_reached"
    assert "birch (no answer)" in failed.end.reason


async def _refusal(stage: Stage, plan: RunPlan, trusts: list[str] | None = None) -> str:
    with pytest.raises(CommandRejected) as refused:
        await stage.start(plan, trusts)
    assert refused.value.reason
    return refused.value.code
