"""Generations of a view: each is a table of its own, one of them live, and readers use a SQL view of the plain name.

Whoever writes a live generation reads `generation` first, in the same transaction; whoever makes another one live locks
that table against reading. So no batch is half in the old and half in the new one (ADR 17).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bus.database import Connection
from schemas.views import AnyView

State = Literal["building", "live", "retired", "as_of", "dropped"]

PREPARE_LOCK = 7_310_003
CATALOGUE = """
create table if not exists generation (
    view       text        not null,
    number     int         not null,
    state      text        not null check (state in ('building', 'live', 'retired', 'as_of', 'dropped')),
    changed_at timestamptz not null default now(),
    primary key (view, number)
);
create unique index if not exists live_generation on generation (view) where state = 'live';
"""
DIFFERING = 10


@dataclass(frozen=True, slots=True)
class Generation:
    """``number`` counts from 1 and is never used twice."""

    view: str
    number: int
    state: State

    @property
    def table(self) -> str:
        return table_of(self.view, self.number)


@dataclass(frozen=True, slots=True)
class Contents:
    """``checksum`` is the sha256 over the sha256 of each row, sorted by id; a row is its id, a line feed, its state."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Difference:
    id: str
    kind: Literal["only live", "only rebuilt", "differs"]


def table_of(view: str, number: int) -> str:
    return f"view_{view}_{number}"


async def prepare(connection: Connection, views: Iterable[AnyView]) -> None:
    """Give each view that has none a first, empty generation; one process at a time."""
    await connection.execute("select pg_advisory_xact_lock($1)", PREPARE_LOCK)
    await connection.execute(CATALOGUE)
    known = await live(connection)
    for view in views:
        if view.name not in known:
            first = await begin(connection, view.name)
            await make_live(connection, first)


async def live(connection: Connection) -> dict[str, int]:
    """Return the number of each view's live generation; none is switched before this transaction ends."""
    rows = await connection.fetch("select view, number from generation where state = 'live'")
    return {row["view"]: row["number"] for row in rows}


async def generations(connection: Connection, view: str) -> tuple[Generation, ...]:
    """Return those that still have a table, the oldest first."""
    rows = await connection.fetch(
        "select view, number, state from generation where view = $1 and state <> 'dropped' order by number", view
    )
    return tuple(Generation(**row) for row in rows)


async def begin(connection: Connection, view: str) -> Generation:
    """A new, empty table that nobody reads."""
    async with connection.transaction():
        number = await connection.fetchval(
            """insert into generation (view, number, state)
               select $1, coalesce(max(number), 0) + 1, 'building' from generation where view = $1
               returning number""",
            view,
        )
        made = Generation(view, number, "building")
        await connection.execute(f"create table {made.table} (id text primary key, state jsonb not null)")
    return made


async def freeze(connection: Connection) -> None:
    """Until this transaction ends no batch is folded into any live generation, and every one before has ended."""
    await connection.execute("lock table generation in access exclusive mode")


async def make_live(connection: Connection, made: Generation) -> None:
    """Retire the live generation and lead readers to this one."""
    await _mark(connection, "state = 'live' and view = $2", "retired", made.view)
    await _mark(connection, "view = $2 and number = $3", "live", made.view, made.number)
    await connection.execute(f"create or replace view {made.view} as select id, state from {made.table}")  # noqa: S608  a constant of ours


async def keep(connection: Connection, made: Generation) -> Generation:
    """Keep a finished generation beside the live one, to be looked at."""
    await _mark(connection, "view = $2 and number = $3", "as_of", made.view, made.number)
    return replace(made, state="as_of")


async def drop(connection: Connection, unwanted: Generation) -> None:
    """Remove a generation that is not live.

    Raises
    ------
    ValueError
    """
    if unwanted.state == "live":
        raise ValueError(f"{unwanted.table} is live: only another generation can take its place")
    async with connection.transaction():
        await connection.execute(f"drop table {unwanted.table}")
        await _mark(connection, "view = $2 and number = $3", "dropped", unwanted.view, unwanted.number)


async def contents(connection: Connection, table: str) -> Contents:
    row = await connection.fetchrow(
        f"""select count(*) as rows, encode(sha256(coalesce(string_agg(
                sha256(convert_to(id || chr(10) || state::text, 'UTF8')), ''::bytea order by id collate "C"),
                ''::bytea)), 'hex') as checksum from {table}"""  # noqa: S608  a constant of ours
    )
    return Contents(row["rows"], row["checksum"])


async def differences(connection: Connection, live_one: Generation, rebuilt: Generation) -> tuple[Difference, ...]:
    """Return the first ids, in their order, whose rows are not the same in both tables."""
    rows = await connection.fetch(
        f"""select id, case when one.state is null then 'only rebuilt' when two.state is null then 'only live'
                       else 'differs' end as kind
            from {live_one.table} as one full join {rebuilt.table} as two using (id)
            where one.state is distinct from two.state order by id collate "C" limit $1""",  # noqa: S608  constants of ours
        DIFFERING,
    )
    return tuple(Difference(row["id"], row["kind"]) for row in rows)


async def outdated(connection: Connection, view: str, days: float) -> Sequence[Generation]:
    """Return what is not live and has not changed for so many days."""
    rows = await connection.fetch(
        """select view, number, state from generation where view = $1 and state in ('retired', 'as_of')
           and changed_at <= now() - make_interval(secs => $2) order by number""",
        view,
        days * 86_400.0,
    )
    return [Generation(**row) for row in rows]


async def _mark(connection: Connection, where: str, state: State, *values: object) -> None:
    await connection.execute(f"update generation set state = $1, changed_at = now() where {where}", state, *values)  # noqa: S608  constants of ours
