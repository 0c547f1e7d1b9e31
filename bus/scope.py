"""What is being worked on now: whoever logs or makes a span inside it need not be told."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Scope:
    """The handling of one message, or one job that it caused; ``span_id`` is 16 hexadecimal digits."""

    cause: Envelope
    span_id: str

    @property
    def trace_id(self) -> str:
        return self.cause.traceparent[3:35]

    @property
    def parent_id(self) -> str:
        """The span of the message itself (W3C Trace Context, section 3.2.2.4)."""
        return self.cause.traceparent[36:52]


_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current() -> Scope | None:
    return _current.get()


@contextmanager
def within(cause: Envelope | None) -> Iterator[Scope | None]:
    """Without a cause nobody can say what is worked on: what starts by itself has none."""
    scope = Scope(cause, secrets.token_hex(8)) if cause else None
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)
