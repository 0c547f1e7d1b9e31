"""Kill -9 of any process in the middle of a run: it completes by itself, and the model is the undisturbed one."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.aggregation import ModelAggregated
from schemas.training import RoundFinished, RunEvent, RunFinished, RunPlan, UpdateAccepted
from tests.e2e.processes import kill, pid_of, trainer_of
from tests.e2e.runs import Stage, Told

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROUNDS = 5
PLAN = RunPlan(rounds=ROUNDS, quorum=2, seed=7)
KILL_AFTER = 2

FindVictim = Callable[[str], int]


@pytest.fixture(scope="module")
def model_of() -> dict[str, bytes]:
    """The undisturbed run's model, once it has been made."""
    return {}


@pytest.fixture
async def undisturbed(stage: Stage, model_of: dict[str, bytes], tmp_path: Path) -> bytes:
    if "undisturbed" not in model_of:
        run_id = await stage.start(PLAN)
        _complete(await stage.watch(run_id))
        model_of["undisturbed"] = await stage.model_bytes(run_id, tmp_path)
    return model_of["undisturbed"]


async def test_a_run_survives_kill_9_of_the_aggregator(stage: Stage, undisturbed: bytes, tmp_path: Path) -> None:
    assert await _model_after_a_kill(stage, lambda _: pid_of(stage.federation, "aggregator"), tmp_path) == undisturbed


async def test_a_run_survives_kill_9_of_a_trust_node(stage: Stage, undisturbed: bytes, tmp_path: Path) -> None:
    assert await _model_after_a_kill(stage, lambda _: pid_of(stage.federation, "node-birch"), tmp_path) == undisturbed


async def test_a_run_survives_kill_9_of_the_training_coordinator(
    stage: Stage, undisturbed: bytes, tmp_path: Path
) -> None:
    model = await _model_after_a_kill(stage, lambda _: pid_of(stage.federation, "training_coordinator"), tmp_path)
    assert model == undisturbed


async def test_a_run_survives_kill_9_of_a_sandbox(stage: Stage, undisturbed: bytes, tmp_path: Path) -> None:
    model = await _model_after_a_kill(stage, lambda run_id: trainer_of(stage.federation, "birch", run_id), tmp_path)
    assert model == undisturbed


async def _model_after_a_kill(stage: Stage, find: FindVictim, folder: Path) -> bytes:
    run_id = await stage.start(PLAN)
    killed: list[datetime] = []

    def strike(event: RunEvent) -> None:
        if isinstance(event, RoundFinished) and event.round == KILL_AFTER and not killed:
            kill(find(run_id))
            killed.append(datetime.now(UTC))

    told = await stage.watch(run_id, strike)
    _complete(told)
    assert _finished_at(told, ROUNDS) > killed[0], "the run was through before anything was killed"
    return await stage.model_bytes(run_id, folder)


def _complete(told: Told) -> None:
    """Every round once, of both trusts, each update taken and folded once."""
    assert isinstance(told.end, RunFinished), told.end
    rounds = range(1, ROUNDS + 1)
    assert [done.round for done in told.of(RoundFinished)] == [0, *rounds]
    accepted = Counter((update.trust_id, update.round) for update in told.of(UpdateAccepted) if update.round)
    assert accepted == Counter((trust, number) for trust in ("amber", "birch") for number in rounds)
    folded = [(model.round, sorted(model.folded)) for model in told.of(ModelAggregated)]
    assert sorted(folded) == [(0, ["amber"]), *((number, ["amber", "birch"]) for number in rounds)]


def _finished_at(told: Told, number: int) -> datetime:
    return next(
        heard.at for heard in told.heard if isinstance(heard.message, RoundFinished) and heard.message.round == number
    )
