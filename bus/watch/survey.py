"""What waits, asked at the moment it is scraped: in the participant's database, and before its partitions."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream.asgi import AsgiResponse, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bus.consumer import DATABASE_TROUBLE, Consumer
from bus.leader import Leader
from bus.relay import Relay
from bus.watch import metrics
from bus.watch.behind import Lag

ANSWER_WITHIN_S = 2.0
OUTCOMES = ("done", "retried", "failed")
"""Of a job; shown as 0 before the first of them, so that an alert can see that none has ended."""

WAITING = """select
    (select count(*) from outbox where due_at is null or due_at <= now()) as outbox,
    (select extract(epoch from now() - min(greatest(written_at, due_at))) from outbox
     where due_at is null or due_at <= now())::float as outbox_oldest_s,
    (select count(*) from outbox where due_at > now()) as deadlines,
    (select count(*) from deferred) as deferred_records,
    (select count(distinct (topic, key)) from deferred) as deferred_keys,
    (select extract(epoch from now() - min(first_failed_at)) from deferred)::float as deferred_oldest_s"""
JOBS = """select lane, count(*) filter (where running) as running, count(*) filter (where not running) as waiting,
    extract(epoch from now() - min(run_at) filter (where not running and run_at <= now()))::float as oldest_s
    from job group by lane"""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Of one lane; ``oldest_s`` is the time that the oldest job which could run has waited."""

    lane: str
    running: int = 0
    waiting: int = 0
    oldest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the database holds that is still to be done. A deadline still to come is not late, and counted apart."""

    outbox: int
    outbox_oldest_s: float
    deadlines: int
    deferred_records: int
    deferred_keys: int
    deferred_oldest_s: float
    jobs: tuple[Jobs, ...]


async def waiting(pool: Any) -> Waiting:
    """Raise whatever a database that is away makes the driver raise (``DATABASE_TROUBLE``)."""
    async with asyncio.timeout(ANSWER_WITHIN_S), pool.acquire() as connection:
        row = await connection.fetchrow(WAITING)
        jobs = await connection.fetch(JOBS)
    return Waiting(
        **{name: value or 0 for name, value in row.items()},
        jobs=tuple(Jobs(job["lane"], job["running"], job["waiting"], job["oldest_s"] or 0.0) for job in jobs),
    )


@dataclass(frozen=True, slots=True)
class Survey:
    """Of one process; ``lanes`` are the names of all its lanes, so that idle ones show as 0."""

    consumer: Consumer
    relay: Relay
    leader: Leader
    lanes: tuple[str, ...]

    async def refresh(self) -> None:
        """Set every gauge; what cannot be asked now keeps its last value, and ``trustflow_database_up`` says so."""
        metrics.RELAY_ACTIVE.set(self.leader.elected.is_set())
        metrics.HELD_TOPICS.set(len(self.relay.held))
        await _show_consumer(self.consumer)
        try:
            show_waiting(await waiting(self.consumer.pool), self.lanes)
        except DATABASE_TROUBLE:
            metrics.DATABASE_UP.set(0)
        else:
            metrics.DATABASE_UP.set(1)


def show_waiting(found: Waiting, lanes: Iterable[str]) -> None:
    metrics.OUTBOX_PENDING.set(found.outbox)
    metrics.OUTBOX_OLDEST_SECONDS.set(found.outbox_oldest_s)
    metrics.DEADLINES_AHEAD.set(found.deadlines)
    metrics.DEFERRED_RECORDS.set(found.deferred_records)
    metrics.DEFERRED_KEYS.set(found.deferred_keys)
    metrics.DEFERRED_OLDEST_SECONDS.set(found.deferred_oldest_s)
    by_lane = {lane: Jobs(lane) for lane in lanes} | {jobs.lane: jobs for jobs in found.jobs}
    for jobs in by_lane.values():
        for outcome in OUTCOMES:
            metrics.JOB_SECONDS.labels(jobs.lane, outcome)
        metrics.JOBS.labels(jobs.lane, "running").set(jobs.running)
        metrics.JOBS.labels(jobs.lane, "waiting").set(jobs.waiting)
        metrics.JOB_OLDEST_SECONDS.labels(jobs.lane).set(jobs.oldest_s)


async def _show_consumer(consumer: Consumer) -> None:
    metrics.HALTED.set(consumer.halted is not None)
    lags = await _lags(consumer)
    metrics.PARTITIONS.labels("assigned").set(len(lags))
    metrics.PARTITIONS.labels("paused").set(len(consumer.kafka.paused()) if consumer.kafka else 0)
    metrics.LAG_RECORDS.clear()  # partitions that went to somebody else are no longer ours to report
    metrics.LAG_SECONDS.clear()
    for partition, lag in lags.items():
        metrics.LAG_RECORDS.labels(*partition).set(lag.records)
        metrics.LAG_SECONDS.labels(*partition).set(lag.seconds)


async def _lags(consumer: Consumer) -> dict[TopicPartition, Lag]:
    """Of every partition that is ours for the whole of this question."""
    if consumer.kafka is None:
        return {}
    now, found = time.time(), {}
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(ANSWER_WITHIN_S):
            for partition in consumer.kafka.assignment():
                position = await consumer.kafka.position(partition)
                end = consumer.kafka.highwater(partition)
                found[partition] = consumer.behind.of(partition, position, position if end is None else end, now)
    return found


def metrics_route(survey: Survey) -> Callable[..., Awaitable[Any]]:
    @get
    async def answer(_scope: Any) -> AsgiResponse:
        await survey.refresh()
        return AsgiResponse(generate_latest(), status_code=200, headers={"content-type": CONTENT_TYPE_LATEST})

    return answer
