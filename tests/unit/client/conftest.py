"""A hub without a broker: commands are answered by a rule, events are those that the test says."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from bus.speaker import Bookmark, Heard
from client import terminal
from client.cli import app
from client.sdk import Trustflow
from schemas.envelope import Envelope
from schemas.message import Accepted, Command, Message
from schemas.project import ProjectCommandAccepted

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def heard(
    message: Message, id_: str = "e0", /, *, cause: Heard | None = None, after_s: float = 0.0, **changes: Any
) -> Heard:
    """A record of this message; its cause gives it the correlation."""
    at = START + timedelta(seconds=after_s)
    above = cause.envelope if cause else None
    envelope = Envelope(
        id=id_,
        type=message.type,
        source="/test",
        subject=message.key,
        time=at,
        correlationid=above.correlationid if above else id_,
        causationid=above.id if above else None,
        traceparent="00-0-0-01",
    )
    record = {"topic": message.topic, "partition": 0, "offset": 0, "at": at, "key": message.key}
    return Heard(**(record | {"envelope": envelope, "message": message} | changes))


@dataclass
class FakeVoice:
    """What was asked is kept; `answer` may raise instead of accepting."""

    said: list[Message] = field(default_factory=list)
    asked: list[Command] = field(default_factory=list)
    answer: Callable[[Command], None] = lambda _: None

    async def ask(self, command: Command, timeout_s: float = 0) -> Accepted:
        self.asked.append(command)
        self.answer(command)
        return ProjectCommandAccepted(command_id="c1", command_type=command.type, subject=command.key)

    async def bookmark(self, topics: Iterable[str] = ()) -> Bookmark:
        return Bookmark({})

    async def events(
        self, topics: Iterable[str] = (), *, since: Any = None, until: Any = None
    ) -> AsyncGenerator[Heard, None]:
        for message in self.said:
            if message.topic in topics:
                yield heard(message)


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> FakeVoice:
    made = FakeVoice()

    @asynccontextmanager
    async def hub_of(actor: str) -> Any:
        yield Trustflow(made, actor)

    monkeypatch.setattr(terminal, "hub_of", hub_of)
    monkeypatch.delenv("TRUSTFLOW_USER", raising=False)
    return made


@pytest.fixture
def trustflow(voice: FakeVoice) -> Any:
    """Call the command as a user would."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def record_of() -> Callable[..., Heard]:
    return heard
