"""Exactly-once effects: one transaction for the records of a batch from one partition.

Inbox rows, handlers' state, outbox rows and the partition's position commit together or not at all; a crash anywhere
means redelivery, which position and inbox swallow.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from aiokafka import TopicPartition

from bus import metrics
from bus.database import Connection
from bus.decode import Decoded, Record, Unreadable, Unseen, is_command, read_envelope, read_message
from bus.errors import Late, Rejection, Transient
from bus.router import Router
from bus.uow import OutboxRow, UnitOfWork, as_text, flush
from schemas.envelope import Envelope, Header
from schemas.message import Accepted, Command, Rejected
from schemas.topics import dead_letter_topic

log = logging.getLogger(__name__)

MOVE = """insert into position values ($1, $2, $3, $4)
on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset"""

PATIENCE = 5
"""Attempts for a command or a broken handler: about a second."""

PATIENCE_FOR_EVENTS = 40
"""Attempts for an event that waits for another topic: minutes, since a backlog may have to be read first."""


async def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Applied:
    """Up to where a partition got; ``stuck`` when a record must be tried again, ``dead`` counts what was put aside."""

    next_offset: int
    stuck: bool = False
    dead: int = 0
    handled: int = 0


@dataclass(slots=True)
class Inbox:
    """Applies records for one consumer, named after its participant."""

    consumer: str
    router: Router
    accepted: type[Accepted] | None = None
    rejected: type[Rejected] | None = None
    attempts: dict[tuple[str, int, int], int] = field(default_factory=dict)
    catching_up: Callable[[], Awaitable[bool]] = _never
    _work: set[str] = field(default_factory=set)

    async def apply(self, pool: Any, records: Sequence[Record]) -> Applied:
        """Apply records of one partition, in order, in one transaction."""
        if all(strange := [self._type_of_no_concern(record) for record in records]):
            return _skipped(strange, records[-1].offset + 1)
        async with pool.acquire() as connection, connection.transaction():
            records = await self._not_yet_applied(connection, records)
            if not records:
                return Applied(next_offset=-1)
            applied = await self._apply_each(connection, records)
            await self._move_position(connection, records[0], applied.next_offset)
            return applied

    async def fail(self, pool: Any, record: Record, error: Exception) -> Applied:
        """A handler broke on this record: try again while there is patience, then put the record aside."""
        async with pool.acquire() as connection, connection.transaction():
            if await self._try_again(connection, record, error):
                return Applied(record.offset, stuck=True)
            await self._move_position(connection, record, record.offset + 1)
            return Applied(record.offset + 1, dead=1)

    async def lose(self, pool: Any, record: Unseen) -> None:
        """Leave a dead letter without bytes for what the Kafka client could not read, and move past it."""
        fault = Unreadable("unreadable_record", "its headers are no UTF-8", parked=False, envelope=None)
        async with pool.acquire() as connection, connection.transaction():
            await self._put_aside(connection, record, fault)
            await self._move_position(connection, record, record.offset + 1)

    async def remember(self, pool: Any, offsets: Mapping[TopicPartition, int]) -> None:
        """Move positions over what concerned nobody here, now and then: no transaction did it."""
        await pool.executemany(
            f"{MOVE} where position.next_offset < excluded.next_offset",
            [(self.consumer, *partition, offset) for partition, offset in offsets.items()],
        )

    def take_work(self) -> frozenset[str]:
        """Who has something to do because of what was applied since the last call."""
        work = frozenset(self._work)
        self._work.clear()
        return work

    async def positions(self, pool: Any) -> dict[tuple[str, int], int]:
        rows = await pool.fetch("select topic, partition, next_offset from position where consumer = $1", self.consumer)
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    def _type_of_no_concern(self, record: Record) -> str:
        """Return the type of a sound message that nobody here has a handler for, or nothing."""
        envelope = read_envelope(record)
        if isinstance(envelope, Unreadable) or self.router.handler(envelope.type):
            return ""
        return envelope.type if isinstance(read_message(record, envelope), Decoded) else ""

    async def _not_yet_applied(self, connection: Connection, records: Sequence[Record]) -> Sequence[Record]:
        first = records[0]
        position = await connection.fetchval(
            "select next_offset from position where consumer = $1 and topic = $2 and partition = $3 for update",
            self.consumer,
            first.topic,
            first.partition,
        )
        return [record for record in records if position is None or record.offset >= position]

    async def _move_position(self, connection: Connection, first: Record, next_offset: int) -> None:
        await connection.execute(MOVE, self.consumer, first.topic, first.partition, next_offset)

    async def _apply_each(self, connection: Connection, records: Sequence[Record]) -> Applied:
        dead = handled = 0
        for record in records:
            try:
                outcome = await self._apply_one(connection, record)
            except Transient as error:
                if await self._try_again(connection, record, error):
                    return Applied(record.offset, stuck=True, dead=dead, handled=handled)
                outcome = "late" if isinstance(error, Late) else "dead"
            dead += outcome == "dead"
            handled += outcome == "applied"
        return Applied(records[-1].offset + 1, dead=dead, handled=handled)

    async def _apply_one(self, connection: Connection, record: Record) -> str:
        envelope = read_envelope(record)
        if isinstance(envelope, Unreadable):
            return await self._put_aside(connection, record, envelope)
        handler = self.router.handler(envelope.type)
        decoded = read_message(record, envelope)
        if isinstance(decoded, Unreadable):
            return await self._put_aside(connection, record, decoded)
        if handler is None:
            return _count(envelope.type, "skipped")
        if not await self._is_new(connection, envelope):
            return _count(envelope.type, "duplicate")
        await self._handle(connection, record, decoded, handler)
        return _count(envelope.type, "applied")

    async def _is_new(self, connection: Connection, envelope: Envelope) -> bool:
        status = await connection.execute(
            "insert into inbox (consumer, event_id) values ($1, $2) on conflict do nothing",
            self.consumer,
            envelope.id,
        )
        return bool(status.endswith(" 1"))

    async def _handle(self, connection: Connection, record: Record, decoded: Decoded, handler: Any) -> None:
        """Run the handler behind a savepoint: a rejection leaves its answer and nothing else."""
        uow = UnitOfWork(connection, f"/{self.consumer}", datetime.now(UTC), decoded.envelope)
        started = perf_counter()
        try:
            async with connection.transaction():
                await handler(decoded.message, uow)
            self._accept(uow, decoded)
        except Rejection as rejection:
            uow.outbox.clear()
            uow.jobs.clear()
            self._reject(uow, decoded.envelope, rejection.code, rejection.reason)
        except Transient:
            await self._forget(connection, decoded.envelope)
            raise
        metrics.HANDLE_SECONDS.labels(decoded.envelope.type).observe(perf_counter() - started)
        metrics.AGE_SECONDS.labels(decoded.envelope.type).observe((uow.now - decoded.envelope.time).total_seconds())
        self.attempts.pop((record.topic, record.partition, record.offset), None)
        await self._flush(uow)

    async def _flush(self, uow: UnitOfWork) -> None:
        await flush(uow)
        self._work |= uow.work

    async def _forget(self, connection: Connection, envelope: Envelope) -> None:
        await connection.execute("delete from inbox where consumer = $1 and event_id = $2", self.consumer, envelope.id)

    async def _try_again(self, connection: Connection, record: Record, error: Exception) -> bool:
        """True while there is patience left; then a late command is rejected and anything else dead-lettered.

        Patience begins when the events from before have been read: what a command builds on may be among them.
        """
        if isinstance(error, Late) and await self.catching_up():
            return True
        place = (record.topic, record.partition, record.offset)
        self.attempts[place] = self.attempts.get(place, 0) + 1
        patience = (
            PATIENCE_FOR_EVENTS if isinstance(error, Transient) and not record.topic.endswith(".commands") else PATIENCE
        )
        if self.attempts[place] < patience:
            metrics.RETRIES.labels(record.topic).inc()
            return True
        attempts = self.attempts.pop(place)
        envelope = read_envelope(record)
        known = envelope if isinstance(envelope, Envelope) else None
        if isinstance(error, Late) and known and is_command(known, record.topic):
            await self._answer_late(connection, known, error)
            return False
        reason = f"it failed {attempts} times: {type(error).__name__}"
        await self._put_aside(connection, record, Unreadable("retries_exhausted", reason, False, known), attempts)
        return False

    async def _answer_late(self, connection: Connection, envelope: Envelope, error: Late) -> None:
        uow = UnitOfWork(connection, f"/{self.consumer}", datetime.now(UTC), envelope)
        self._reject(uow, envelope, error.code, error.reason)
        await self._flush(uow)
        _count(envelope.type, "late")

    async def _put_aside(self, connection: Connection, record: Record, fault: Unreadable, attempts: int = 1) -> str:
        """Dead-letter or park the original bytes; whoever asked by a command is told why."""
        uow = UnitOfWork(connection, f"/{self.consumer}", datetime.now(UTC), fault.envelope)
        uow.outbox.append(self._dead_letter(record, fault, attempts))
        if self.rejected and fault.envelope and is_command(fault.envelope, record.topic):
            self._reject(uow, fault.envelope, fault.code, fault.reason)
        await self._flush(uow)
        metrics.DEAD_LETTERS.labels(fault.code).inc()
        log.warning("put aside %s/%s@%s: %s", record.topic, record.partition, record.offset, fault.code)
        return _count("unreadable", "parked" if fault.parked else "dead")

    def _dead_letter(self, record: Record, fault: Unreadable, attempts: int) -> OutboxRow:
        origin = {
            "tf-outcome": "parked" if fault.parked else "dead",
            "tf-code": fault.code,
            "tf-group": self.consumer,
            "tf-origin": f"{record.topic}/{record.partition}/{record.offset}",
            "tf-origin-time": str(record.timestamp),
            "tf-attempts": str(attempts),
            "tf-failed-at": datetime.now(UTC).isoformat(),
        }
        headers: list[Header] = [*record.headers, *((name, value.encode()) for name, value in origin.items())]
        key = as_text(record.key) if record.key is not None else None
        return OutboxRow(dead_letter_topic(self.consumer), key, record.value or b"", headers)

    def _accept(self, uow: UnitOfWork, decoded: Decoded) -> None:
        if self.accepted and isinstance(decoded.message, Command):
            uow.emit(self.accepted(**_answer_to(decoded.envelope)))

    def _reject(self, uow: UnitOfWork, envelope: Envelope, code: str, reason: str) -> None:
        if self.rejected is None:
            raise TypeError(f"{self.consumer} answers no commands, yet was to reject {envelope.type}")
        uow.emit(self.rejected(**_answer_to(envelope), code=code, reason=reason))


def _skipped(types: Sequence[str], next_offset: int) -> Applied:
    """Without a transaction: what is read again after a restart is skipped again."""
    for type_ in types:
        _count(type_, "skipped")
    return Applied(next_offset)


def _answer_to(envelope: Envelope) -> dict[str, str]:
    return {"command_id": envelope.id, "command_type": envelope.type, "subject": envelope.subject}


def _count(type_: str, outcome: str) -> str:
    metrics.CONSUMED.labels(type_, outcome).inc()
    return outcome
