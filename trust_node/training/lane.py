"""The training lane: prepare a run, hand each task to its sandbox, send the answer by the object lane."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bus.errors import Rejection, Transient
from bus.lanes import Job, Lanes
from bus.objects import GrantExpired, ObjectError, ObjectLane
from bus.uow import UnitOfWork
from schemas.bundle import BadBundle
from schemas.manifest import TensorSpec, read_layout
from schemas.trust import (
    EndRun,
    ModelEvaluated,
    PrepareRun,
    RunPrepared,
    RunRefused,
    RunTask,
    TaskFailed,
    UpdateSubmitted,
)
from schemas.trust import GrantExpired as GrantExpiredEvent
from trust_node import store
from trust_node.cohort.frozen import store as frozen
from trust_node.cohort.frozen.using import Using
from trust_node.imaging.enrichment.labels import LabelsUnreadableError
from trust_node.imaging.xnat import Xnat, XnatRefusedError, XnatUnreachableError
from trust_node.software import versions
from trust_node.training.bundle import unpack
from trust_node.training.dataset import Dataset, gather, leave_out
from trust_node.training.errands import ArchiveErrands
from trust_node.training.isolation import SandboxUnavailable
from trust_node.training.runs import Folders, KeptAnswer, Runs
from trust_node.training.sandbox import SandboxDied, SandboxTimeout, Task
from trust_node.training.update import BadUpdate

WORKERS = 2
ATTEMPTS = 5
CODE_MAY_FAIL = 2
"""Attempts after which an exception in the training code is taken for its own fault, not the machine's."""


CODE_FAILED = "The training code ended with an error; what it printed stays in the trust's sandbox-logs."


@dataclass(frozen=True, slots=True)
class TrainingLane:
    """``xnat`` and ``objects`` are given once they are open; ``cohorts`` tell what a run may use."""

    trust_id: str
    runs: Runs
    cohorts: Using
    xnat: Callable[[], Xnat]
    objects: Callable[[], ObjectLane]

    def join(self, lanes: Lanes) -> None:
        lanes.lane("training", on_failure=self._not_done, workers=WORKERS, attempts=ATTEMPTS)(self.work)
        lanes.lane("ending", on_failure=_nothing_to_say)(self.end)

    async def work(self, message: PrepareRun | RunTask, job: Job) -> None:
        run = await store.run(job.pool, message.run_id)
        if run is not None and run.ended:
            return
        try:
            await (self._prepare(message, job) if isinstance(message, PrepareRun) else self._task(message, run, job))
        except (ObjectError, XnatUnreachableError) as error:
            raise Transient(type(error).__name__) from error
        except (XnatRefusedError, LabelsUnreadableError) as error:
            raise Rejection("data_unreadable", str(error)) from error
        except SandboxUnavailable as error:
            raise Rejection("no_sandbox", str(error)) from error
        except (BadBundle, BadUpdate) as error:
            raise Rejection(error.code, str(error)) from error

    async def end(self, message: EndRun, _job: Job) -> None:
        await self.runs.end(message.run_id)

    async def _prepare(self, message: PrepareRun, job: Job) -> None:
        project = await self._project(message, job)
        folders = self.runs.folders(message.run_id)
        covariates = await self.cohorts.for_run(message.project_id, job, last=job.attempts >= ATTEMPTS)
        entry_point = await self._fetch_code(message, folders)
        data = folders.data(message.project_id)
        left_out = partial(frozen.withdrawn, job.pool, message.project_id)
        gone = await left_out()
        dataset = await gather(self.xnat(), project, data, left_out, covariates)
        async with job.transaction() as uow:
            await store.save_run(uow.connection, message.run_id, message.project_id, entry_point)
        sandbox = await self.runs.sandbox(message.run_id, message.project_id, entry_point, gone)
        async with job.done() as uow:
            uow.emit(self._prepared(message, dataset, sandbox.isolation))

    async def _project(self, message: PrepareRun, job: Job) -> str:
        project = await store.project(job.pool, message.project_id)
        if project is None or project.xnat_project is None:
            raise Rejection("no_images", "No image of this project has been imported at this trust.")
        return project.xnat_project

    async def _fetch_code(self, message: PrepareRun, folders: Folders) -> str:
        folders.run.mkdir(parents=True, exist_ok=True)
        file = folders.run / "bundle.zip"
        await self.objects().download(message.bundle.manifest, message.bundle.urls, file)
        report = await asyncio.to_thread(lambda: unpack(file.read_bytes(), message.bundle_sha256, folders.bundle))
        return report.entry_point

    async def _task(self, message: RunTask, run: store.Run | None, job: Job) -> None:
        if run is None:
            raise Rejection("not_prepared", "This run was never prepared here.")
        left_out = await self._leave_out(run, job)
        kept = self.runs.folders(message.run_id).answer(message.kind, message.round)
        try:
            if kept.told() is None:
                await self._train(message, run, job, kept, left_out)
            await self._send(message, job, kept)
        except GrantExpired:
            async with job.done() as uow:
                uow.emit(GrantExpiredEvent(**self._about(message), kind=message.kind))

    async def _leave_out(self, run: store.Run, job: Job) -> frozenset[str]:
        """Take out what the run may see no more, and return which studies that is; of a cohort too small all."""
        try:
            gone = await self.cohorts.for_task(run.project_id, job)
        except Rejection:
            await self.runs.drop(run.run_id)
            raise
        await leave_out(self.runs.folders(run.run_id).data(run.project_id), gone)
        return gone

    async def _train(
        self, message: RunTask, run: store.Run, job: Job, kept: KeptAnswer, left_out: frozenset[str]
    ) -> None:
        model = await self._fetch_model(message)
        sandbox = await self.runs.sandbox(run.run_id, run.project_id, run.entry_point, left_out)
        try:
            task = Task(message.kind, message.round, message.seed, model, message.config)
            update = await sandbox.run(task, await self._errands(run, job))
        except SandboxDied as died:
            await self.runs.drop(message.run_id)
            if died.reason == "failed" and job.attempts >= CODE_MAY_FAIL:
                raise Rejection("code_failed", CODE_FAILED) from died
            raise Transient(died.reason) from died
        except SandboxTimeout as late:
            await self.runs.drop(message.run_id)
            raise Rejection("task_timed_out", "The training code took longer than this trust allows.") from late
        weights = update.weights.file if update.weights else None
        await asyncio.to_thread(kept.keep, weights, update.examples, dict(update.metrics))

    async def _errands(self, run: store.Run, job: Job) -> ArchiveErrands | None:
        project = await store.project(job.pool, run.project_id)
        if project is None or project.xnat_project is None:
            return None
        folders = self.runs.folders(run.run_id)
        data = folders.data(run.project_id)
        return ArchiveErrands(self.xnat(), project.xnat_project, run.run_id, data, folders.derived)

    async def _fetch_model(self, message: RunTask) -> Path | None:
        if message.model is None:
            return None
        folders = self.runs.folders(message.run_id)
        folders.models.mkdir(parents=True, exist_ok=True)
        file = folders.models / f"{message.model.manifest.sha256}.safetensors"
        if not file.exists():
            await self.objects().download(message.model.manifest, message.model.urls, file)
            _forget_others(file)
        return file

    async def _send(self, message: RunTask, job: Job, kept: KeptAnswer) -> None:
        examples, metrics = kept.told() or (0, {})
        about = self._about(message)
        if message.upload is None:
            said: ModelEvaluated | UpdateSubmitted = ModelEvaluated(**about, examples=examples, metrics=metrics)
        else:
            tensors = await asyncio.to_thread(_tensors, kept.weights)
            manifest = await self.objects().upload(kept.weights, message.upload, tensors)
            said = UpdateSubmitted(**about, kind=message.kind, examples=examples, metrics=metrics, manifest=manifest)
        async with job.done() as uow:
            uow.emit(said)
        kept.forget()

    def _prepared(self, message: PrepareRun, dataset: Dataset, isolation: str) -> RunPrepared:
        return RunPrepared(
            trust_id=self.trust_id,
            run_id=message.run_id,
            images=dataset.images,
            labelled=dataset.labelled,
            isolation=isolation,
            software=versions(),
        )

    async def _not_done(self, message: PrepareRun | RunTask, uow: UnitOfWork, code: str, reason: str) -> None:
        """Say so, unless the run is over anyway; a trust with too few left takes part in it no longer."""
        run = await store.run(uow.connection, message.run_id)
        if run is not None and run.ended:
            return
        if isinstance(message, PrepareRun) or code == "too_small":
            uow.emit(RunRefused(trust_id=self.trust_id, run_id=message.run_id, code=code, reason=reason))
        else:
            uow.emit(TaskFailed(**self._about(message), kind=message.kind, code=code, reason=reason))

    def _about(self, message: RunTask) -> dict[str, Any]:
        return {"trust_id": self.trust_id, "run_id": message.run_id, "round": message.round}


def _tensors(file: Path) -> tuple[TensorSpec, ...]:
    with file.open("rb") as weights:
        start = weights.read(8)
        return read_layout(start + weights.read(int.from_bytes(start, "little"))).tensors


def _forget_others(model: Path) -> None:
    for other in model.parent.glob("*.safetensors"):
        if other != model:
            other.unlink()


def _nothing_to_say(_message: EndRun, _uow: UnitOfWork, _code: str, _reason: str) -> None:
    return None
