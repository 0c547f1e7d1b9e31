"""Try on the live server, as the reader, everything that must not work."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

from trust_node.cohort.hardening.executable import executable
from trust_node.cohort.warehouse.faults import WarehouseFault
from trust_node.cohort.warehouse.probes import HELD, RUNS_LONG, TIMER_S, Probe, probes
from trust_node.cohort.warehouse.replaying import POSITION

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Result:
    """`found`: what stopped it, or what was found open."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`probed`: what must not work, and what must. `replay`: whether a replica is near enough to its primary."""

    server_version: str
    probed: tuple[Result, ...]
    is_replica: bool = False
    replay: Result | None = None

    @property
    def results(self) -> tuple[Result, ...]:
        return (*self.probed, self.replay) if self.replay else self.probed

    @property
    def is_hardened(self) -> bool:
        return all(result.passed for result in self.probed)

    @property
    def passed(self) -> bool:
        return not self.failed

    @property
    def fault(self) -> WarehouseFault | None:
        """Why queries are refused."""
        if self.passed:
            return None
        return WarehouseFault.BEHIND if self.is_hardened else WarehouseFault.NOT_HARDENED

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(result.name for result in self.results if not result.passed)


async def verify_on(connection: Any, views_schema: str, cdm_schema: str, server_version: str) -> Verification:
    """Try every probe on the reader's connection, outside a transaction; nothing is changed."""
    tried = [await _tried(connection, probe) for probe in probes(cdm_schema)]
    tried += [await _timed(connection), await _held(connection), await _exposed(connection, views_schema)]
    replica = is_replica(connection)
    return Verification(server_version, (*tried, await _tells(connection)) if replica else tuple(tried), replica)


def is_replica(connection: Any) -> bool:
    """Return what the server says of itself now; one that is promoted says so at once."""
    return getattr(connection.get_settings(), "in_hot_standby", "off") == "on"


def kept_up(age_s: float, limit_s: float) -> Result:
    """Return what is to be said of a replica whose data may be so old."""
    old = f"its data may be {ceil(age_s)} s old" if isfinite(age_s) else "nothing tells how old its data are"
    return Result("keeps up with its primary", age_s <= limit_s, f"{old}; {limit_s:g} s are allowed")


async def _tried(connection: Any, probe: Probe) -> Result:
    state = await _state(connection, probe.sql)
    passed = state in probe.stops_by
    return Result(f"cannot {probe.name}", passed, f"stopped, {state}" if passed else f"ran, {state or 'no error'}")


async def _timed(connection: Any) -> Result:
    before = await connection.fetchval("SHOW statement_timeout")
    await connection.execute(f"SET statement_timeout = {round(TIMER_S * 1000)}")
    result = await _tried(connection, RUNS_LONG)
    await connection.execute(f"SET statement_timeout = '{before}'")
    return result


async def _held(connection: Any) -> Result:
    wrong = [name for name, value in HELD.items() if await connection.fetchval(f"SHOW {name}") != value]
    lifted = [name for name in HELD if await _state(connection, f"SET {name} = DEFAULT") != "42501"]
    found = sorted({*wrong, *lifted})
    return Result("cannot lift its limits", not found, _some(found) or "as set by the administrator")


async def _tells(connection: Any) -> Result:
    state = await _state(connection, POSITION)
    told = f"may not be asked, {state}; harden its primary again" if state else "by its place in the primary's log"
    return Result("tells how far it has replayed", state is None, told)


async def _exposed(connection: Any, views_schema: str) -> Result:
    """Compare what PUBLIC and the reader may use with the golden list; a new version may have brought something."""
    state = await _state(connection, f"SELECT FROM {views_schema}_about.exposed LIMIT 0")
    if state is not None:
        return Result("may use nothing else", False, f"the view that tells is missing, {state}")
    rows = await connection.fetch(f"SELECT DISTINCT kind, name FROM {views_schema}_about.exposed")  # noqa: S608  a setting
    extra = sorted(f"{kind} {name}" for kind, name in rows if kind != "function" or name not in executable())
    return Result("may use nothing else", not extra, _some(extra) or f"{len(rows)} functions, all on the list")


async def _state(connection: Any, sql: str) -> str | None:
    """Return the SQLSTATE that the statement ends with, None if it runs."""
    try:
        await connection.execute(sql)
    except Exception as error:
        if state := getattr(error, "sqlstate", None):
            return str(state)
        raise
    return None


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more
