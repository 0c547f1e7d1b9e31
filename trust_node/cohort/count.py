"""One cohort query from the researcher's text to what may leave the trust."""

from dataclasses import dataclass
from typing import Protocol

from schemas.sql.judge import Listing, judge
from schemas.sql.refusal import RefusalCode, Refused
from schemas.sql.tabulation import Tabulation
from trust_node.cohort.release import Cell, Key, ReleasePolicy, release, release_cells
from trust_node.cohort.store import WarehouseError, WarehouseFault


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct persons, as released."""

    persons: int


@dataclass(frozen=True, slots=True)
class Tabulated:
    """Distinct persons per cell, as released. There is no total: it would give hidden cells away."""

    keys: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Fewer persons than the threshold, perhaps none."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The warehouse gave no answer; nothing else is told."""

    fault: WarehouseFault


Answer = Counted | Tabulated | Suppressed | Refused | Failed


class CountsPersons(Protocol):
    """What `answer` needs of the warehouse."""

    async def count(self, listing: Listing) -> int: ...

    async def cells(self, table: Tabulation, limit: int) -> list[tuple[tuple[Key, ...], int]]: ...


async def answer(
    sql: str,
    warehouse: CountsPersons,
    policy: ReleasePolicy,
    *,
    needs_accession: bool = False,
) -> Answer:
    """Judge, run and release one query; every outcome is a value, none raises."""
    verdict = judge(sql, needs_accession=needs_accession)
    if isinstance(verdict, Refused):
        return verdict
    try:
        if isinstance(verdict, Listing):
            return _counted(await warehouse.count(verdict), policy)
        return _tabulated(verdict.keys, await warehouse.cells(verdict, policy.max_cells), policy)
    except WarehouseError as error:
        return Failed(error.fault)


def _counted(persons: int, policy: ReleasePolicy) -> Counted | Suppressed:
    released = release(persons, policy)
    return Suppressed() if released is None else Counted(released)


def _tabulated(
    keys: tuple[str, ...],
    cells: list[tuple[tuple[Key, ...], int]],
    policy: ReleasePolicy,
) -> Counted | Tabulated | Suppressed | Refused:
    if not keys:
        return _counted(cells[0][1], policy)
    if len(cells) > policy.max_cells:
        return Refused(
            RefusalCode.TOO_MANY_CELLS,
            f"The table has over {policy.max_cells} cells; group more coarsely.",
        )
    released = release_cells(cells, policy)
    return Tabulated(keys, released) if released else Suppressed()
