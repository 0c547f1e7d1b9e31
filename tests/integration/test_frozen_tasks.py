"""A run that was prepared: what its next task sees once persons have left, or too few are left."""

import csv
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus.lanes import Lane, Lanes
from bus.uow import new_id
from schemas.message import Message
from schemas.trust import FrozenShrunk, ModelEvaluated, RunRefused, RunTask
from tests.conftest import Database
from tests.integration.frozen_ground import FrozenWorld, opt_out_ground
from tests.integration.warehouse_ground import Ground
from tests.unit.imaging.enrichment.shelf import Shelf, nifti
from trust_node import store as node
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.covariates import FILE, Covariates
from trust_node.cohort.store import Warehouse
from trust_node.policy import Policy
from trust_node.training.dataset import gather, leave_out
from trust_node.training.lane import TrainingLane
from trust_node.training.runs import Runs

pytestmark = pytest.mark.integration

CODE = """
import csv, json, os, socket
wire = socket.socket(fileno=int(os.environ["TRUSTFLOW_SOCKET"]))
with open(os.environ["TRUSTFLOW_DATA"] + "/table.csv", newline="") as file:
    rows = list(csv.DictReader(file))
while wire.recv(9999):
    files = sum(len(files) for _, _, files in os.walk(os.environ["TRUSTFLOW_DATA"] + "/images"))
    wire.send(json.dumps({"examples": len(rows), "metrics": {"files": files}}).encode())
"""
"""As most training code does, it reads its table once and keeps it."""
COVARIATES = Covariates(("age",), {"S3": {"age": "61"}, "S7": {"age": "47"}})


@pytest.fixture(scope="module")
async def ground(postgres: Database) -> tuple[Ground, Warehouse]:
    return await opt_out_ground(postgres)


@dataclass
class Run:
    """A run of a project with the studies S3 and S7, as it was prepared; the archive is away since then."""

    world: FrozenWorld
    runs: Runs
    run_id: str
    round: int = 0

    @property
    def data(self) -> Path:
        return self.runs.folders(self.run_id).data(self.world.project_id)

    async def prepare(self, tmp_path: Path) -> None:
        shelf: Any = Shelf()
        for study in ("S3", "S7"):
            shelf.put(study, "2", "NIFTI", "input_a.nii.gz", nifti(tmp_path))
        await gather(shelf, "p", self.data, covariates=COVARIATES)
        folders = self.runs.folders(self.run_id)
        folders.bundle.mkdir(parents=True)
        (folders.bundle / "trainer.py").write_text(CODE)
        await node.save_run(self.world.pool, self.run_id, self.world.project_id, "trainer.py")

    async def task(self) -> list[Message]:
        """Have the next task done; return what was said of the run."""
        self.round += 1
        lanes = Lanes()
        TrainingLane("amber", self.runs, self.world.using, _away, _away).join(lanes)
        lane: Lane = next(lane for lane in lanes if lane.name == "training")
        order = RunTask(
            trust_id="amber", run_id=self.run_id, round=self.round, kind="evaluate", seed=0, config={},
            deadline_at=datetime.now(UTC) + timedelta(hours=1),
        )  # fmt: skip
        self.told = await self.world.do(lane, order)
        return await self.world.said(self.run_id)


def _away() -> Any:
    raise AssertionError("a task like these needs neither archive nor object lane")


@pytest.fixture
async def world(pool: Any, ground: tuple[Ground, Warehouse]) -> FrozenWorld:
    await ground[0].execute("truncate hospital.gone")
    await pool.execute("delete from job")
    made = FrozenWorld(pool, *ground)
    await made.freeze()
    await made.imported(3, 7)
    return made


@pytest.fixture
async def run(world: FrozenWorld, tmp_path: Path) -> AsyncIterator[Run]:
    made = Run(world, Runs(tmp_path / "node", Policy(approvers=("bob",))), new_id())
    await made.prepare(tmp_path)
    yield made
    await made.runs.close()


def seen(said: list[Message]) -> tuple[int, int]:
    """Return how many rows and how many image files the code saw."""
    (evaluated,) = said
    assert isinstance(evaluated, ModelEvaluated), evaluated
    return evaluated.examples, int(evaluated.metrics["files"])


async def test_the_next_task_of_a_run_sees_neither_row_nor_file_nor_memory_of_who_has_left(
    world: FrozenWorld, run: Run
) -> None:
    assert seen(await run.task()) == (2, 2)
    await world.opt_out(7)
    await world.goes_by(16)
    assert seen(await run.task()) == (1, 1)
    with (run.data / "table.csv").open(newline="") as table:
        assert [(row["study"], row["age"]) for row in csv.DictReader(table)] == [("S3", "61")]
    assert json.loads((run.data / FILE).read_text())["rows"] == {"S3": {"age": "61"}}
    assert not [file for file in run.data.rglob("*") if "S7" in str(file)]


async def test_a_sandbox_begun_before_the_planned_look_is_not_asked_again(world: FrozenWorld, run: Run) -> None:
    await run.task()
    first = run.runs._open[run.run_id]
    await run.task()
    assert run.runs._open[run.run_id] is first
    await world.opt_out(7)
    await world.goes_by(16)
    await world.look()
    await leave_out(run.data, await store.withdrawn(world.pool, world.project_id))
    assert seen(await run.task()) == (1, 1)
    assert run.runs._open[run.run_id] is not first


async def test_tasks_within_the_interval_ask_nothing_of_the_warehouse(world: FrozenWorld, run: Run) -> None:
    await run.task()
    await run.task()
    assert world.asked.questions == 0


async def test_a_run_whose_cohort_becomes_too_small_is_left_at_its_next_task(world: FrozenWorld, run: Run) -> None:
    await run.task()
    await world.opt_out(*range(8, 40))
    await world.goes_by(16)
    (refused,) = await run.task()
    assert isinstance(refused, RunRefused)
    assert refused.code == "too_small"
    assert [(type(one), one.usable) for one in run.told] == [(FrozenShrunk, False)]
    assert run.runs._open == {}
    (again,) = await run.task()
    assert isinstance(again, RunRefused)
    assert (again.code, run.told) == ("too_small", [])


async def test_while_the_warehouse_is_away_a_run_goes_on_and_health_says_so(world: FrozenWorld, run: Run) -> None:
    await run.task()
    await world.opt_out(7)
    await world.goes_by(16)
    world.asked.away = True
    assert seen(await run.task()) == (2, 2)
    assert seen(await run.task()) == (2, 2)
    assert world.asked.questions == 1
    assert len(world.looking.unready()) == 1


async def test_what_a_cut_off_gathering_has_left_in_the_table_goes_too(tmp_path: Path) -> None:
    shelf: Any = Shelf()
    folder = tmp_path / "data"
    for study in ("S3", "S7"):
        shelf.put(study, "2", "NIFTI", "input_a.nii.gz", nifti(tmp_path))
    await gather(shelf, "p", folder)
    before = (folder / "table.csv").read_text()
    await leave_out(folder, frozenset({"S3", "S7"}))
    (folder / "table.csv").write_text(before)
    await leave_out(folder, frozenset({"S7"}))
    assert "S7" not in (folder / "table.csv").read_text()
    assert (folder / "table.csv").read_text().splitlines()[0] == before.splitlines()[0]
