"""The runs a node takes part in: their folders, and one sandbox for each, started when a task first needs it."""

import asyncio
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from trust_node.policy import Policy
from trust_node.training.isolation import SandboxSpec
from trust_node.training.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a run's files lie; images belong to the project, so that the next run finds them."""

    root: Path
    run_id: str

    @property
    def run(self) -> Path:
        return self.root / "runs" / self.run_id

    @property
    def bundle(self) -> Path:
        return self.run / "bundle"

    @property
    def models(self) -> Path:
        return self.run / "models"

    @property
    def derived(self) -> Path:
        return self.run / "derived"

    def data(self, project_id: str) -> Path:
        return self.root / "projects" / project_id

    def answer(self, kind: str, round_: int) -> "KeptAnswer":
        return KeptAnswer(self.run / "answers" / f"{round_:05d}-{kind}")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer of the training code, kept until it has left: a node that dies meanwhile sends the same bytes."""

    stem: Path

    @property
    def weights(self) -> Path:
        return self.stem.with_suffix(".safetensors")

    def keep(self, weights: memoryview | None, examples: int, metrics: dict[str, float]) -> None:
        self.stem.parent.mkdir(parents=True, exist_ok=True)
        if weights is not None:
            part = self.weights.with_suffix(".part")
            with part.open("wb") as file:
                file.write(weights)
            part.replace(self.weights)
        told = self.stem.with_suffix(".part")
        told.write_text(json.dumps({"examples": examples, "metrics": metrics}))
        told.replace(self.stem.with_suffix(".json"))

    def forget(self) -> None:
        """It has left; asked again, the code answers again."""
        self.stem.with_suffix(".json").unlink(missing_ok=True)
        self.weights.unlink(missing_ok=True)

    def told(self) -> tuple[int, dict[str, float]] | None:
        """Examples and metrics, when the answer is there whole."""
        file = self.stem.with_suffix(".json")
        if not file.exists():
            return None
        told = json.loads(file.read_text())
        return told["examples"], told["metrics"]


@dataclass(slots=True)
class Runs:
    """Open sandboxes by run id. Tasks of one run come one after the other; ``end`` may come at any time.

    ``_without``: the studies that were left out when a run's sandbox began.
    """

    root: Path
    policy: Policy
    _open: dict[str, Sandbox] = field(default_factory=dict)
    _without: dict[str, frozenset[str]] = field(default_factory=dict)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def folders(self, run_id: str) -> Folders:
        return Folders(self.root, run_id)

    async def sandbox(self, run_id: str, project_id: str, entry_point: str, left_out: frozenset[str]) -> Sandbox:
        """Return the run's sandbox; one that began before a study was ``left_out`` may remember it: another begins."""
        async with self._starting:
            if self._without.get(run_id) != left_out:
                await self.drop(run_id)
            if run_id not in self._open:
                self._open[run_id] = await Sandbox(self._spec(run_id, project_id, entry_point)).__aenter__()
                self._without[run_id] = left_out
            return self._open[run_id]

    def _spec(self, run_id: str, project_id: str, entry_point: str) -> SandboxSpec:
        folders = self.folders(run_id)
        return SandboxSpec(
            bundle=folders.bundle,
            entry_point=entry_point,
            data=folders.data(project_id),
            run_dir=folders.run,
            limits=self.policy.limits,
            allow_bare=self.policy.isolation == "none",
        )

    async def drop(self, run_id: str) -> None:
        """Close the run's sandbox, dead or alive; the next task starts another."""
        self._without.pop(run_id, None)
        sandbox = self._open.pop(run_id, None)
        if sandbox is not None:
            await sandbox.__aexit__(None, None, None)

    async def end(self, run_id: str) -> None:
        """Drop everything but what the code printed: the trust's people may want to read that."""
        await self.drop(run_id)
        await asyncio.to_thread(_clear, self.folders(run_id).run, self.root / "sandbox-logs" / f"{run_id}.log")

    async def close(self) -> None:
        for run_id in list(self._open):
            await self.drop(run_id)


def _clear(folder: Path, log: Path) -> None:
    printed = folder / "sandbox.log"
    if printed.exists():
        log.parent.mkdir(parents=True, exist_ok=True)
        printed.replace(log)
    shutil.rmtree(folder, ignore_errors=True)
