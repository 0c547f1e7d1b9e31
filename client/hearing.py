"""How the SDK listens: what it needs of a connection, and events folded into what they add up to."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Protocol, TypeVar

from bus.speaker import Bookmark, Heard, Since, Until
from schemas.message import Accepted, Command, Message
from schemas.views import View, ViewDefinition

V = TypeVar("V", bound=View)


class NotFound(Exception):
    """No event tells of such a thing; the text names the remedy."""


class Voice(Protocol):
    """What the SDK needs of a `bus.speaker.Speaker`."""

    async def ask(self, command: Command, timeout_s: float = ...) -> Accepted: ...

    async def bookmark(self, topics: Iterable[str] = ...) -> Bookmark: ...

    def events(
        self, topics: Iterable[str] = ..., *, since: Since = ..., until: Until = ...
    ) -> AsyncGenerator[Heard, None]: ...


class Hearing:
    """A voice, used in one user's name."""

    def __init__(self, voice: Voice, actor: str) -> None:
        self._voice = voice
        self.actor = actor

    async def _said(
        self, topics: Iterable[str], key: str | None = None, *, since: Since = None, until: Until = None
    ) -> AsyncGenerator[Message, None]:
        async with aclosing(self._voice.events(topics, since=since, until=until)) as stream:
            async for heard in stream:
                if heard.message is not None and key in (None, heard.key):
                    yield heard.message

    async def _folded(self, view: ViewDefinition[V], key: str, until: Until = "now") -> V | None:
        row: V | None = None
        async with aclosing(self._said(view.topics, key, until=until)) as said:
            async for event in said:
                row = view.fold(row, event)
        return row


def found(view: V | None, what: str, remedy: str) -> V:
    if view is None:
        raise NotFound(f"nothing is known of {what}: {remedy}")
    return view
