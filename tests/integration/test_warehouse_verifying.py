"""No query runs on a server that was not proven to be hardened, and what is open is named."""

from typing import Any

import pytest

from schemas.sql.judge import Listing, judge
from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.cohort.store import Warehouse, WarehouseError, WarehouseFault
from trust_node.cohort.warehouse.probes import probes

pytestmark = pytest.mark.integration


def everybody() -> Listing:
    judged = judge("SELECT person_id FROM person")
    assert isinstance(judged, Listing)
    return judged


@pytest.fixture(scope="module")
async def ground(postgres: Any) -> Ground:
    return await warehouse_ground(postgres, cdm())


async def test_a_plain_read_only_role_is_refused_and_told_why(ground: Ground) -> None:
    await ground.execute(
        f"grant usage on schema omop to {ground.reader}; grant select on all tables in schema omop to {ground.reader}"
    )
    plain = Warehouse(ground.reader_dsn, views_schema="omop")
    with pytest.raises(WarehouseError) as error:
        await plain.persons(everybody())
    assert error.value.fault is WarehouseFault.NOT_HARDENED
    failed = (await plain.verify()).failed
    assert {"cannot see source values", "cannot read statistics", "cannot sleep", "may use nothing else"} <= set(failed)
    assert len(failed) > 15


async def test_a_hardened_one_passes_and_is_asked_once(ground: Ground) -> None:
    warehouse = await ground.hardened()
    assert len(await warehouse.persons(everybody())) == 60
    proof = warehouse.last
    assert proof is not None
    assert len(proof.results) == len(probes("omop")) + 3
    await warehouse.persons(everybody())
    assert warehouse.last is proof


@pytest.mark.parametrize(
    ("opened", "named"),
    [
        ("grant execute on function pg_catalog.pg_sleep(double precision) to public", "cannot sleep"),
        ("grant execute on function pg_catalog.chr(integer) to {reader}", "may use nothing else"),
        ("grant select on pg_catalog.pg_class to public", "cannot read the catalogue"),
        (
            "grant usage on schema omop to {reader}; grant select on omop.person to {reader}",
            "cannot read the CDM's tables",
        ),
        ("alter role {reader} inherit", "may use nothing else"),
        ("grant pg_read_all_data to {reader}", "cannot change its role"),
        ("grant temporary on database {database} to public", "may use nothing else"),
        ("grant usage on language plpgsql to public", "cannot run a block of code"),
        ("alter role {reader} in database {database} set temp_file_limit = '4GB'", "cannot lift its limits"),
        ("drop schema trustflow_cohort_about cascade", "may use nothing else"),
    ],
)
async def test_what_is_opened_again_is_found_after_an_upgrade(ground: Ground, opened: str, named: str) -> None:
    warehouse = await ground.hardened()
    await warehouse.verify()
    await ground.execute(opened.format(reader=ground.reader, database=ground.database))
    assert warehouse.last is not None
    # as after an upgrade: the server is another than the one that was verified
    object.__setattr__(warehouse.last, "server_version", "14.0.0")
    with pytest.raises(WarehouseError) as error:
        await warehouse.persons(everybody())
    assert error.value.fault is WarehouseFault.NOT_HARDENED
    assert named in warehouse.last.failed
    await ground.hardened()
    assert len(await warehouse.persons(everybody())) == 60
