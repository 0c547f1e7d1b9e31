"""Runs that may not start, and one that is stopped by hand."""

import pytest

from bus.speaker import CommandRejected
from bus.uow import new_id
from client.sdk import Trustflow
from infra.demo.play import BUNDLE, Play
from infra.federation import Federation
from schemas.training import RoundFinished, RunEvent, RunPlan, RunStopped
from tests.e2e.processes import sandboxes, true
from tests.e2e.runs import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ONE_ROUND = RunPlan(rounds=1, quorum=1)


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


async def _refusal(stage: Stage, plan: RunPlan, trusts: list[str] | None = None) -> str:
    with pytest.raises(CommandRejected) as refused:
        await stage.start(plan, trusts)
    assert refused.value.reason
    return refused.value.code
