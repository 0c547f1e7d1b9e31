"""Private copies of what was said, for looking at: a part of a topic, on a topic of its own that is kept for a week.

Nobody but the operator reads such a topic. Nothing is ever replayed to a live consumer.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from bus.admin.topic_admin import TopicAdmin
from bus.decode import ORIGIN, REPLAYED, Record
from bus.speaker import Outgoing, Speaker
from client.hearing import NotFound
from client.ops.account import Act, Refused, Warrant, accounted
from schemas.topics import LARGEST_DEAD_LETTER, OPERATOR, PROJECTORS, REPLAY_PREFIX, Topic

WEEK_MS = 7 * 24 * 3600 * 1000
AT_ONCE = 500
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
RANGE = re.compile(r"(\d+):(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of one partition, both ends included."""

    partition: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Which records of a topic are meant: what is empty or None matches all; ``until`` is not included."""

    topic: str
    since: datetime | None = None
    until: datetime | None = None
    spans: tuple[Span, ...] = ()
    key: str = ""
    type_: str = ""

    def has(self, record: Record) -> bool:
        return (
            (self.until is None or record.timestamp < self.until.timestamp() * 1000)
            and (not self.spans or any(_within(span, record) for span in self.spans))
            and (not self.key or (record.key or b"") == self.key.encode())
            and (not self.type_ or self.type_ == _type(record))
        )


def span(given: str) -> Span:
    """Read ``PARTITION:FIRST-LAST``.

    Raises
    ------
    ValueError
    """
    found = RANGE.fullmatch(given)
    if not found or int(found[2]) > int(found[3]):
        raise ValueError(f"{given} is no range: write PARTITION:FIRST-LAST, such as 0:120-180")
    return Span(*map(int, found.groups()))


def refuse_consumer(consumer: str) -> None:
    """Nothing may be replayed to a consumer.

    Raises
    ------
    Refused
    """
    if consumer in PROJECTORS:
        raise Refused(
            f"{consumer} keeps views: `trustflow ops rebuild` folds one anew beside the old and compares them"
        )
    raise Refused(
        f"{consumer} acts on what it reads: a second time, its effects would be real ones. To try again what it put "
        "aside, use `trustflow ops dlq redrive`; to look at what it read, replay without --to"
    )


async def read_passage(speaker: Speaker, passage: Passage, limit: int) -> list[Record]:
    """The records, the oldest of each partition first; at most ``limit``.

    Raises
    ------
    NotFound
        no such topic.
    """
    if passage.topic not in await speaker.topics():
        raise NotFound(f"there is no topic {passage.topic}: `trustflow ops lag --all` names those that are read")
    found: list[Record] = []
    async with aclosing(speaker.records((passage.topic,), since=passage.since, until="now")) as records:
        async for record in records:
            if passage.has(record):
                found.append(record)
            if len(found) == limit:
                break
    return found


@dataclass(frozen=True, slots=True)
class Copier:
    """Makes private copies with the operator's login."""

    speaker: Speaker
    admin: TopicAdmin
    warrant: Warrant

    async def copy(self, topic: str, records: Sequence[Record], name: str) -> str:
        """Write records of a topic to a new topic ``replay.<name>``, and return its name.

        Raises
        ------
        Refused
            the name is taken, or is none.
        """
        target = f"{REPLAY_PREFIX}{name}"
        if not NAME.fullmatch(name):
            raise Refused(f"{name or '(nothing)'} is no name: give --name small letters, digits and hyphens")
        if await self.admin.partitions_of(target):
            raise Refused(f"{target} is there already: choose another name")
        async with accounted(
            self.speaker, self.warrant, Act("replay", f"{topic} to {target}", len(records))
        ) as progress:
            await self.admin.create(_private(target, await self.admin.partitions_of(topic)))
            for chunk in _chunks(records):
                await self.speaker.put(*(_copied(record, target) for record in chunk))
                progress.count += len(chunk)
        return target


def _copied(record: Record, target: str) -> Outgoing:
    """With its key, bytes and id; marked, so that no participant will ever act on it."""
    origin = f"{record.topic}/{record.partition}/{record.offset}"
    marks = [(ORIGIN, origin.encode()), (REPLAYED, target.encode())]
    own = [(name, value) for name, value in record.headers if name not in (ORIGIN, REPLAYED)]
    return Outgoing(target, record.key, record.value, [*own, *marks])


def _private(name: str, partitions: int) -> Topic:
    return Topic(name, (OPERATOR,), (), partitions, retention_ms=WEEK_MS, max_bytes=LARGEST_DEAD_LETTER)


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    yield from (records[start : start + AT_ONCE] for start in range(0, len(records), AT_ONCE))


def _within(span_: Span, record: Record) -> bool:
    return span_.partition == record.partition and span_.first <= record.offset <= span_.last


def _type(record: Record) -> str:
    return next((value.decode("latin-1") for name, value in record.headers if name == "ce_type" and value), "")
