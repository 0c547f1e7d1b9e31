"""The OMOP warehouse: one fresh read-only connection for each judged query, with limits, closed afterwards."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import asyncpg

from schemas.sql.allowed import SCHEMA, Kind
from schemas.sql.judge import Listing
from schemas.sql.tabulation import Tabulation
from trust_node.cohort.freeze import Member
from trust_node.cohort.release import Key


class WarehouseFault(StrEnum):
    """All that is told of a failure: PostgreSQL's own words may quote patients' values."""

    TIMEOUT = "timeout"
    QUERY_FAILED = "query_failed"
    UNREACHABLE = "warehouse_unreachable"


class WarehouseError(Exception):
    def __init__(self, fault: WarehouseFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Runs judged queries with a role that may only read.

    `dsn`: the read-only role's address, with its secret.
    `statement_s`, `lock_s`: seconds until PostgreSQL stops a statement, or its wait for a lock.
    `grace_s`: seconds more until the query is cancelled from outside.
    """

    dsn: str = field(repr=False)
    statement_s: float = 30.0
    lock_s: float = 2.0
    grace_s: float = 2.0

    async def count(self, listing: Listing) -> int:
        """Return the distinct persons of a list; raises WarehouseError."""
        rows = await self._fetch(_count_of(_members(listing)))
        return int(rows[0][0])

    async def cells(self, table: Tabulation, limit: int) -> list[tuple[tuple[Key, ...], int]]:
        """Return each cell's key and distinct persons, at most `limit` + 1 cells; raises WarehouseError."""
        rows = await self._fetch(_cut(table.sql, limit + 1))
        return [(tuple(map(_plain, row[:-1])), int(row[-1])) for row in map(tuple, rows)]

    async def members(self, listing: Listing) -> list[Member]:
        """Return who and which images a list names, for freezing; stays in the trust.

        Raises
        ------
        ValueError
            The list selects no accession_id.
        WarehouseError
            The warehouse gave no answer.
        """
        if Kind.ACCESSION not in listing.columns:
            raise ValueError("the list names no images; judge it with needs_accession")
        rows = await self._fetch(_members(listing))
        return [Member(int(row["person_id"]), row["accession_id"]) for row in rows if row["accession_id"]]

    async def _fetch(self, sql: str) -> list[Any]:
        return await _with_faults(lambda: self._fetch_within(sql))

    async def _fetch_within(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self.dsn, timeout=10, server_settings=self._settings())
        try:
            async with asyncio.timeout(self.statement_s + self.grace_s), connection.transaction(readonly=True):
                return list(await connection.fetch(sql))
        finally:
            connection.terminate()

    def _settings(self) -> dict[str, str]:
        return {
            "application_name": "trustflow-cohort",
            "default_transaction_read_only": "on",
            "search_path": SCHEMA,
            "statement_timeout": _milliseconds(self.statement_s),
            "lock_timeout": _milliseconds(self.lock_s),
            "idle_in_transaction_session_timeout": _milliseconds(self.statement_s),
            "jit": "off",
        }


async def _with_faults(action: Callable[[], Coroutine[Any, Any, list[Any]]]) -> list[Any]:
    try:
        return await action()
    except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError):
        fault = WarehouseFault.TIMEOUT
    except (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, OSError) as error:
        # TimeoutError is an OSError: ours while the query ran, or the connection's.
        fault = WarehouseFault.TIMEOUT if isinstance(error, TimeoutError) else WarehouseFault.UNREACHABLE
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.TooManyConnectionsError):
        fault = WarehouseFault.UNREACHABLE
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        fault = WarehouseFault.QUERY_FAILED
    raise WarehouseError(fault)


def _count_of(members: str) -> str:
    return f"SELECT count(DISTINCT person_id) FROM ({members}) AS members"  # noqa: S608  judged text


def _cut(judged: str, rows: int) -> str:
    return f"SELECT * FROM (\n{judged}\n) AS cells LIMIT {rows}"  # noqa: S608  judged text


def _members(listing: Listing) -> str:
    """Return the judged text as a subquery with known column names, completed with the person."""
    names = ", ".join(f"{kind.value}_id" for kind in listing.columns)
    # The line break keeps a comment at the end of the judged text from swallowing the bracket.
    listed = f"(\n{listing.sql}\n) AS listed({names})"
    if Kind.PERSON in listing.columns:
        accession = "accession_id" if Kind.ACCESSION in listing.columns else "NULL::text"
        return f"SELECT DISTINCT person_id, {accession} AS accession_id FROM {listed}"  # noqa: S608  judged text
    images = f"JOIN {SCHEMA}.image_occurrence AS image USING (accession_id)"
    return f"SELECT DISTINCT image.person_id, accession_id FROM {listed} {images}"  # noqa: S608  judged text


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _plain(value: Any) -> Key:
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, (float, Decimal)) and value == int(value):
        return int(value)
    return str(value)
