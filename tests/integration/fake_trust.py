"""A trust node without a hospital: it answers commands as a real one does, with models of a few numbers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from safetensors.torch import load, save

from bus.objects import ObjectLane
from schemas.manifest import TensorSpec, read_layout
from schemas.message import Message
from schemas.trust import ModelEvaluated, PrepareRun, RunPrepared, RunTask, UpdateSubmitted
from tests.integration.hub import Voice

Weights = dict[str, torch.Tensor]


def train(trust: str, task: RunTask, model: Weights | None) -> Weights:
    """Begin with zeros; then amber adds 1 and every other trust 3."""
    if model is None:
        return {"bias": torch.zeros(2), "weight": torch.zeros(2, 4)}
    return {name: values + (1 if trust == "amber" else 3) for name, values in model.items()}


@dataclass(slots=True)
class FakeTrust:
    """``examples`` weighs its updates.

    ``answers`` says whether it does a task at all, ``dies`` whether an earlier life of it uploaded other numbers.
    """

    trust_id: str
    voice: Voice
    lane: ObjectLane
    examples: int = 10
    answers: Callable[[RunTask], bool] = lambda _: True
    dies: Callable[[RunTask], bool] = lambda _: False
    train: Callable[[str, RunTask, Weights | None], Weights] = train
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def on_message(self, message: Message) -> None:
        if getattr(message, "trust_id", None) == self.trust_id and isinstance(message, PrepareRun | RunTask):
            task = asyncio.create_task(self._obey(message))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _obey(self, message: PrepareRun | RunTask) -> None:
        if isinstance(message, PrepareRun):
            await self.voice.say(self._prepared(message))
        elif self.answers(message):
            await self.voice.say(await self._done(message))

    def _prepared(self, message: PrepareRun) -> RunPrepared:
        return RunPrepared(
            trust_id=self.trust_id,
            run_id=message.run_id,
            images=12,
            labelled=12,
            isolation="bubblewrap",
            software={"torch": "2"},
        )

    async def _done(self, task: RunTask) -> Message:
        about = {"trust_id": self.trust_id, "run_id": task.run_id, "round": task.round}
        if task.kind == "evaluate":
            return ModelEvaluated(**about, examples=self.examples, metrics={"accuracy": 0.5})
        model = load(await self._fetch(task)) if task.model else None
        content = save(self.train(self.trust_id, task, model))
        if self.dies(task):
            await self.lane.upload(memoryview(content[:-1] + b"?"), task.upload)
        manifest = await self.lane.upload(memoryview(content), task.upload, _specs(content))
        metrics = {"loss": 1 / task.round if task.round else 1.0}
        return UpdateSubmitted(**about, kind=task.kind, examples=self.examples, metrics=metrics, manifest=manifest)

    async def _fetch(self, task: RunTask) -> bytes:
        assert task.model
        return b"".join([part async for part in self.lane.parts_of(task.model.manifest, task.model.urls)])


def _specs(content: bytes) -> tuple[TensorSpec, ...]:
    return read_layout(content).tensors
