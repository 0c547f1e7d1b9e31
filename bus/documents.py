"""An aggregate's state as one row: read and locked, decided upon, and written back with everything else.

The handlers of a batch share what its transaction has opened, so that each row is read once and written once,
however many events concern it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from bus.database import Connection

if TYPE_CHECKING:
    from bus.uow import UnitOfWork

S = TypeVar("S", bound=BaseModel)


@dataclass(slots=True)
class Opened:
    """What a transaction has read and changed so far, by table and id; ``expected`` ids are read together."""

    expected: frozenset[str] = frozenset()
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def settle(self, connection: Connection) -> None:
        """Write what was changed and forget all: at the end, or before SQL that goes past the documents."""
        for table, states in self.changed.items():
            await _write(connection, table, states)
        self.changed.clear()
        self.states.clear()


class Documents(Generic[S]):
    """A table ``(id text primary key, state jsonb)``; the model says what the state holds."""

    def __init__(self, table: str, model: type[S]) -> None:
        self._table = table
        self._model = model

    async def load(self, uow: "UnitOfWork", id_: str) -> S | None:
        """Return the state as this transaction has left it, locked until it ends."""
        states = uow.opened.states.setdefault(self._table, {})
        if id_ not in states:
            expected = uow.opened.expected
            wanted = expected - states.keys() if id_ in expected else frozenset({id_})
            states |= dict.fromkeys(wanted) | await self._read(uow.connection, wanted)
        found: S | None = states[id_]
        return found

    def save(self, uow: "UnitOfWork", id_: str, state: S) -> None:
        """Remember the state; it is written when the unit of work is."""
        for states in (uow.opened.states, uow.opened.changed):
            states.setdefault(self._table, {})[id_] = state

    async def _read(self, connection: Connection, ids: frozenset[str]) -> dict[str, S]:
        rows = await connection.fetch(
            f"""select id, state::text as state from {self._table}
                where id = any($1) order by id for update""",  # noqa: S608  a constant of ours
            list(ids),
        )
        return {row["id"]: self._model.model_validate_json(row["state"]) for row in rows}


async def _write(connection: Connection, table: str, states: Mapping[str, BaseModel]) -> None:
    await connection.execute(
        f"""insert into {table} (id, state)
            select id, state::jsonb from unnest($1::text[], $2::text[]) as made (id, state) order by id
            on conflict (id) do update set state = excluded.state""",  # noqa: S608  a constant of ours
        list(states),
        [state.model_dump_json() for state in states.values()],
    )
