"""A participant's account of what it decided, took and said: entries chained by hash, so that no change stays hidden.

An entry is written in the transaction of what it tells. Its hash covers the entry and the hash before it, so the last
one, the head, stands for all. Heads are said to others (`sealing.py`), who keep them: whoever rewrites an account must
rewrite theirs too.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter

import asyncpg

from bus.database import Connection
from schemas.message import Message

BEFORE_THE_FIRST = "0" * 64
SEAL_LANE = "audit"
SEAL_AFTER_S = 60.0
"""A head is said at most so often; entries wait for theirs no longer than this."""

LOCK_HEAD = "select seq, hash from audit_head for update"
APPEND = f"""with
    entry as (insert into audit (seq, at, actor, action, subject, outcome, message_id, digest, previous, hash)
              select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
                                   $7::text[], $8::text[], $9::text[], $10::text[])),
    seal as (insert into job (lane, key, type, payload, cause, run_at)
             select '{SEAL_LANE}', '{SEAL_LANE}', $11, $12, '[]', now() + make_interval(secs => $13)
             where not exists (select from job where lane = '{SEAL_LANE}'))
    update audit_head set participant = $14, seq = $15, hash = $16"""  # noqa: S608  a constant of ours


class UnreadableAccount(Exception):
    """There is no account to be read; the text says why."""


class SealChain(Message, type="trustflow.bus.seal_chain.v1", key="lane"):
    """A job for oneself, which never leaves the database: say where the account ends."""

    lane: str = SEAL_LANE


@dataclass(frozen=True, slots=True)
class Entry:
    """``actor`` is a person, or the source of who is none; ``action`` the type of the message, ``digest`` its SHA-256.

    ``outcome`` is ``accepted``, ``rejected:<code>`` or ``put_aside:<code>`` of what was asked, ``taken`` of an order of
    the hub, ``said`` of what left.
    """

    at: datetime
    actor: str
    action: str
    subject: str
    outcome: str
    message_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry at its place in the chain, as it was stored."""

    seq: int
    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of somebody's account, and where: a topic and offset, or whose database."""

    participant: str
    seq: int
    hash: str
    heard_at: str
    is_witness: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """One participant's chain, as its database holds it, and what it has heard of others."""

    participant: str
    entries: Sequence[Linked]
    seq: int
    hash: str
    witnesses: Sequence[Head]


_fields = attrgetter(*(field.name for field in fields(Entry)))
_canonical = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def entry_hash(seq: int, entry: Entry, previous: str) -> str:
    """SHA-256 of a JSON array without spaces: place, the entry's fields in their order, the hash before it."""
    at, *told = _fields(entry)
    return digest(_canonical([seq, at.astimezone(UTC).isoformat(), *told, previous]).encode())


def linked(entries: Iterable[Entry], seq: int, previous: str) -> Iterator[Linked]:
    """Chain entries to the one at ``seq``, whose hash is ``previous``."""
    for number, entry in enumerate(entries, seq + 1):
        hash_ = entry_hash(number, entry, previous)
        yield Linked(number, entry, previous, hash_)
        previous = hash_


async def append(connection: Connection, participant: str, entries: Sequence[Entry]) -> None:
    """Write entries to the end of the participant's chain, and have its new head said by and by.

    The last thing in a transaction: from here to its end, others who write wait.
    """
    head = await connection.fetchrow(LOCK_HEAD)
    chain = list(linked(entries, head["seq"], head["hash"]))
    rows = [(link.seq, *_fields(link.entry), link.previous, link.hash) for link in chain]
    await connection.execute(
        APPEND,
        *map(list, zip(*rows, strict=True)),
        SealChain.type,
        SealChain().to_bytes(),
        SEAL_AFTER_S,
        participant,
        chain[-1].seq,
        chain[-1].hash,
    )


async def read_account(database_url: str) -> Account:
    """Read a participant's account and what it has heard, as of one moment.

    Raises
    ------
    UnreadableAccount
    """
    try:
        return await _read(database_url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnreadableAccount(f"its account can't be read ({type(error).__name__})") from error


async def _read(database_url: str) -> Account:
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            head = await connection.fetchrow(
                "select coalesce(participant, current_database()) as participant, seq, hash from audit_head"
            )
            rows = await connection.fetch("select * from audit order by seq")
            heard = await connection.fetch("select participant, seq, hash from audit_witness")
    finally:
        await connection.close()
    name = head["participant"]
    witnesses = [Head(**row, heard_at=f"audit_witness of {name}", is_witness=True) for row in heard]
    return Account(name, [_stored(row) for row in rows], head["seq"], head["hash"], witnesses)


def _stored(row: Mapping[str, object]) -> Linked:
    seq, *told, previous, hash_ = tuple(row.values())
    return Linked(seq, Entry(*told), previous, hash_)  # type: ignore[arg-type]  # asyncpg is untyped
