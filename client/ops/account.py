"""The account of what operators change: each act is said on `operator.events` before its first change and at its end.

That topic has one partition, so all operators see one order of acts. Where two take the same dead letter, the first
to have said so has it (ADR 16).
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bus.speaker import Heard, Speaker
from bus.uow import new_id
from schemas.operations import ActDone, ActFailed, ActIntended, LetterPlace, OperatorEvent

TOPIC = OperatorEvent.topic_template
LONGEST_TARGET = 500
"""Characters; what is longer is cut: ``count`` and ``letters`` say the rest."""


class Refused(Exception):
    """That must not be done; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Warrant:
    """Who acts, and why."""

    operator: str
    why: str


@dataclass(frozen=True, slots=True)
class Act:
    """What is about to be changed: ``count`` things of ``target``; ``letters`` are those it means to take."""

    action: str
    target: str
    count: int
    letters: tuple[LetterPlace, ...] = ()
    again: bool = False


@dataclass(slots=True)
class Progress:
    """How many changes an act has made so far; ``letters`` are those of its letters that it has."""

    letters: frozenset[LetterPlace] = frozenset()
    count: int = 0


@dataclass(slots=True)
class Ledger:
    """What the account adds up to: acts by id, how they ended, and which act has which dead letter."""

    begun: dict[str, tuple[datetime, ActIntended]] = field(default_factory=dict)
    ended: dict[str, ActDone | ActFailed] = field(default_factory=dict)
    held: dict[LetterPlace, str] = field(default_factory=dict)

    def letters_of(self, act_id: str) -> frozenset[LetterPlace]:
        return frozenset(letter for letter, holder in self.held.items() if holder == act_id)

    def add(self, event: OperatorEvent, at: datetime) -> None:
        match event:
            case ActIntended():
                self.begun[event.act_id] = (at, event)
                self._take(event)
            case ActDone():
                self.ended[event.act_id] = event
            case ActFailed():
                self.ended[event.act_id] = event
                for letter in self.letters_of(event.act_id):
                    del self.held[letter]

    def _take(self, act: ActIntended) -> None:
        for letter in act.letters:
            if act.again or letter not in self.held:
                self.held[letter] = act.act_id


def ledger_of(said: Iterable[Heard]) -> Ledger:
    ledger = Ledger()
    for heard in said:
        if isinstance(heard.message, OperatorEvent):
            ledger.add(heard.message, heard.at)
    return ledger


async def read_ledger(speaker: Speaker) -> Ledger:
    async with aclosing(speaker.events((TOPIC,), until="now")) as said:
        return ledger_of([heard async for heard in said])


@asynccontextmanager
async def accounted(speaker: Speaker, warrant: Warrant, act: Act) -> AsyncIterator[Progress]:
    """Say what is about to change, then how it ended; whoever does the work counts its changes in the progress.

    An act that is neither done nor failed was cut short: its letters stay with it until somebody takes them again.
    """
    target = act.target[:LONGEST_TARGET]
    named = {"act_id": new_id(), "operator": warrant.operator, "action": act.action, "target": target}
    await speaker.send(ActIntended(**named, reason=warrant.why, count=act.count, letters=act.letters, again=act.again))
    progress = Progress(await _taken(speaker, act, named))
    try:
        yield progress
    except Exception as error:
        await speaker.send(ActFailed(**named, count=progress.count, error=type(error).__name__))
        raise
    await speaker.send(ActDone(**named, count=progress.count))


async def _taken(speaker: Speaker, act: Act, named: Mapping[str, str]) -> frozenset[LetterPlace]:
    return (await read_ledger(speaker)).letters_of(named["act_id"]) if act.letters else frozenset()
