"""The lanes: updates are verified as they come, folded when their round is closed, dropped when their run is over."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from bus.errors import Rejection, Transient
from bus.lanes import Job, Lanes
from bus.objects import ObjectError, ObjectLane, ObjectMissing, ObjectStore, WrongDigest, grant_download, grant_upload
from bus.uow import UnitOfWork
from schemas.aggregation import AggregationFailed, ModelAggregated, UpdateRefused, UpdateVerified
from schemas.manifest import Layout, Manifest, layout
from schemas.message import Message
from schemas.training import FoldInput, RoundClosed, RunEvent
from schemas.trust import UpdateSubmitted
from services.aggregator import store
from services.aggregator.domain import check_claims, global_prefix, in_order
from services.aggregator.folding import fold
from services.aggregator.handlers import FOLD, SWEEP, VERIFY
from services.aggregator.spool import Spool, take_in
from services.aggregator.strategy import Strategy

VERIFIERS = 2
PATIENCE = 8


@dataclass(frozen=True, slots=True)
class Workshop:
    """``objects`` moves bytes and stays open as long as the process; ``max_size`` is in bytes."""

    store: ObjectStore
    objects: ObjectLane
    spool: Spool
    strategy: Strategy
    grant_lasts: timedelta
    max_size: int

    def lanes(self) -> Lanes:
        lanes = Lanes()
        lanes.lane(VERIFY, on_failure=_refuse, workers=VERIFIERS, attempts=PATIENCE)(self.verify)
        lanes.lane(FOLD, on_failure=_give_up, attempts=PATIENCE)(self.fold)
        lanes.lane(SWEEP, on_failure=_nothing_to_say)(self.sweep)
        return lanes

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.spool.clear()
        async with self.objects:
            yield

    async def verify(self, update: UpdateSubmitted, job: Job) -> None:
        if await store.is_finished(job.pool, update.run_id):
            raise Rejection("run_is_over", "The run is over: no update is needed any longer.")
        model = await store.global_model(job.pool, update.run_id, update.round - 1)
        layout_ = check_claims(update, model, self.max_size)
        path = self.spool.path(update.run_id, update.round, update.manifest)
        await self._bring(update.manifest, layout_, path, job)
        verified = UpdateVerified(**update.model_dump(exclude={"kind"}))
        async with job.done() as uow:
            await store.save_verified(uow.connection, verified)
            uow.emit(verified)

    async def fold(self, closed: RoundClosed, job: Job) -> None:
        started = perf_counter()
        updates = in_order(closed.updates)
        manifests = await self._manifests(closed, updates, job.pool)
        layout_ = layout(manifests[0].tensors)
        paths = [await self._present(closed, manifest, layout_, job) for manifest in manifests]
        examples = [update.examples for update in updates]
        model = await asyncio.to_thread(fold, paths, examples, layout_, self.strategy)
        manifest = await self._publish(closed, model, layout_)
        async with job.done() as uow:
            await store.save_global_model(uow.connection, closed.run_id, closed.round, manifest)
            uow.emit(_aggregated(closed, manifest, updates, perf_counter() - started))
        await asyncio.to_thread(self.spool.drop_round, closed.run_id, closed.round)

    async def sweep(self, over: RunEvent, _job: Job) -> None:
        await asyncio.to_thread(self.spool.drop_run, over.run_id)

    async def _manifests(self, closed: RoundClosed, updates: Sequence[FoldInput], pool: Any) -> list[Manifest]:
        known = await store.verified(pool, closed.run_id, closed.round)
        try:
            return [known[update.trust_id, update.digest] for update in updates]
        except KeyError as error:
            raise Rejection("unknown_update", f"An update of {error.args[0][0]} was never verified here.") from error

    async def _present(self, closed: RoundClosed, manifest: Manifest, layout_: Layout, job: Job) -> Path:
        path = self.spool.path(closed.run_id, closed.round, manifest)
        if not path.exists():
            await self._bring(manifest, layout_, path, job)
        return path

    async def _bring(self, manifest: Manifest, layout_: Layout, path: Path, job: Job) -> None:
        grant = grant_download(self.store, manifest, self._expiry())
        with _told():
            await take_in(self.objects.parts_of(manifest, grant.urls), layout_, path, job.job_id)

    async def _publish(self, closed: RoundClosed, model: memoryview, layout_: Layout) -> Manifest:
        prefix = global_prefix(closed.run_id, closed.round)
        grant = grant_upload(self.store, prefix, len(model), self._expiry())
        with _told():
            return await self.objects.upload(model, grant, layout_.tensors)

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + self.grant_lasts


def _aggregated(
    closed: RoundClosed, manifest: Manifest, updates: Sequence[FoldInput], seconds: float
) -> ModelAggregated:
    folded = tuple(update.trust_id for update in updates)
    return ModelAggregated(
        run_id=closed.run_id, round=closed.round, manifest=manifest, folded=folded, seconds=round(seconds, 4)
    )


@contextmanager
def _told() -> Iterator[None]:
    """Say of a failed transfer whether to try again or whose fault it is."""
    try:
        yield
    except WrongDigest as error:
        raise Rejection("wrong_digest", str(error)) from error
    except ObjectMissing as error:
        raise Rejection("missing_object", str(error)) from error
    except ObjectError as error:
        raise Transient(str(error)) from error


def _refuse(update: Message, uow: UnitOfWork, code: str, reason: str) -> None:
    if isinstance(update, UpdateSubmitted):
        about = update.model_dump(include={"run_id", "round", "trust_id"})
        uow.emit(UpdateRefused(**about, code=code, reason=reason))


def _give_up(closed: Message, uow: UnitOfWork, code: str, reason: str) -> None:
    if isinstance(closed, RoundClosed):
        uow.emit(AggregationFailed(run_id=closed.run_id, round=closed.round, code=code, reason=reason))


def _nothing_to_say(_over: Message, _uow: UnitOfWork, _code: str, _reason: str) -> None:
    """Files that could not be dropped are dropped when the process starts again."""
