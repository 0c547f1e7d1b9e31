"""Judged queries on a real PostgreSQL: who is behind each answer, what may go wrong, and that nothing stays behind."""

import asyncio
import os
import signal
import sys
from typing import Any

import pytest

from schemas.sql.allowed import Kind
from schemas.sql.judge import Frame, Listing, judge
from schemas.sql.tabulation import Tabulation
from tests.integration.eventually import until
from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.cohort.freeze import Member
from trust_node.cohort.store import TooManyCellsError, Warehouse, WarehouseError, WarehouseFault

pytestmark = pytest.mark.integration

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n"
MORE = """
insert into omop.measurement (measurement_id, person_id, measurement_concept_id, measurement_date,
  measurement_type_concept_id, value_as_number)
  select 1000 + n, 1, 77, '2020-01-01', 0, n from generate_series(1, 300) n;
insert into omop.measurement (measurement_id, person_id, measurement_concept_id, measurement_date,
  measurement_type_concept_id, value_as_number)
  select 2000 + n, n, 78, '2020-01-01', 0, n from generate_series(1, 12) n;
insert into omop.image_occurrence (image_occurrence_id, person_id, accession_id) values (99, 50, null), (98, 1, 'ACC1'),
  (97, 50, 'UNKNOWN'), (96, 51, 'UNKNOWN');
"""


@pytest.fixture(scope="module")
async def ground(postgres: Any) -> Ground:
    return await warehouse_ground(postgres, [*cdm(), MORE])


@pytest.fixture
async def warehouse(ground: Ground) -> Warehouse:
    return await ground.hardened()


def listing(sql: str) -> Any:
    judged = judge(sql)
    assert isinstance(judged, Listing | Frame)
    return judged


def past_the_judge(sql: str) -> Listing:
    return Listing(sql, (Kind.PERSON,))


async def test_persons_are_each_counted_once(warehouse: Warehouse) -> None:
    assert set(await warehouse.persons(listing("SELECT person_id FROM measurement -- all of them"))) == set(
        range(1, 13)
    )
    assert set(await warehouse.persons(listing("SELECT accession_id FROM image_occurrence"))) == set(range(1, 41))


async def test_each_cell_has_its_persons(warehouse: Warehouse) -> None:
    table = judge("SELECT measurement_concept_id, count(*) FROM omop.measurement GROUP BY measurement_concept_id")
    assert isinstance(table, Tabulation)
    cells = await warehouse.cells(table, 2)
    assert {key: set(persons) for key, persons in cells.items()} == {(77,): {1}, (78,): set(range(1, 13))}
    with pytest.raises(TooManyCellsError):
        await warehouse.cells(table, 1)


async def test_a_decade_comes_as_a_whole_number(warehouse: Warehouse) -> None:
    table = judge("SELECT floor(year_of_birth / 10) AS decade, count(*) FROM person GROUP BY decade")
    assert isinstance(table, Tabulation)
    assert set((await warehouse.cells(table, 100))[(195,)]) == set(range(10, 20))


@pytest.mark.parametrize("columns", ["person_id, accession_id", 'accession_id AS "Scan", person_id AS p'])
async def test_the_members_of_a_list_are_each_image_once(warehouse: Warehouse, columns: str) -> None:
    found = await warehouse.members(listing(f"SELECT {columns} FROM image_occurrence"))
    shared = [Member(n, "UNKNOWN") for n in (50, 51)]
    assert sorted(found) == sorted([*(Member(n, f"ACC{n}") for n in range(1, 41)), *shared])


async def test_a_number_that_several_persons_share_stands_for_none_of_them(warehouse: Warehouse) -> None:
    numbers = listing("SELECT accession_id FROM image_occurrence")
    assert sorted(await warehouse.members(numbers)) == sorted(Member(n, f"ACC{n}") for n in range(1, 41))
    assert set(await warehouse.persons(numbers)) == set(range(1, 41))
    assert await warehouse.studies(numbers) == dict.fromkeys(range(1, 41), 1)


async def test_a_frame_has_its_rows_and_its_members(warehouse: Warehouse) -> None:
    frame = listing(
        'SELECT i.accession_id, p.gender_concept_id AS "Sex" FROM image_occurrence i JOIN person p USING (person_id)'
        " WHERE p.year_of_birth < 1944"
    )
    assert sorted(await warehouse.frame(frame)) == [("ACC1", 8507), ("ACC1", 8507), ("ACC2", 8507), ("ACC3", 8507)]
    assert sorted(await warehouse.members(frame)) == [Member(n, f"ACC{n}") for n in (1, 2, 3)]
    assert set(await warehouse.persons(frame)) == {1, 2, 3}


async def test_studies_are_counted_apart_from_persons(warehouse: Warehouse) -> None:
    every = dict.fromkeys([*range(1, 41), 50, 51], 1)
    assert await warehouse.studies(listing("SELECT accession_id, person_id FROM image_occurrence")) == every
    assert await warehouse.studies(listing("SELECT person_id FROM person")) == every


async def test_a_statement_over_its_time_is_stopped(ground: Ground) -> None:
    await ground.hardened()
    fast = Warehouse(ground.reader_dsn, statement_s=0.3)
    with pytest.raises(WarehouseError) as error:
        await fast.persons(past_the_judge(ENDLESS))
    assert error.value.fault is WarehouseFault.TIMEOUT
    assert await _running(ground) == 0


async def test_a_cancelled_call_leaves_no_query_behind(ground: Ground, warehouse: Warehouse) -> None:
    task = asyncio.create_task(warehouse.persons(past_the_judge(ENDLESS)))
    await until(lambda: _is_running(ground))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: _is_idle(ground))


async def test_a_node_that_is_killed_leaves_no_query_behind(ground: Ground, warehouse: Warehouse) -> None:
    await warehouse.verify()
    program = (
        "import asyncio, sys\nfrom schemas.sql.allowed import Kind\nfrom schemas.sql.judge import Listing\n"
        "from trust_node.cohort.store import Warehouse\n"
        f"asyncio.run(Warehouse(sys.argv[1]).persons(Listing({ENDLESS!r}, (Kind.PERSON,))))"
    )
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", program, ground.reader_dsn)
    await until(lambda: _is_running(ground))
    os.kill(killed.pid, signal.SIGKILL)
    await killed.wait()
    await until(lambda: _is_idle(ground))


async def _is_running(ground: Ground) -> bool:
    return await _running(ground) > 0


async def _is_idle(ground: Ground) -> bool:
    return await _running(ground) == 0


async def _running(ground: Ground) -> int:
    asked = "select count(*) from pg_stat_activity where usename = $1 and query like '%RECURSIVE%' and state = 'active'"
    return int((await ground.fetch(asked, ground.reader))[0][0])


async def test_what_would_cost_too_much_is_not_begun(ground: Ground) -> None:
    await ground.hardened()
    careful = Warehouse(ground.reader_dsn, cost_limit=1.0)
    with pytest.raises(WarehouseError) as error:
        await careful.persons(listing("SELECT person_id FROM measurement"))
    assert error.value.fault is WarehouseFault.TOO_COSTLY


async def test_the_servers_words_never_leave(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as error:
        await warehouse.persons(past_the_judge("SELECT concept_name::int FROM (SELECT 'Canary' AS concept_name) AS c"))
    assert error.value.fault is WarehouseFault.QUERY_FAILED
    assert error.value.__cause__ is None
    assert error.value.__context__ is None
    assert "Canary" not in str(error.value) + error.value.sentence


@pytest.mark.parametrize("sql", ["SELECT -1", "SELECT 99999999999999999999"])
async def test_a_person_that_fits_no_set_is_named_as_the_trusts_fault(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError) as error:
        await warehouse.persons(past_the_judge(sql))
    assert error.value.fault is WarehouseFault.PERSON_ID_UNFIT


async def test_a_warehouse_that_is_away_is_told_as_unreachable() -> None:
    with pytest.raises(WarehouseError) as error:
        await Warehouse("postgresql://nobody:x@127.0.0.1:9/omop").persons(listing("SELECT person_id FROM person"))
    assert error.value.fault is WarehouseFault.UNREACHABLE


def test_every_fault_has_a_sentence_and_the_address_is_not_shown() -> None:
    assert all(WarehouseError(fault, "note").sentence.endswith(".") for fault in WarehouseFault)
    assert "secret" not in repr(Warehouse("postgresql://reader:secret@host/omop"))
