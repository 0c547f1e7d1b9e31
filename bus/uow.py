"""The unit of work: one transaction's changes, and the messages that leave if and only if it commits."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import uuid_utils
from pydantic_core import to_json

from bus.database import Connection
from bus.documents import Opened
from bus.proof.audit import Entry, append, digest
from bus.proof.signing import Author
from bus.watch import tracing
from schemas.audit import TrustHeadSealed
from schemas.envelope import Envelope, Header, envelope_for, to_headers
from schemas.message import MAX_PAYLOAD_BYTES, Message

BEYOND_LATIN_1 = "\u0100"
HEADER_NAMES = 256
"""Remembered: ours are a dozen, those of others must not fill the memory."""

OUTBOX = "outbox"


def new_id() -> str:
    """A UUID version 7 (RFC 9562): unique, and sorted by time."""
    return str(uuid_utils.uuid7())


def traceparent(cause: Envelope | None) -> str:
    """A new span in the trace of the cause, or a new trace (W3C Trace Context, section 3.2)."""
    trace = cause.traceparent[3:35] if cause else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    topic: str
    key: str | None
    value: bytes
    headers: list[Header]
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    lane: str
    key: str
    message: Message
    run_at: datetime
    turn_of: str | None = None


@dataclass(slots=True)
class UnitOfWork:
    """What a handler is given: a connection inside a transaction, the time, and a voice."""

    connection: Connection
    author: Author
    now: datetime
    cause: Envelope | None = None
    outbox: list[OutboxRow] = field(default_factory=list)
    jobs: list[JobRow] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    opened: Opened = field(default_factory=Opened)

    def emit(self, *messages: Message) -> None:
        self.outbox.extend(self._row(message) for message in messages)

    def emit_at(self, due_at: datetime, message: Message) -> None:
        """A deadline: the message leaves when it is due, whatever dies in between."""
        self.outbox.append(self._row(message, due_at))

    def enqueue(
        self,
        lane: str,
        message: Message,
        *,
        key: str | None = None,
        run_at: datetime | None = None,
        turn_of: str | None = None,
    ) -> None:
        """``turn_of``: whose turn the job takes, in a lane that is shared out in turns."""
        self.jobs.append(JobRow(lane, key or message.key, message, run_at or self.now, turn_of))

    def tell(self, entry: Entry | None) -> None:
        """Enter into the participant's account what has become of a message, if that is told there."""
        if entry:
            self.entries.append(entry)

    @property
    def work(self) -> frozenset[str]:
        """Who has something to do once this has committed: lanes by name, and the outbox's relay."""
        return frozenset({*(job.lane for job in self.jobs), *([OUTBOX] if self.outbox else ())})

    def _row(self, message: Message, due_at: datetime | None = None) -> OutboxRow:
        envelope = envelope_for(
            message,
            id=new_id(),
            source=self.author.source,
            time=due_at or datetime.now(UTC),
            traceparent=traceparent(self.cause),
            cause=self.cause,
        )
        tracing.created(envelope, message.topic)
        payload = _payload(message)
        headers = self.author.signed(to_headers(envelope), payload)
        if self.author.signer and not isinstance(message, TrustHeadSealed):
            self.entries.append(_said(envelope, payload, self.now))
        return OutboxRow(message.topic, message.key, payload, headers, due_at)


def _payload(message: Message) -> bytes:
    """Refused here, where only its own transaction fails: in the relay it would hold up everything behind it."""
    payload = message.to_bytes()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"{message.type} has {len(payload)} bytes of {MAX_PAYLOAD_BYTES}: use the object lane")
    return payload


def _said(envelope: Envelope, payload: bytes, at: datetime) -> Entry:
    """What a trust signs it also enters into its account; but for the account's own heads, which would never end."""
    return Entry(at, envelope.source, envelope.type, envelope.subject, "said", envelope.id, digest(payload))


async def write_outbox(connection: Connection, rows: Sequence[OutboxRow]) -> None:
    """In their order, by one statement: the relay says them by their ids."""
    columns = [(row.topic, row.key, row.value, headers_as_text(row.headers), row.due_at) for row in rows]
    await connection.execute(
        """insert into outbox (topic, key, value, headers, due_at)
           select topic, key, value, headers, due_at from unnest
               ($1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])
               with ordinality as said (topic, key, value, headers, due_at, number) order by number""",
        *map(list, zip(*columns, strict=True)),
    )


async def write_jobs(connection: Connection, rows: Iterable[JobRow], cause: Envelope | None) -> None:
    await connection.executemany(
        "insert into job (lane, key, type, payload, cause, run_at, turn_of) values ($1, $2, $3, $4, $5, $6, $7)",
        [
            (row.lane, row.key, row.message.type, row.message.to_bytes(), _cause(cause), row.run_at, row.turn_of)
            for row in rows
        ],
    )


async def flush(*uows: UnitOfWork) -> None:
    """Write what these have changed, said and asked for, in their order; all are of one transaction."""
    for opened in {id(uow.opened): uow.opened for uow in uows}.values():
        await opened.settle(uows[0].connection)
    said = [row for uow in uows for row in uow.outbox]
    if said:
        await write_outbox(uows[0].connection, said)
    for uow in uows:
        if uow.jobs:
            await write_jobs(uow.connection, uow.jobs, uow.cause)
    if entries := [entry for uow in uows for entry in uow.entries]:
        await append(uows[0].connection, uows[0].author.participant, entries)


def as_text(raw: bytes) -> str:
    """Any bytes as text that PostgreSQL can hold: latin-1, but for NUL, which becomes a character latin-1 lacks."""
    return raw.decode("latin-1").replace("\0", BEYOND_LATIN_1)


def as_bytes(text: str) -> bytes:
    return text.replace(BEYOND_LATIN_1, "\0").encode("latin-1")


def headers_as_text(headers: Iterable[Header]) -> str:
    return to_json(_as_json(headers)).decode()


def _as_json(headers: Iterable[Header]) -> list[tuple[str, str | None]]:
    return [(_name_as_text(name), None if value is None else as_text(value)) for name, value in headers]


def headers_from_json(headers: Iterable[tuple[str, str | None]]) -> list[Header]:
    return [(_name_of(name), None if value is None else as_bytes(value)) for name, value in headers]


@lru_cache(HEADER_NAMES)
def _name_as_text(name: str) -> str:
    return as_text(name.encode())


@lru_cache(HEADER_NAMES)
def _name_of(text: str) -> str:
    return as_bytes(text).decode()


def _cause(envelope: Envelope | None) -> Any:
    return _as_json(to_headers(envelope)) if envelope else []
