"""The reader's connections: a fresh one for each query, with limits of its own, ended whatever happens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import asyncpg

from schemas.sql.allowed import COLUMN_NAMES, TABLES
from trust_node.cohort.warehouse.faults import WarehouseError, WarehouseFault

CONNECT_S = 10.0

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """`statement_s`, `lock_s`: seconds until PostgreSQL stops a statement, or its wait for a lock.

    `grace_s`: seconds more until the query is cancelled from outside.
    """

    statement_s: float
    lock_s: float
    grace_s: float


@dataclass(frozen=True, slots=True)
class Door:
    """Where and how the reader comes in."""

    dsn: str = field(repr=False)
    views_schema: str
    limits: Limits

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        """Yield a connection. A statement that still runs at the end is cancelled on the server first."""
        connection = await self._connected()
        try:
            yield connection
        except asyncpg.InterfaceError:
            # The server has ended the session between two statements.
            if connection.is_closed():
                raise ConnectionResetError from None
            raise
        finally:
            try:
                await connection.close(timeout=self.limits.grace_s)
            finally:
                connection.terminate()

    async def _connected(self) -> Any:
        try:
            return await asyncpg.connect(self.dsn, timeout=CONNECT_S, server_settings=self._settings())
        except TimeoutError:
            raise ConnectionRefusedError from None

    def _settings(self) -> dict[str, str]:
        return {
            "application_name": "trustflow-cohort",
            "default_transaction_read_only": "on",
            "search_path": self.views_schema,
            "statement_timeout": _milliseconds(self.limits.statement_s),
            "lock_timeout": _milliseconds(self.limits.lock_s),
            "idle_in_transaction_session_timeout": _milliseconds(self.limits.statement_s),
            # The server looks itself whether this process is still there.
            "client_connection_check_interval": "1000",
            "max_parallel_workers_per_gather": "0",
            "jit": "off",
        }


def version_of(connection: Any) -> str:
    """Return the server's own version, as it said at the start of this connection."""
    return str(connection.get_settings().server_version).split()[0]


def in_fixed_words(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Raise WarehouseError for what the server says, without the server's own words."""

    @wraps(method)
    async def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        # A value that Python has no room for, such as a date of the year 10000, is the query's fault, too.
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError, OverflowError) as error:
            fault, name = _fault_of(error)
        raise WarehouseError(fault, name)

    return told


def _fault_of(error: Exception) -> tuple[WarehouseFault, str]:
    match error:
        case asyncpg.UndefinedColumnError() | asyncpg.UndefinedTableError():
            name = _named_by(error)
            return (WarehouseFault.COLUMN_ABSENT if name else WarehouseFault.QUERY_FAILED), name
        case asyncpg.QueryCanceledError() | TimeoutError():
            return WarehouseFault.TIMEOUT, ""
        # A replica's replay, or a load, that needs the rows or the table now.
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError() | asyncpg.LockNotAvailableError():
            return WarehouseFault.INTERRUPTED, ""
        # Role and database may not have come to a replica yet.
        case (
            asyncpg.PostgresConnectionError() | asyncpg.OperatorInterventionError() | OSError()
            | asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InvalidCatalogNameError()
            | asyncpg.TooManyConnectionsError()
        ):  # fmt: skip
            return WarehouseFault.UNREACHABLE, ""
        case _:
            return WarehouseFault.QUERY_FAILED, ""


def _named_by(error: Exception) -> str:
    """Return the last word of the server's message that is a name of the CDM: no other word may be told."""
    words = "".join(letter if letter.isalnum() or letter == "_" else " " for letter in str(error)).split()
    known = COLUMN_NAMES if isinstance(error, asyncpg.UndefinedColumnError) else TABLES.keys()
    return next((word for word in reversed(words) if word in known), "")


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))
