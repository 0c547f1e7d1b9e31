"""Kill -9 of any process in the middle of a run: it completes by itself, and the model is the undisturbed one."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.aggregation import ModelAggregated
from schemas.training import RoundFinished, RunEvent, RunFinished, UpdateAccepted
from tests.e2e.processes import kill, pid_of, trainer_of
from tests.e2e.runs import PLAN, Stage, Told, Undisturbed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

KILL_AFTER = 2

FindVictim = Callable[[str], int]


def test_an_undisturbed_run_folds_each_update_once(undisturbed: Undisturbed) -> None:
    _is_complete(undisturbed.told)
    assert undisturbed.model


async def test_a_run_survives_kill_9_of_the_aggregator(stage: Stage, undisturbed: Undisturbed, tmp_path: Path) -> None:
    assert (
        await _model_after_a_kill(stage, lambda _: pid_of(stage.federation, "aggregator"), tmp_path)
        == undisturbed.model
    )


async def test_a_run_survives_kill_9_of_a_trust_node(stage: Stage, undisturbed: Undisturbed, tmp_path: Path) -> None:
    assert (
        await _model_after_a_kill(stage, lambda _: pid_of(stage.federation, "node-birch"), tmp_path)
        == undisturbed.model
    )


async def test_a_run_survives_kill_9_of_the_training_coordinator(
    stage: Stage, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    model = await _model_after_a_kill(stage, lambda _: pid_of(stage.federation, "training_coordinator"), tmp_path)
    assert model == undisturbed.model


async def test_a_run_survives_kill_9_of_a_sandbox(stage: Stage, undisturbed: Undisturbed, tmp_path: Path) -> None:
    model = await _model_after_a_kill(stage, lambda run_id: trainer_of(stage.federation, "birch", run_id), tmp_path)
    assert model == undisturbed.model


async def _model_after_a_kill(stage: Stage, find: FindVictim, folder: Path) -> bytes:
    run_id = await stage.start(PLAN)
    killed: list[datetime] = []

    async def strike(event: RunEvent) -> None:
        if isinstance(event, RoundFinished) and event.round == KILL_AFTER and not killed:
            kill(find(run_id))
            killed.append(datetime.now(UTC))

    told = await stage.watch(run_id, strike)
    _is_complete(told)
    assert _finished_at(told, PLAN.rounds) > killed[0], "the run was through before anything was killed"
    return await stage.model_bytes(run_id, folder)


def _is_complete(told: Told) -> None:
    """Every round once, of both trusts, each update taken and folded once."""
    assert isinstance(told.end, RunFinished), told.end
    rounds = range(1, PLAN.rounds + 1)
    assert [done.round for done in told.of(RoundFinished)] == [0, *rounds]
    accepted = Counter((update.trust_id, update.round) for update in told.of(UpdateAccepted) if update.round)
    assert accepted == Counter((trust, number) for trust in ("amber", "birch") for number in rounds)
    folded = [(model.round, sorted(model.folded)) for model in told.of(ModelAggregated)]
    assert sorted(folded) == [(0, ["amber"]), *((number, ["amber", "birch"]) for number in rounds)]


def _finished_at(told: Told, number: int) -> datetime:
    return next(
        heard.at for heard in told.heard if isinstance(heard.message, RoundFinished) and heard.message.round == number
    )
