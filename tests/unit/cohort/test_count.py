from dataclasses import dataclass, field

from schemas.sql.judge import Listing
from schemas.sql.refusal import RefusalCode, Refused
from schemas.sql.tabulation import Tabulation
from trust_node.cohort.count import Counted, Failed, Suppressed, Tabulated, answer
from trust_node.cohort.release import Cell, Key, ReleasePolicy
from trust_node.cohort.store import WarehouseError, WarehouseFault

PEOPLE = "SELECT person_id FROM person"
BY_SEX = "SELECT gender_concept_id, count(*) FROM person GROUP BY 1"


@dataclass
class KnownPersons:
    """A warehouse whose answers are given beforehand."""

    persons: int = 0
    groups: list[tuple[tuple[Key, ...], int]] = field(default_factory=list)
    fault: WarehouseFault | None = None
    asked: int = 0

    async def count(self, listing: Listing) -> int:
        self._ask()
        return self.persons

    async def cells(self, table: Tabulation, limit: int) -> list[tuple[tuple[Key, ...], int]]:
        self._ask()
        return self.groups

    def _ask(self) -> None:
        self.asked += 1
        if self.fault:
            raise WarehouseError(self.fault)


async def test_none_and_few_persons_get_one_identical_answer() -> None:
    answers = [await answer(PEOPLE, KnownPersons(persons), ReleasePolicy()) for persons in (0, 1, 9)]
    assert answers == [Suppressed()] * 3
    assert await answer(PEOPLE, KnownPersons(10), ReleasePolicy()) == Counted(10)


async def test_a_refused_query_never_reaches_the_warehouse() -> None:
    warehouse = KnownPersons(1000)
    refused = await answer("SELECT * FROM person", warehouse, ReleasePolicy())
    assert isinstance(refused, Refused)
    assert warehouse.asked == 0


async def test_a_fault_of_the_warehouse_is_told_by_its_code_alone() -> None:
    warehouse = KnownPersons(fault=WarehouseFault.TIMEOUT)
    assert await answer(PEOPLE, warehouse, ReleasePolicy()) == Failed(WarehouseFault.TIMEOUT)


async def test_a_table_keeps_only_cells_of_enough_persons() -> None:
    warehouse = KnownPersons(groups=[((8507,), 31), ((8532,), 3)])
    assert await answer(BY_SEX, warehouse, ReleasePolicy()) == Tabulated(("gender_concept_id",), (Cell((8507,), 30),))


async def test_a_table_of_small_cells_is_suppressed_like_an_empty_one() -> None:
    for groups in ([], [((8507,), 9)]):
        assert await answer(BY_SEX, KnownPersons(groups=groups), ReleasePolicy()) == Suppressed()


async def test_a_single_count_is_released_like_a_list() -> None:
    warehouse = KnownPersons(groups=[((), 23)])
    assert await answer("SELECT count(*) FROM person", warehouse, ReleasePolicy()) == Counted(25)


async def test_a_table_with_too_many_cells_is_refused() -> None:
    warehouse = KnownPersons(groups=[((year,), 50) for year in range(5)])
    refused = await answer(BY_SEX, warehouse, ReleasePolicy(max_cells=4))
    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.TOO_MANY_CELLS
