"""Exactly-once effects: one transaction for the records of a batch from one partition.

Inbox rows, handlers' state, outbox rows and the partition's position commit together or not at all; a crash anywhere
means redelivery, which position and inbox swallow.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from time import perf_counter
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from prometheus_client import Histogram

from bus import deferred
from bus.answers import Answers
from bus.database import Connection
from bus.decode import Record, StoredRecord, Unreadable, is_redriven
from bus.documents import Opened
from bus.errors import Late, Rejection, Transient
from bus.letters import Trial, letter
from bus.proof.signing import Author, Signer, TrustKeys
from bus.router import Router
from bus.taken import Taken, take
from bus.uow import UnitOfWork, flush
from bus.watch import metrics, scope, tracing
from schemas.envelope import Envelope
from schemas.message import Command

log = logging.getLogger(__name__)

MOVE = """insert into position (consumer, topic, partition, next_offset) values ($1, $2, $3, $4)
on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset"""

CLAIM = """insert into inbox (consumer, event_id, asked) select $1, * from unnest($2::text[], $3::text[])
on conflict do nothing returning event_id"""

EXHAUSTED = "retries_exhausted"
PATIENCE = 5
"""Attempts in place, about a second; then the key waits, or the command is rejected, or the record is put aside."""


async def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Applied:
    """Up to where a partition got; ``stuck`` when a record must be tried again.

    ``dead`` counts what was put aside and may be our own fault, ``handled`` what found its handler.
    """

    next_offset: int
    stuck: bool = False
    dead: int = 0
    handled: int = 0


@dataclass(slots=True)
class Inbox:
    """Applies records for one consumer, named after its participant."""

    consumer: str
    router: Router
    answers: Answers
    signer: Signer | None = None
    trust_keys: TrustKeys | None = None
    attempts: dict[tuple[str, int, int], int] = field(default_factory=dict)
    catching_up: Callable[[], Awaitable[bool]] = _never
    _work: set[str] = field(default_factory=set)

    async def apply(self, pool: Any, records: Sequence[Record]) -> Applied:
        """Apply records of one partition, in order, in one transaction."""
        taken = [take(record, self.router, self.trust_keys) for record in records]
        if all(one.concerns_nobody for one in taken):
            return _passed_over(taken)
        async with pool.acquire() as connection, connection.transaction():
            position = await self._lock_position(connection, records[0])
            taken = [one for one in taken if position is None or one.record.offset >= position["next_offset"]]
            if not taken:
                return Applied(next_offset=-1)
            waiting = await self._waiting_keys(connection, records[0], position)
            applied = await self._apply(connection, taken, waiting)
            await self._move_position(connection, records[0], applied.next_offset)
            return applied

    async def apply_all(self, pool: Any, runs: Sequence[Sequence[Record]]) -> list[Applied] | None:
        """Apply records of several partitions in one transaction; nothing of it when something needs patience.

        A fan-in from a thousand trusts has a record or two in each of a thousand partitions.
        """
        taken = [[take(record, self.router, self.trust_keys) for record in run] for run in runs]
        async with pool.acquire() as connection, connection.transaction():
            ahead = [await self._ahead(connection, run) for run in taken]
            if None in ahead:
                return None
            try:
                async with connection.transaction():
                    outcomes = iter(await self._together(connection, [one for run in ahead for one in run or ()]))
            except Exception as error:  # noqa: BLE001  whatever a handler raises shows again, alone
                _raise_if_database_trouble(connection, error)
                return None
            applied = [self._count(run, list(islice(outcomes, len(run)))) if run else Applied(-1) for run in ahead]
            ends = [(self.consumer, run[-1].topic, run[-1].partition, run[-1].offset + 1) for run in runs]
            await connection.executemany(f"{MOVE} where position.next_offset < excluded.next_offset", ends)
            return applied

    async def _ahead(self, connection: Connection, run: Sequence[Taken]) -> Sequence[Taken] | None:
        """What the position has not passed of a partition's records; nothing where keys of it wait."""
        position = await self._lock_position(connection, run[0].record)
        if position is None:
            return run
        if position["deferred"]:
            return None
        return [one for one in run if one.record.offset >= position["next_offset"]]

    async def retry_deferred(self, pool: Any) -> bool:
        """Try the first record of each key that waits and is due; true when some key may go on at once."""
        outcomes = [
            await self._retry(pool, row["topic"], row["partition"], row["key"])
            for row in await deferred.due_keys(pool, self.consumer)
        ]
        return any(outcomes)

    async def lose(self, pool: Any, record: StoredRecord) -> None:
        """Leave a dead letter without bytes for what the Kafka client could not read, and move past it."""
        fault = Unreadable("unreadable_record", "its headers are no UTF-8", parked=False, envelope=None)
        async with pool.acquire() as connection, connection.transaction():
            await self._lock_position(connection, record)
            await self._flush(self._put_aside(connection, Taken(record, fault, None), fault, Trial()))
            await self._move_position(connection, record, record.offset + 1)

    async def remember(self, pool: Any, offsets: Mapping[TopicPartition, int]) -> None:
        """Move positions over what concerned nobody here, now and then: no transaction did it."""
        await pool.executemany(
            f"{MOVE} where position.next_offset < excluded.next_offset",
            # in the order in which `apply_all` locks them
            [(self.consumer, *partition, offset) for partition, offset in sorted(offsets.items())],
        )

    def take_work(self) -> frozenset[str]:
        """Who has something to do because of what was applied since the last call."""
        work = frozenset(self._work)
        self._work.clear()
        return work

    async def positions(self, pool: Any) -> dict[tuple[str, int], int]:
        rows = await pool.fetch("select topic, partition, next_offset from position where consumer = $1", self.consumer)
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def _lock_position(self, connection: Connection, record: Record) -> Any:
        """Whoever applies records of this partition does so alone, even while it changes hands."""
        return await connection.fetchrow(
            """select next_offset, deferred from position
               where consumer = $1 and topic = $2 and partition = $3 for update""",
            self.consumer,
            record.topic,
            record.partition,
        )

    async def _waiting_keys(self, connection: Connection, record: Record, position: Any) -> frozenset[str]:
        if position is None or not position["deferred"]:
            return frozenset()
        return await deferred.waiting_keys(connection, self.consumer, record.topic, record.partition)

    async def _move_position(self, connection: Connection, first: Record, next_offset: int) -> None:
        await connection.execute(MOVE, self.consumer, first.topic, first.partition, next_offset)

    async def _apply(self, connection: Connection, taken: Sequence[Taken], waiting: frozenset[str]) -> Applied:
        """Together as long as nothing goes wrong: a savepoint for each record costs as much as all the rest."""
        if len(taken) > 1 and not waiting:
            try:
                async with connection.transaction():
                    outcomes = await self._together(connection, taken)
                return self._count(taken, outcomes)
            except Exception as error:  # noqa: BLE001  whatever a handler raises shows again, alone
                _raise_if_database_trouble(connection, error)
        return await self._one_by_one(connection, taken, set(waiting))

    async def _together(self, connection: Connection, taken: Sequence[Taken]) -> list[str]:
        fresh = await self._claim(connection, taken)
        opened = Opened(frozenset(deferred.key_of(one.record) for one in taken if one.id))
        results = [await self._handle(connection, one, fresh, opened) for one in taken]
        await self._flush(*(uow for uow, _ in results))
        return [outcome for _, outcome in results]

    async def _one_by_one(self, connection: Connection, taken: Sequence[Taken], waiting: set[str]) -> Applied:
        outcomes: list[str] = []
        for one in taken:
            outcome = await self._in_turn(connection, one, waiting)
            if outcome is None:
                return self._count(taken[: len(outcomes)], outcomes, stuck_at=one.record.offset)
            outcomes.append(outcome)
        return self._count(taken, outcomes)

    async def _in_turn(self, connection: Connection, one: Taken, waiting: set[str]) -> str | None:
        """Return what became of a record, or nothing when it must be tried again."""
        if one.id and deferred.key_of(one.record) in waiting:
            await deferred.defer(connection, self.consumer, one.record)
            return "deferred"
        result = await self._alone(connection, one)
        if not isinstance(result, Exception):
            return result
        outcome = await self._stumble(connection, one, result)
        if outcome == "deferred":
            waiting.add(deferred.key_of(one.record))
        return outcome

    async def _alone(self, connection: Connection, one: Taken) -> str | Exception:
        """Behind a savepoint: a rejection leaves its answer and nothing else, a failure leaves nothing."""
        try:
            async with connection.transaction():
                fresh = await self._claim(connection, [one])
                uow, outcome = await self._handle(connection, one, fresh, Opened())
                await self._flush(uow)
        except Rejection as rejection:
            await self._refuse(connection, one, rejection)
            outcome = "applied"
        except Exception as error:  # noqa: BLE001  whatever a handler raises: counted, retried, put aside
            _raise_if_database_trouble(connection, error)
            return Transient(type(error).__name__) if isinstance(error, OSError | TimeoutError) else error
        self.attempts.pop(one.place, None)
        return outcome

    async def _handle(
        self, connection: Connection, one: Taken, fresh: set[str], opened: Opened
    ) -> tuple[UnitOfWork, str]:
        if isinstance(one.read, Unreadable):
            return self._put_aside(connection, one, one.read, Trial()), "parked" if one.read.parked else "dead"
        uow = self._uow(connection, one.read.envelope, opened)
        if one.handler is None:
            return uow, "skipped"
        if one.read.envelope.id not in fresh:
            if isinstance(one.read.message, Command):
                await self.answers.again(uow, one.read.envelope, one.asked)
            return uow, "duplicate"
        fresh.remove(one.read.envelope.id)
        uow.tell(one.entry("accepted" if isinstance(one.read.message, Command) else "taken", uow.now))
        started = perf_counter()
        with tracing.handling(one.read.envelope, one.record.topic, self.consumer):
            await one.handler(one.read.message, uow)
            if isinstance(one.read.message, Command):
                self.answers.accept(uow, one.read.envelope)
        took, age = _clocks(one.type)
        took.observe(perf_counter() - started)
        age.observe((uow.now - one.read.envelope.time).total_seconds())
        return uow, "applied"

    async def _claim(self, connection: Connection, taken: Iterable[Taken]) -> set[str]:
        """Return the ids of those that were not applied before."""
        wanted = [(one.id, one.asked) for one in taken if one.id]
        if not wanted:
            return set()
        rows = await connection.fetch(CLAIM, self.consumer, *map(list, zip(*wanted, strict=True)))
        return {row["event_id"] for row in rows}

    async def _refuse(self, connection: Connection, one: Taken, refusal: Rejection | Late) -> None:
        await self.answers.remember(connection, one.envelope, one.asked, refusal)
        uow = self._uow(connection, one.envelope)
        uow.tell(one.entry(f"rejected:{refusal.code}", uow.now))
        self.answers.reject(uow, one.envelope, refusal.code, refusal.reason)
        await self._flush(uow)

    async def _stumble(self, connection: Connection, one: Taken, error: Exception) -> str | None:
        """Try again while there is patience, then defer, reject or put aside.

        Patience with a command that comes early begins when the events from before have been read: what it builds on
        may be among them.
        """
        early = isinstance(error, Late) and one.is_command
        if early and await self.catching_up():
            return None
        attempts = self.attempts[one.place] = self.attempts.get(one.place, 0) + 1
        with scope.within(one.envelope):
            log.warning("attempt %s of %s/%s@%s failed", attempts, *one.place, exc_info=error)
        if attempts < PATIENCE:
            metrics.RETRIES.labels(one.record.topic).inc()
            return None
        del self.attempts[one.place]
        if isinstance(error, Transient) and not early and not is_redriven(one.record):
            await deferred.defer(connection, self.consumer, one.record, _name(error))
            return "deferred"
        return await self._give_up(connection, one, error, Trial(attempts, error=_name(error)))

    async def _give_up(self, connection: Connection, one: Taken, error: Exception, trial: Trial) -> str:
        if isinstance(error, Late) and one.is_command:
            await self._refuse(connection, one, error)
            return "late"
        reason = f"it failed {trial.attempts} times: {trial.error}"
        fault = Unreadable(EXHAUSTED, reason, parked=False, envelope=one.read.envelope)
        await self._flush(self._put_aside(connection, one, fault, trial))
        return "dead"

    async def _retry(self, pool: Any, topic: str, partition: int, key: str) -> bool:
        """Try the first record of a key that waits; true when the key may go on at once."""
        async with pool.acquire() as connection, connection.transaction():
            await self._lock_position(connection, StoredRecord(topic, partition, 0))
            row = await deferred.first_of(connection, self.consumer, topic, key)
            if row is None:
                return False
            one = take(deferred.stored(row), self.router, self.trust_keys)
            result = await self._alone(connection, one)
            if isinstance(result, Exception):
                attempts = row["attempts"] + 1
                if isinstance(result, Transient) and attempts < deferred.MOST_ATTEMPTS:
                    await deferred.postpone(connection, row, _name(result))
                    return False
                trial = Trial(attempts + PATIENCE, row["first_failed_at"], _name(result))
                result = await self._give_up(connection, one, result, trial)
            await deferred.release(connection, row)
            self._count([one], [result])
            return True

    def _put_aside(self, connection: Connection, one: Taken, fault: Unreadable, trial: Trial) -> UnitOfWork:
        """Dead-letter or park the original bytes; whoever asked by a command is told why."""
        uow = self._uow(connection, fault.envelope)
        uow.tell(one.entry(f"put_aside:{fault.code}", uow.now))
        uow.outbox.append(letter(one.record, fault, self.consumer, trial))
        if self.answers.rejected and fault.envelope and one.is_command:
            self.answers.reject(uow, fault.envelope, fault.code, fault.reason)
        return uow

    def _uow(self, connection: Connection, cause: Envelope | None, opened: Opened | None = None) -> UnitOfWork:
        author = Author(self.consumer, self.signer)
        return UnitOfWork(connection, author, datetime.now(UTC), cause, opened=opened or Opened())

    async def _flush(self, *uows: UnitOfWork) -> None:
        await flush(*uows)
        self._work.update(*(uow.work for uow in uows))

    def _count(self, taken: Sequence[Taken], outcomes: Sequence[str], stuck_at: int | None = None) -> Applied:
        for (type_, outcome), times in Counter(zip((one.type for one in taken), outcomes, strict=True)).items():
            metrics.CONSUMED.labels(type_, outcome).inc(times)
        for one, outcome in zip(taken, outcomes, strict=True):
            if outcome in {"dead", "parked"}:
                code = one.read.code if isinstance(one.read, Unreadable) else EXHAUSTED
                metrics.DEAD_LETTERS.labels(code).inc()
                with scope.within(one.read.envelope):
                    log.warning("put aside %s/%s@%s: %s", *one.place, code)
        dead = sum(
            outcome == "dead" and not one.is_an_outsiders_fault for one, outcome in zip(taken, outcomes, strict=True)
        )
        next_offset = taken[-1].record.offset + 1 if stuck_at is None else stuck_at
        return Applied(next_offset, stuck_at is not None, dead, outcomes.count("applied"))


def _passed_over(taken: Sequence[Taken]) -> Applied:
    """Without a transaction: what is read again after a restart is skipped again."""
    for one in taken:
        metrics.CONSUMED.labels(one.type, "skipped").inc()
    return Applied(taken[-1].record.offset + 1)


def _name(error: Exception) -> str:
    return error.code if isinstance(error, Late) else type(error).__name__


@cache
def _clocks(type_: str) -> tuple[Histogram, Histogram]:
    """Looked up once for each type that is handled here: finding them costs as much as using them."""
    return metrics.HANDLE_SECONDS.labels(type_), metrics.AGE_SECONDS.labels(type_)


def _raise_if_database_trouble(connection: Connection, error: Exception) -> None:
    """The database's own trouble is nobody's fault: the whole batch is tried again."""
    if connection.is_closed() or isinstance(error, asyncpg.TransactionRollbackError):
        raise error
