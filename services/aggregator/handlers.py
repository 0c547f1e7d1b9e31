"""Handlers only queue: whatever touches tensors is long work, done by lanes."""

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.training import RoundClosed, RunFailed, RunFinished, RunStopped
from schemas.trust import UpdateSubmitted
from services.aggregator import store

VERIFY, FOLD, SWEEP = "verify", "fold", "sweep"

router = Router()


@router.on(UpdateSubmitted)
async def on_update(update: UpdateSubmitted, uow: UnitOfWork) -> None:
    uow.enqueue(VERIFY, update, key=f"{update.run_id}/{update.round}/{update.trust_id}")


@router.on(RoundClosed)
async def on_round_closed(closed: RoundClosed, uow: UnitOfWork) -> None:
    uow.enqueue(FOLD, closed)


@router.on(RunFinished, RunFailed, RunStopped)
async def on_run_over(over: RunFinished | RunFailed | RunStopped, uow: UnitOfWork) -> None:
    await store.save_finished(uow.connection, over.run_id)
    uow.enqueue(SWEEP, over)
