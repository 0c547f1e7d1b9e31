"""Named moments at which a participant kills itself, told to it as ``TRUSTFLOW_CHAOS=<point>:<visit>``.

The bus knows nothing of this: what happens between its steps is reached by wrapping what it calls.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import asyncpg
from aiokafka import AIOKafkaConsumer

from bus.inbox import Inbox

Point = Literal["at_start", "mid_batch", "after_commit", "before_offsets", "in_relay"]
POINTS: tuple[Point, ...] = get_args(Point)
VARIABLE = "TRUSTFLOW_CHAOS"


@dataclass(slots=True)
class Fuse:
    """Burns down by one at each visit of its point, and then nothing of the process is left."""

    point: str
    visits: int

    @classmethod
    def from_environment(cls) -> "Fuse":
        point, _, visits = os.environ.get(VARIABLE, "").partition(":")
        return cls(point, int(visits or 0))

    def visit(self, point: Point) -> None:
        if point != self.point:
            return
        self.visits -= 1
        if self.visits == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def lay(fuse: Fuse) -> None:
    """Lead the fuse to the moments that lie inside the bus."""
    _wrap(Inbox, "apply", after=lambda: fuse.visit("after_commit"))
    _wrap(AIOKafkaConsumer, "commit", before=lambda *_: fuse.visit("before_offsets"))
    _wrap(asyncpg.Connection, "execute", before=lambda sql, *_: _visit_relay(fuse, sql))


def _visit_relay(fuse: Fuse, sql: str) -> None:
    """The broker has acknowledged, the outbox still holds the rows."""
    if sql.lstrip().startswith("delete from outbox"):
        fuse.visit("in_relay")


def _nothing(*_: Any) -> None:
    return


def _wrap(
    owner: type, name: str, *, before: Callable[..., None] = _nothing, after: Callable[[], None] = _nothing
) -> None:
    original = getattr(owner, name)

    async def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        before(*args)
        result = await original(self, *args, **kwargs)
        after()
        return result

    setattr(owner, name, wrapped)
