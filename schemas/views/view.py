"""What a view is: the events it is made of, and the pure fold that makes one row of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.message import Message


class View(BaseModel):
    """One row. It says the same after its maps were sorted: jsonb keeps no order of keys."""

    model_config = ConfigDict(frozen=True)


class Decision(View):
    """What a trust's approver said."""

    approved: bool
    by: str
    reason: str | None = None


V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class ViewDefinition(Generic[V]):
    """A row is named by the key of its events; ``fold`` is given the row so far, or None, and any of ``events``.

    Topics have no common order: a fold gives the same row however their events interleave. The relay may say the
    newest events of a topic twice: folding them again in their order changes nothing.
    """

    name: str
    row: type[V]
    fold: Callable[[V | None, Message], V | None]
    events: tuple[type[Message], ...]

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(event.topic_template for event in self.events))

    @property
    def types(self) -> frozenset[str]:
        return frozenset(event.type for event in self.events)

    def folded(self, events: Iterable[Message], rows: dict[str, V] | None = None) -> dict[str, V]:
        """Fold events, in the order of each topic, into rows by id; rows given are gone on from."""
        made = dict(rows or {})
        for event in events:
            id_ = event.key
            row = self.fold(made.get(id_), event)
            if row is not None:
                made[id_] = row
        return made


AnyView = ViewDefinition[Any]
