"""The counter as a process of its own, as every service is one."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

from bus.errors import Late, Rejection, Transient
from bus.lanes import Job, Lanes
from bus.participant import Participant
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from tests.integration.counter.messages import (
    NAME,
    SUBSCRIPTION,
    Add,
    Added,
    CounterAccepted,
    CounterRejected,
    Lost,
    NotDone,
    Reminded,
)

REMIND_AFTER = timedelta(seconds=2)
FAILURES = 3
GATE_IS_OPEN = "select exists (select 1 from gate where number = $1)"

router = Router()
lanes = Lanes()
tried: Counter[tuple[str, int]] = Counter()


@router.on(Add)
async def on_add(command: Add, uow: UnitOfWork) -> None:
    await _count(command, uow)
    await _misbehave(command, uow)
    match command.manner:
        case "remind":
            uow.emit_at(uow.now + REMIND_AFTER, Reminded(counter_id=command.counter_id))
        case "lost":
            uow.emit(Lost(counter_id=command.counter_id))
        case "job" | "job_rejected" | "job_transient":
            uow.enqueue("slow", command)
        case _:
            pass


async def _misbehave(command: Add, uow: UnitOfWork) -> None:
    place = (command.counter_id, command.number)
    tried[place] += 1
    match command.manner:
        case "transient" if tried[place] <= FAILURES:
            raise Transient("not yet")
        case "waits" if not await _is_open(command, uow):
            raise Transient("the gate is shut")
        case "bug":
            raise ZeroDivisionError(f"a bug with {command.actor}")
        case "bad_sql":
            await uow.connection.execute("select ($1::text)::int", command.actor)
        case "bug_for_now" if not await _is_open(command, uow):
            raise ZeroDivisionError("fixed by the next release")
        case "reject":
            raise Rejection("not_now", "The counter counts no more today.")
        case "late":
            raise Late("unknown_counter", "No such counter is known here.")
        case _:
            pass


@lanes.lane("slow", on_failure=lambda message, uow, code, _reason: _not_done(message, uow, code), workers=3)
async def count_slowly(command: Add, job: Job) -> None:
    await _note(command, job, "begun")
    if command.manner == "job_rejected":
        raise Rejection("too_slow", "It would take for ever.")
    if command.manner == "job_transient" and job.attempts < 2:
        raise Transient("not yet")
    await _gate(command, job)
    async with job.done() as uow:
        await uow.connection.execute(
            "insert into job_log (counter_id, number, what) values ($1, $2, 'ended')",
            command.counter_id,
            command.number,
        )
        uow.emit(Added(counter_id=command.counter_id, number=command.number))


async def _count(command: Add, uow: UnitOfWork) -> None:
    await uow.connection.execute(
        "insert into effect (counter_id, number) values ($1, $2)", command.counter_id, command.number
    )
    uow.emit(Added(counter_id=command.counter_id, number=command.number))


async def _note(command: Add, job: Job, what: str) -> None:
    async with job.transaction() as uow:
        await uow.connection.execute(
            "insert into job_log (counter_id, number, what) values ($1, $2, $3)",
            command.counter_id,
            command.number,
            what,
        )


async def _is_open(command: Add, uow: UnitOfWork) -> bool:
    return bool(await uow.connection.fetchval(GATE_IS_OPEN, command.number))


async def _gate(command: Add, job: Job) -> None:
    while not await job.pool.fetchval(GATE_IS_OPEN, command.number):  # noqa: ASYNC110  the gate is another process's
        await asyncio.sleep(0.02)


def _not_done(command: Add, uow: UnitOfWork, code: str) -> None:
    uow.emit(NotDone(counter_id=command.counter_id, code=code))


if __name__ == "__main__":
    Participant(
        name=NAME,
        settings=BusSettings.from_environment(),
        router=router,
        subscription=SUBSCRIPTION,
        migrations=Path(__file__).parent / "migrations",
        lanes=lanes,
        accepted=CounterAccepted,
        rejected=CounterRejected,
    ).run()
