"""The OMOP warehouse: one fresh read-only connection for each judged query, with limits, closed afterwards."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap64

from schemas.sql.allowed import Kind
from schemas.sql.tabulation import Tabulation
from trust_node.cohort.freeze import Member
from trust_node.cohort.hardening.layout import VIEWS
from trust_node.cohort.release import Key
from trust_node.cohort.warehouse import wording
from trust_node.cohort.warehouse.catalogue import Catalogue
from trust_node.cohort.warehouse.faults import TooManyCellsError, WarehouseError, WarehouseFault
from trust_node.cohort.warehouse.store import Door, Limits, in_fixed_words, version_of
from trust_node.cohort.warehouse.verifying import Verification, verify_on
from trust_node.cohort.warehouse.wording import Rows

__all__ = ["TooManyCellsError", "Warehouse", "WarehouseError", "WarehouseFault"]

AT_ONCE = 5_000
DEFAULT_COST = 1e9

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Warehouse:
    """Runs judged queries with a role that sees nothing but the views made for it.

    `dsn`: that role's address, with its secret; of a replica where there is one.
    `views_schema`, `cdm_schema`: where the views are, and where what they show is.
    `statement_s`, `lock_s`: seconds until PostgreSQL stops a statement, or its wait for a lock.
    `grace_s`: seconds more until the query is cancelled from outside.
    `cost_limit`: the planner's cost, in its own unit, above which a query is not begun.

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
    last: Verification | None = field(default=None, init=False)

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
            async for row in connection.cursor(sql, prefetch=AT_ONCE):
                *key, person = row
                cells.setdefault(tuple(map(wording.plain, key)), BitMap64()).update(wording.set_of([person]))
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
        async with self._session() as connection:
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
            self.last = await verify_on(connection, self.views_schema, self.cdm_schema, version_of(connection))
            return self.last

    def unready(self) -> tuple[str, ...]:
        """Tell why cohort queries are refused for now, if they are."""
        if self.last is None:
            return ("cohort queries: the warehouse is not verified yet",)
        return () if self.last.passed else (f"cohort queries: {WarehouseFault.NOT_HARDENED}",)

    async def prove(self) -> None:
        """Verify once, at the start of the node, and log what is wrong; queries are refused until it passes."""
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
        planned = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}"))
        if planned[0]["Plan"]["Total Cost"] > self.cost_limit:
            raise WarehouseError(WarehouseFault.TOO_COSTLY)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        """A connection to a server that has proven to be hardened."""
        async with self._door().open() as connection:
            if self.last is None or not self.last.passed or self.last.server_version != version_of(connection):
                self.last = await verify_on(connection, self.views_schema, self.cdm_schema, version_of(connection))
                _tell(self.last)
            yield connection

    def _door(self) -> Door:
        return Door(self.dsn, self.views_schema, Limits(self.statement_s, self.lock_s, self.grace_s))


def _tell(verification: Verification) -> None:
    if not verification.passed:
        log.error("cohort queries are refused, the warehouse is not hardened: %s", ", ".join(verification.failed))
        raise WarehouseError(WarehouseFault.NOT_HARDENED)
