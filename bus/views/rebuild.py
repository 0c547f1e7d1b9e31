"""Rebuilding a view: everything is read again into a new generation, compared with the live one, then switched to.

The live projector goes on meanwhile. Whatever dies at whatever moment, readers see one whole generation; what was left
behind is removed by the next rebuild (ADR 17).
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from aiokafka import TopicPartition

from bus.database import Connection
from bus.decode import Decoded, Record, read
from bus.views import generations
from bus.views.generations import Contents, Difference, Generation
from bus.views.history import History, Places
from bus.views.projection import fold_into, read_rows
from schemas.message import Message
from schemas.upcast import newest
from schemas.views import AnyView

REBUILD_LOCK = 7_310_005
NEAR = 1_000
"""So few records behind the live generation, the rest is read while it stands still."""

FREEZE_WITHIN_S = 10


class NotNow(Exception):
    """Nothing was changed, and nothing can be at this moment; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a rebuild would read, and what it would replace."""

    live: Generation
    rows: int
    records: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``differences`` are the first ids only; without any, both generations are the same to the bit."""

    made: Generation
    contents: Contents
    before: Generation
    contents_before: Contents
    differences: tuple[Difference, ...]
    records: int
    switched: bool


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Connection]:
    """A connection for a rebuild: only its last transaction waits for the disk.

    Raises
    ------
    NotNow
    """
    try:
        connection = await asyncpg.connect(database_url, server_settings={"synchronous_commit": "off"})
    except (OSError, asyncpg.PostgresError) as error:
        raise NotNow(f"the database of the views lets nobody in ({type(error).__name__}): see `make status`") from error
    try:
        yield connection
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise NotNow("the database of the views went away: what readers see is whole, so begin again") from error
    finally:
        await connection.close()


@dataclass(slots=True)
class Rebuild:
    """One rebuild of one view of the projector whose group is ``group``."""

    connection: Connection
    history: History
    view: AnyView
    group: str
    places: dict[TopicPartition, int] = field(default_factory=dict)
    records: int = 0

    async def prospect(self, until: Places | None = None) -> Prospect:
        """Look, and change nothing."""
        live = await self._live()
        starts, ends = await self.history.starts(), until or await self._live_places()
        records = sum(max(0, end - starts.get(place, 0)) for place, end in ends.items())
        return Prospect(live, (await generations.contents(self.connection, live.table)).rows, records)

    async def switch_over(self, *, accept_differences: bool = False) -> Rebuilt:
        """Build a generation and make it live, unless it differs from the live one.

        Raises
        ------
        NotNow
        """
        async with self._alone():
            made = await self._begun()
            while self._behind(places := await self._live_places()) > NEAR:
                await self._fold_until(made, places)
            rebuilt = await self._finish(made, accept_differences=accept_differences)
            if not rebuilt.switched:
                await generations.drop(self.connection, made)
            return rebuilt

    async def as_of(self, until: Places) -> tuple[Generation, Contents]:
        """Build the view as it was at these places, beside the live one; it is never switched to."""
        async with self._alone():
            made = await self._begun()
            await self._fold_until(made, until)
            kept = await generations.keep(self.connection, made)
            return kept, await generations.contents(self.connection, kept.table)

    async def row(self, made: Generation, id_: str) -> str | None:
        """Return a row's state as JSON."""
        rows = await read_rows(self.connection, made.table, self.view, [id_])
        return rows[id_].model_dump_json(exclude_none=True) if id_ in rows else None

    async def _begun(self) -> Generation:
        self.places = dict(await self.history.starts())
        return await generations.begin(self.connection, self.view.name)

    async def _finish(self, made: Generation, *, accept_differences: bool) -> Rebuilt:
        """In one transaction: stop the live generation, read what it has read, compare, switch."""
        async with self._frozen():
            await self._fold_until(made, await self._live_places())
            live = await self._live()
            contents = await generations.contents(self.connection, made.table)
            before = await generations.contents(self.connection, live.table)
            differences = await generations.differences(self.connection, live, made) if contents != before else ()
            switched = not differences or accept_differences
            if switched:
                await generations.make_live(self.connection, made)
            return Rebuilt(made, contents, live, before, differences, self.records, switched)

    @asynccontextmanager
    async def _frozen(self) -> AsyncIterator[None]:
        try:
            async with self.connection.transaction():
                await self.connection.execute(f"set local lock_timeout = '{FREEZE_WITHIN_S}s'")
                await self.connection.execute("set local synchronous_commit = on")
                await generations.freeze(self.connection)
                yield
        except asyncpg.LockNotAvailableError as error:
            raise NotNow(f"somebody has read {self.view.name} for {FREEZE_WITHIN_S} s: try again later") from error

    async def _fold_until(self, made: Generation, until: Places) -> None:
        async for records in self.history.read(self.places, until):
            self.records += len(records)
            if events := events_for(self.view, records):
                await fold_into(self.connection, made.table, self.view, events)
        self.places.update(until)

    def _behind(self, places: Places) -> int:
        return sum(max(0, end - self.places.get(place, 0)) for place, end in places.items())

    async def _live(self) -> Generation:
        try:
            numbers = await generations.live(self.connection)
            return Generation(self.view.name, numbers[self.view.name], "live")
        except (asyncpg.UndefinedTableError, KeyError):
            raise NotNow(f"there is no view {self.view.name} yet: {self.group} makes it when it starts") from None

    async def _live_places(self) -> Places:
        rows = await self.connection.fetch(
            "select topic, partition, next_offset from position where consumer = $1 and topic = any($2)",
            self.group,
            self.view.topics,
        )
        return {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Nobody else rebuilds this view; what a rebuild that was cut short has left is gone."""
        key = "select {}($1, hashtext($2))"
        if not await self.connection.fetchval(key.format("pg_try_advisory_lock"), REBUILD_LOCK, self.view.name):
            raise NotNow(f"another rebuild of {self.view.name} is under way: wait for its end")
        try:
            for left in await generations.generations(self.connection, self.view.name):
                if left.state == "building":
                    await generations.drop(self.connection, left)
            yield
        finally:
            await self.connection.execute(key.format("pg_advisory_unlock"), REBUILD_LOCK, self.view.name)


def events_for(view: AnyView, records: Iterable[Record]) -> list[Message]:
    """What the live projector would have folded of these records: the rest is not decoded, or cannot be."""
    wanted = view.types
    decoded = (read(record) for record in records if newest(_type(record)) in wanted)
    return [one.message for one in decoded if isinstance(one, Decoded)]


def _type(record: Record) -> str:
    """The last header of the name counts."""
    for name, value in reversed(record.headers):
        if name == "ce_type" and value:
            return value.decode("latin-1")
    return ""
