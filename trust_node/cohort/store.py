"""The OMOP warehouse: one fresh read-only connection for each judged query, with limits, closed afterwards."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pyroaring import BitMap64

from schemas.sql.allowed import Kind
from schemas.sql.tabulation import Tabulation
from trust_node.cohort.freeze import Member
from trust_node.cohort.hardening.layout import VIEWS
from trust_node.cohort.release import Key, dithered, pace
from trust_node.cohort.warehouse import wording
from trust_node.cohort.warehouse.catalogue import Catalogue
from trust_node.cohort.warehouse.costing import cost_of
from trust_node.cohort.warehouse.faults import TooManyCellsError, WarehouseError, WarehouseFault
from trust_node.cohort.warehouse.replaying import Replay
from trust_node.cohort.warehouse.store import Door, Limits, in_fixed_words, version_of
from trust_node.cohort.warehouse.verifying import Verification, is_replica, kept_up, verify_on
from trust_node.cohort.warehouse.wording import Rows

__all__ = ["TooManyCellsError", "Warehouse", "WarehouseError", "WarehouseFault"]

AT_ONCE = 20_000
DEFAULT_COST = 1e9
DEFAULT_AGE_S = 3600.0
PROVE_EVERY_S = 60.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Warehouse:
    """Runs judged queries with a role that sees nothing but the views made for it.

    `dsn`: that role's address, with its secret; of a replica where there is one.
    `views_schema`, `cdm_schema`: where the views are, and where what they show is.
    `statement_s`, `lock_s`: seconds until PostgreSQL stops a statement, or its wait for a lock.
    `grace_s`: seconds more until the query is cancelled from outside.
    `cost_limit`: the plan's cost (`costing`), in the planner's unit, above which a query is not begun.
    `age_limit_s`: how old a replica's data may be, in seconds: who has opted out since is still in them.

    Every method raises WarehouseError, and no query runs before `verify` has passed on the server as it is now. A call
    that is cancelled leaves no query behind.
    """

    dsn: str = field(repr=False)
    statement_s: float = 30.0
    lock_s: float = 2.0
    grace_s: float = 2.0
    cost_limit: float = DEFAULT_COST
    views_schema: str = VIEWS
    cdm_schema: str = "omop"
    age_limit_s: float = DEFAULT_AGE_S
    last: Verification | None = field(default=None, init=False)
    _replay: Replay = field(default_factory=Replay, init=False)

    @in_fixed_words
    async def persons(self, rows: Rows) -> BitMap64:
        """Return the distinct persons that a list or a frame names."""
        found = await self._fetch(wording.persons(rows))
        return wording.set_of(row[0] for row in found)

    @in_fixed_words
    async def members(self, rows: Rows) -> list[Member]:
        """Return who and which images are named, for freezing; stays in the trust.

        Raises
        ------
        ValueError
            No accession_id is selected.
        """
        found = await self._fetch(wording.members(rows))
        return [Member(int(person), accession) for person, accession in found if accession]

    async def studies(self, listing: Rows) -> dict[int, int]:
        """Return the number of distinct accession numbers by person.

        Those that are listed, or all that a listed person has; none in a warehouse without images.
        """
        try:
            found = await self._counted(listing)
        except WarehouseError as error:
            if Kind.ACCESSION not in listing.columns and error.name in ("image_occurrence", "accession_id"):
                return {}
            raise
        return {int(person): int(studies) for person, studies in found}

    @in_fixed_words
    async def _counted(self, listing: Rows) -> list[Any]:
        return await self._fetch(wording.studies(listing))

    @in_fixed_words
    async def cells(self, table: Tabulation, limit: int) -> dict[tuple[Key, ...], BitMap64]:
        """Return the persons of each cell; raises TooManyCellsError above `limit` cells."""
        cells: dict[tuple[Key, ...], BitMap64] = {}
        async with self._query(table.sql) as (connection, sql):
            cursor = await connection.cursor(sql)
            while rows := await cursor.fetch(AT_ONCE):
                for key, persons in wording.by_key(rows):
                    cells.setdefault(key, BitMap64()).update(persons)
                if len(cells) > limit:
                    raise TooManyCellsError(limit)
        return cells

    @in_fixed_words
    async def frame(self, rows: Rows) -> list[tuple[Any, ...]]:
        """Return a training frame's rows as they were selected; for the sandbox only."""
        return [tuple(row) for row in await self._fetch(rows.sql)]

    @in_fixed_words
    async def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a question of our own, not a researcher's; they stay in the trust."""
        async with self._session() as connection, asyncio.timeout(self.statement_s + self.grace_s):
            return [tuple(row) for row in await connection.fetch(sql, *values)]

    @in_fixed_words
    async def catalogue(self) -> Catalogue:
        """Return which tables and columns are there, and the versions of CDM, vocabulary and server."""
        async with self._session() as connection:
            columns = await connection.fetch(f"SELECT * FROM {self.views_schema}_about.columns")  # noqa: S608  a setting
            release = await connection.fetch(f"SELECT * FROM {self.views_schema}_about.release")  # noqa: S608  a setting
            return Catalogue.of(map(tuple, columns), dict(map(tuple, release)), version_of(connection))

    @in_fixed_words
    async def verify(self) -> Verification:
        """Try on the live server everything that must not work, and return what does."""
        async with self._door().open() as connection:
            self.last = await self._verified(connection, None)
            return self.last

    def unready(self) -> tuple[str, ...]:
        """Tell why cohort queries are refused for now, if they are."""
        if self.last is None:
            return ("cohort queries: the warehouse is not verified yet",)
        return () if self.last.fault is None else (f"cohort queries: {self.last.fault}",)

    async def keep_proving(self) -> None:
        """Prove it at the start of the node and then each minute, so that `unready` tells of now."""
        while True:
            await self.prove()
            await asyncio.sleep(PROVE_EVERY_S)

    async def prove(self) -> None:
        """Look at it as a query would, and log what is wrong; queries are refused until it passes."""
        try:
            await self.catalogue()
        except WarehouseError as error:
            log.warning("cohort queries are refused for now: %s", error.fault.value)

    async def _fetch(self, sql: str) -> list[Any]:
        async with self._query(sql) as (connection, text):
            return list(await connection.fetch(text))

    @asynccontextmanager
    async def _query(self, sql: str) -> AsyncIterator[tuple[Any, str]]:
        async with (
            self._session() as connection,
            asyncio.timeout(self.statement_s + self.grace_s),
            connection.transaction(readonly=True),
        ):
            await self._check_cost(connection, sql)
            yield connection, sql

    async def _check_cost(self, connection: Any, sql: str) -> None:
        planned = json.loads(await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}"))
        cost = cost_of(planned[0]["Plan"])
        if dithered(cost) > self.cost_limit:
            raise WarehouseError(WarehouseFault.TOO_COSTLY)
        if (asked := pace.get()) is not None:
            asked.plan(cost, self.statement_s)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        """A connection to a server that has proven to be hardened."""
        async with self._door().open() as connection:
            self.last = await self._verified(connection, self.last)
            _tell(self.last)
            yield connection

    async def _verified(self, connection: Any, known: Verification | None) -> Verification:
        """Return what is known if it was found on this server as it is now; a replica's age is looked at each time."""
        now = (version_of(connection), is_replica(connection))
        if known is None or not known.is_hardened or (known.server_version, known.is_replica) != now:
            known = await verify_on(connection, self.views_schema, self.cdm_schema, version_of(connection))
        if not (known.is_replica and known.is_hardened):
            return known
        age_s = await self._replay.age_s(connection, self.age_limit_s)
        return replace(known, replay=kept_up(age_s, self.age_limit_s))

    def _door(self) -> Door:
        return Door(self.dsn, self.views_schema, Limits(self.statement_s, self.lock_s, self.grace_s))


def _tell(verification: Verification) -> None:
    if verification.fault is not None:
        log.error("cohort queries are refused, %s: %s", verification.fault, ", ".join(verification.failed))
        raise WarehouseError(verification.fault)
