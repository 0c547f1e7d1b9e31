"""A projector: folds events into the rows of views, one transaction for each batch of a partition.

Nothing else comes of its events, so the position that moves in the same transaction is all that it must remember:
it has no inbox, and may read everything again into a new generation (ADR 17).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bus.database import Connection
from bus.decode import Record
from bus.errors import Transient
from bus.inbox import Inbox
from bus.taken import Taken
from bus.uow import UnitOfWork
from bus.views import generations
from bus.watch import metrics
from schemas.message import Message
from schemas.views import AnyView

TURN_LOCK = 7_310_004


@dataclass
class Projector(Inbox):
    """Takes the place of an inbox in a participant that keeps views and does nothing else."""

    views: tuple[AnyView, ...] = ()
    _said: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.router.on(*{event for view in self.views for event in view.events})(self._collect)

    async def _collect(self, message: Message, _uow: UnitOfWork) -> None:
        self._said.append(message)

    async def _claim(self, _connection: Connection, taken: Iterable[Taken]) -> set[str]:
        """A batch begins: what is behind the position was folded, what is not was not."""
        self._said.clear()
        return {one.id for one in taken if one.id}

    async def _flush(self, *uows: UnitOfWork) -> None:
        said, self._said = self._said, []
        if said:
            await fold_live(uows[0].connection, self.views, said)
        await super()._flush(*uows)

    async def _lock_position(self, connection: Connection, record: Record) -> Any:
        """Of a partition that is new as well: there is no inbox to find out that two processes have begun it."""
        position = await super()._lock_position(connection, record)
        if position is None:
            await connection.execute(
                "insert into position (consumer, topic, partition, next_offset) values ($1, $2, $3, 0) "
                "on conflict do nothing",
                self.consumer,
                record.topic,
                record.partition,
            )
            position = await super()._lock_position(connection, record)
        return position

    async def _stumble(self, connection: Connection, one: Taken, error: Exception) -> str | None:
        """No key steps aside to let others pass: a rebuilt view would not have waited for it."""
        if isinstance(error, Transient):
            metrics.RETRIES.labels(one.record.topic).inc()
            return None
        return await super()._stumble(connection, one, error)


async def fold_live(connection: Connection, views: Iterable[AnyView], events: Sequence[Message]) -> None:
    """Fold into the live generation of each view, one batch after the other, however many processes share them."""
    await connection.execute("select pg_advisory_xact_lock($1)", TURN_LOCK)
    numbers = await generations.live(connection)
    for view in views:
        concerned = [event for event in events if isinstance(event, view.events)]
        if concerned:
            await fold_into(connection, generations.table_of(view.name, numbers[view.name]), view, concerned)


async def fold_into(connection: Connection, table: str, view: AnyView, events: Sequence[Message]) -> None:
    """Read the rows that these events concern, fold, write those that have changed."""
    before = await read_rows(connection, table, view, {event.key for event in events})
    after = view.folded(events, before)
    await write_rows(connection, table, {id_: row for id_, row in after.items() if row is not before.get(id_)})


async def read_rows(connection: Connection, table: str, view: AnyView, ids: Iterable[str]) -> dict[str, BaseModel]:
    found = await connection.fetch(
        f"select id, state::text as state from {table} where id = any($1)",  # noqa: S608  a constant of ours
        list(ids),
    )
    return {row["id"]: view.row.model_validate_json(row["state"]) for row in found}


async def write_rows(connection: Connection, table: str, rows: dict[str, BaseModel]) -> None:
    if rows:
        await connection.execute(
            f"""insert into {table} (id, state)
                select id, state::jsonb from unnest($1::text[], $2::text[]) as made (id, state)
                on conflict (id) do update set state = excluded.state""",  # noqa: S608  a constant of ours
            list(rows),
            [row.model_dump_json() for row in rows.values()],
        )
