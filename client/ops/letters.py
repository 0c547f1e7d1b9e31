"""Dead letters: what was put aside, grouped by what went wrong, and sent again or laid to rest.

A letter is never removed. That it was dealt with is written in the account of operators' acts (ADR 16).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from bus.decode import ORIGIN, Record
from bus.letters import OURS, REDRIVE_COUNT, REDRIVEN_BY
from bus.speaker import Outgoing, Speaker
from client.ops.account import Act, Ledger, Warrant, accounted
from schemas.envelope import Header
from schemas.operations import ActDone, LetterPlace
from schemas.topics import DEAD_LETTER_PREFIX, PROJECTORS, redrive_topic

REDRIVE, DROP = "redrive", "drop"
Standing = Literal["open", "unfinished", "redriven", "dropped"]
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A record as it was put aside: its own bytes, key and headers, and those that say where it comes from and why."""

    place: LetterPlace
    at: datetime
    key: bytes | None
    value: bytes
    headers: tuple[Header, ...]

    @property
    def group(self) -> str:
        return self.place.topic.removeprefix(DEAD_LETTER_PREFIX)

    @property
    def code(self) -> str:
        return self.header("tf-code")

    @property
    def origin(self) -> str:
        """``topic/partition/offset`` of the record that was put aside."""
        return self.header(ORIGIN)

    @property
    def type(self) -> str:
        return self.header("ce_type")

    @property
    def id(self) -> str:
        return self.header("ce_id")

    @property
    def can_be_redriven(self) -> bool:
        """False for a projector's, which is rebuilt, and for what the Kafka client itself could not read: no bytes."""
        return self.group not in PROJECTORS and self.code != "unreadable_record"

    def header(self, name: str) -> str:
        return next((_text(value) for key, value in self.headers if key == name and value), "")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant: what is empty matches all. An id is that of the event, its origin, or its own place."""

    group: str = ""
    code: str = ""
    type_: str = ""
    ids: tuple[str, ...] = ()

    def has(self, letter: Letter) -> bool:
        return (
            self.group in ("", letter.group)
            and self.code in ("", letter.code)
            and self.type_ in ("", letter.type)
            and (not self.ids or not {letter.id, letter.origin, str(letter.place)}.isdisjoint(self.ids))
        )


@dataclass(frozen=True, slots=True)
class Heap:
    """Letters of one group, code and type."""

    group: str
    code: str
    type_: str
    letters: tuple[Letter, ...]

    @property
    def oldest(self) -> datetime:
        return min(letter.at for letter in self.letters)

    @property
    def newest(self) -> datetime:
        return max(letter.at for letter in self.letters)


async def read_letters(speaker: Speaker) -> list[Letter]:
    """Every letter there is, in the order of each group's topic."""
    topics = [topic for topic in await speaker.topics() if topic.startswith(DEAD_LETTER_PREFIX)]
    if not topics:
        return []
    async with aclosing(speaker.records(topics, until="now")) as records:
        return [letter_of(record) async for record in records]


def letter_of(record: Record) -> Letter:
    return Letter(
        place=LetterPlace(topic=record.topic, partition=record.partition, offset=record.offset),
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=record.key,
        value=record.value or b"",
        headers=tuple(record.headers),
    )


def standing(letter: Letter, ledger: Ledger) -> Standing:
    """What has become of a letter; *unfinished*: the act that has it was cut short, or is still at work."""
    act_id = ledger.held.get(letter.place)
    if act_id is None:
        return "open"
    end = ledger.ended.get(act_id)
    if not isinstance(end, ActDone):
        return "unfinished"
    return "redriven" if end.action == REDRIVE else "dropped"


def heaps(letters: Iterable[Letter]) -> list[Heap]:
    by_fault: defaultdict[tuple[str, str, str], list[Letter]] = defaultdict(list)
    for letter in letters:
        by_fault[letter.group, letter.code, letter.type].append(letter)
    return [Heap(*fault, tuple(found)) for fault, found in sorted(by_fault.items())]


def redriven_headers(letter: Letter, operator: str) -> list[Header]:
    """The headers it had at first, where it comes from, and how often it was sent again by whom."""
    count = int(letter.header(REDRIVE_COUNT) or 0) + 1
    own = [(name, value) for name, value in letter.headers if not name.startswith(OURS)]
    ours = {ORIGIN: letter.origin, REDRIVEN_BY: operator, REDRIVE_COUNT: str(count)}
    return [*own, *((name, value.encode()) for name, value in ours.items())]


async def redrive(
    speaker: Speaker,
    letters: Sequence[Letter],
    warrant: Warrant,
    *,
    per_second: float,
    again: bool = False,
    pause: Pause = asyncio.sleep,
) -> list[Letter]:
    """Send letters again to the groups that put them aside; return those that this act has: not another's.

    Ids are the original ones, so a letter whose effect is there already has none a second time.
    """
    async with accounted(speaker, warrant, _act(REDRIVE, letters, again)) as progress:
        ours = [letter for letter in letters if letter.place in progress.letters]
        for letter in ours:
            headers = redriven_headers(letter, warrant.operator)
            await speaker.put(Outgoing(redrive_topic(letter.group), letter.key, letter.value, headers))
            progress.count += 1
            await pause(1 / per_second)
    return ours


async def drop(speaker: Speaker, letters: Sequence[Letter], warrant: Warrant, *, again: bool = False) -> list[Letter]:
    """Lay letters to rest: they stay where they are, and are not listed any more."""
    async with accounted(speaker, warrant, _act(DROP, letters, again)) as progress:
        ours = [letter for letter in letters if letter.place in progress.letters]
        progress.count = len(ours)
    return ours


def as_record(letter: Letter, state: Standing) -> Mapping[str, object]:
    """A letter without its bytes, as JSON values."""
    return {
        "letter": str(letter.place),
        "standing": state,
        "group": letter.group,
        "code": letter.code,
        "type": letter.type or None,
        "id": letter.id or None,
        "key": _text(letter.key or b""),
        "origin": letter.origin,
        "at": letter.at.isoformat(),
        "bytes": len(letter.value),
        "redriven": int(letter.header(REDRIVE_COUNT) or 0),
    }


def shown_headers(letter: Letter) -> Iterator[tuple[str, str]]:
    yield from ((name, "(null)" if value is None else _text(value)) for name, value in letter.headers)


def _act(action: str, letters: Sequence[Letter], again: bool) -> Act:
    groups = ", ".join(sorted({letter.group for letter in letters}))
    return Act(action, f"dead letters of {groups}", len(letters), tuple(letter.place for letter in letters), again)


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
