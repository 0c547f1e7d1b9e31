"""Long work: handlers queue jobs, lanes of workers take them; a job that dies with its process is taken again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from bus.backoff import pause_s
from bus.consumer import DATABASE_TROUBLE
from bus.errors import Rejection, Transient
from bus.leader import Leader
from bus.proof.signing import Author
from bus.turns import Turns
from bus.uow import UnitOfWork, flush, headers_from_json
from bus.wake import Wake, wait
from bus.watch import metrics, scope, tracing
from schemas.envelope import Envelope, from_headers
from schemas.message import Message
from schemas.registry import message_class
from schemas.upcast import upcast

log = logging.getLogger(__name__)

SAFETY_NET_S = 1.0
DATABASE_PAUSE_S = 0.5
CLAIM = """
update job set running = true, attempts = attempts + 1 where job_id = (
    select job_id from job as mine where lane = $1 and not running and run_at <= now() and not exists (
        select 1 from job as earlier
        where earlier.lane = mine.lane and earlier.key = mine.key and earlier.job_id < mine.job_id)
    order by job_id limit 1 for update skip locked)
returning *"""

HAND_BACK = "update job set running = false, run_at = $3 where job_id = $1 and attempts = $2"
STILL_MINE = "select true from job where job_id = $1 and attempts = $2 and running for update"

Worker = Callable[[Any, "Job"], Awaitable[None]]
OnFailure = Callable[[Any, UnitOfWork, str, str], Awaitable[None] | None]


class LostLead(Exception):
    """This process leads no more: the job is another's."""


@dataclass(slots=True)
class Job:
    """A claimed job. What it says leaves by a unit of work; ``done`` ends the job in the same transaction."""

    job_id: int
    attempts: int
    cause: Envelope | None
    author: Author
    pool: Any
    wake: Wake
    finished: bool = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        """Raise LostLead, with nothing done, where another process has taken this job over."""
        async with self.pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(STILL_MINE, self.job_id, self.attempts):
                raise LostLead
            uow = UnitOfWork(connection, self.author, datetime.now(UTC), self.cause)
            yield uow
            await flush(uow)
        self.wake.up(uow.work)

    @asynccontextmanager
    async def done(self) -> AsyncIterator[UnitOfWork]:
        async with self.transaction() as uow:
            yield uow
            await uow.connection.execute("delete from job where job_id = $1", self.job_id)
        self.finished = True


@dataclass(frozen=True, slots=True)
class Lane:
    """``on_failure(message, uow, code, reason)`` says what is said when a job has failed for good.

    ``turns``: the lane is shared out among those whose turn its jobs take; without, the oldest job is next.
    """

    name: str
    worker: Worker
    on_failure: OnFailure
    workers: int
    attempts: int
    turns: Turns | None = None


class Lanes:
    """The lanes of one participant. One process per database runs them."""

    def __init__(self) -> None:
        self._lanes: list[Lane] = []

    def lane(
        self, name: str, *, on_failure: OnFailure, workers: int = 1, attempts: int = 5, each: int | None = None
    ) -> Callable[[Worker], Worker]:
        """``each``: most workers that those of one ``turn_of`` may have at a time; they take turns."""

        def register(worker: Worker) -> Worker:
            turns = None if each is None else Turns(each)
            self._lanes.append(Lane(name, worker, on_failure, workers, attempts, turns))
            return worker

        return register

    def __iter__(self) -> Any:
        return iter(self._lanes)


async def requeue_orphans(pool: Any) -> None:
    """Jobs that were running when the process died."""
    await pool.execute("update job set running = false, run_at = now() where running")


async def work(lane: Lane, pool: Any, author: Author, wake: Wake, leader: Leader) -> None:
    """One worker of a lane, for ever; it rests while another process leads."""
    woken = wake.listener(lane.name)
    while True:
        await leader.elected.wait()
        try:
            row = await _claim(lane, pool)
            if row is None:
                await wait(woken, SAFETY_NET_S)
            else:
                await _run(lane, row, pool, author, wake)
        except Exception as error:
            known = isinstance(error, DATABASE_TROUBLE)
            log.warning("lane %s waits: %s", lane.name, type(error).__name__, exc_info=not known)
            await asyncio.sleep(DATABASE_PAUSE_S)


async def _claim(lane: Lane, pool: Any) -> Any:
    if lane.turns is not None:
        return await lane.turns.claim(pool, lane.name)
    return await pool.fetchrow(CLAIM, lane.name)


async def _run(lane: Lane, row: Any, pool: Any, author: Author, wake: Wake) -> None:
    job = Job(row["job_id"], row["attempts"], _cause(row["cause"]), author, pool, wake)
    started = perf_counter()
    try:
        with scope.within(job.cause):
            outcome = await _attempt(lane, _message(row), job)
    except DATABASE_TROUBLE:
        await _again(job, pause_s(job.attempts))
        outcome = "retried"
    metrics.JOB_SECONDS.labels(lane.name, outcome).observe(perf_counter() - started)


async def _attempt(lane: Lane, message: Message, job: Job) -> str:
    try:
        with tracing.job(job.cause, lane.name, job.attempts):
            await lane.worker(message, job)
            if not job.finished:
                async with job.done():
                    pass
    except DATABASE_TROUBLE:
        raise
    except LostLead:
        log.warning("lane %s: another process has taken a job over", lane.name)
        return "lost"
    except Exception as error:  # noqa: BLE001  whatever long work raises is counted, retried or reported
        return await _failed(lane, message, job, error)
    return "done"


async def _failed(lane: Lane, message: Message, job: Job, error: Exception) -> str:
    final = isinstance(error, Rejection)
    if not final and job.attempts < lane.attempts:
        log.warning(
            "lane %s, attempt %s: %s",
            lane.name,
            job.attempts,
            type(error).__name__,
            exc_info=not isinstance(error, Transient),
        )
        await _again(job, pause_s(job.attempts + 3))
        return "retried"
    code = error.code if isinstance(error, Rejection) else "internal_error"
    reason = error.reason if isinstance(error, Rejection) else f"failed {job.attempts} times: {type(error).__name__}"
    log.error("lane %s gave up after %s attempts: %s", lane.name, job.attempts, code, exc_info=not final)
    async with job.done() as uow:
        told = lane.on_failure(message, uow, code, reason)
        if told is not None:
            await told
    return "failed"


async def _again(job: Job, after_s: float) -> None:
    """Hand the job back, however long the database is away: nobody else would before this process ends."""
    while True:
        run_at = datetime.now(UTC) + timedelta(seconds=after_s)
        try:
            await job.pool.execute(HAND_BACK, job.job_id, job.attempts, run_at)
        except DATABASE_TROUBLE as error:
            log.warning("a job waits for the database: %s", type(error).__name__)
            await asyncio.sleep(DATABASE_PAUSE_S)
        else:
            return


def _message(row: Any) -> Message:
    message_type = message_class(row["type"])
    if message_type is None:
        raise TypeError(f"job {row['job_id']} holds a message of unknown type {row['type']}")
    return message_type.parse(upcast(row["type"], row["payload"]))


def _cause(headers: list[tuple[str, str | None]]) -> Envelope | None:
    return from_headers(headers_from_json(headers)) if headers else None
