"""What is being worked on now: whoever logs or makes a span inside it need not be told."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from schemas.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Scope:
    """The handling of one message, or one job that it caused.

    ``span_id`` is 16 hexadecimal digits, or nothing where no spans are kept.
    """

    cause: Envelope
    span_id: str = ""

    @property
    def trace_id(self) -> str:
        return self.cause.traceparent[3:35]


_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current() -> Scope | None:
    return _current.get()


@contextmanager
def within(cause: Envelope | None, span_id: str = "") -> Iterator[None]:
    """Without a cause nobody can say what is worked on: what starts by itself has none."""
    token = _current.set(Scope(cause, span_id) if cause else None)
    try:
        yield
    finally:
        _current.reset(token)
