"""Cohort queries on a hot standby: the same answers, nothing written, and what replay does to them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from schemas.sql.allowed import Kind
from schemas.sql.judge import Listing, judge
from schemas.sql.refusal import Refused
from schemas.sql.tabulation import Tabulation
from schemas.trust import CountCohort
from tests.conftest import Database
from tests.corpora.reading import good
from tests.integration.cohort_world import EVERYBODY, IMAGED, cohort_world
from tests.integration.eventually import until
from tests.integration.omop_ground import OmopGround
from tests.integration.replica_ground import NOWHERE, SINCE_COMMIT, Pair, pair_in, standby_of
from tests.integration.study_world import node_pool
from tests.integration.test_warehouse_commands import FakePacs, Site
from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.cohort import commands
from trust_node.cohort.asking import question
from trust_node.cohort.finding import Found, find
from trust_node.cohort.freeze import Member
from trust_node.cohort.frozen.shrinking import STILL_THERE
from trust_node.cohort.hardening.layout import VIEWS
from trust_node.cohort.hardening.store import HardeningError, harden
from trust_node.cohort.store import Warehouse, WarehouseError, WarehouseFault
from trust_node.cohort.vocabulary import Wanted, search
from trust_node.cohort.warehouse.checking import WarehouseCheck
from trust_node.cohort.warehouse.store import Door, Limits, in_fixed_words

pytestmark = pytest.mark.integration

ENDLESS = Listing(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT person_id FROM person, n", (Kind.PERSON,)
)
RUNS = "select exists (select from pg_stat_activity where state = 'active' and query like 'SELECT DISTINCT%{words}%')"
CHANGED = "update omop.person set year_of_birth = year_of_birth;\nvacuum omop.person"
OPTED_OUT = "create schema hospital; create table hospital.gone (person_id int)"
MANY_ROWS = """
insert into omop.measurement (measurement_id, person_id, measurement_concept_id, measurement_date,
  measurement_type_concept_id, value_as_number)
  select n, 1, 77, '2020-01-01', 0, n from generate_series(1, 2000) n;
insert into omop.measurement (measurement_id, person_id, measurement_concept_id, measurement_date,
  measurement_type_concept_id, value_as_number)
  select 2000 + n, n, 78, '2020-01-01', 0, n from generate_series(1, 12) n;
"""
SLOW = (
    "SELECT a.person_id FROM measurement a JOIN measurement b ON b.person_id = a.person_id"
    " JOIN measurement c ON c.person_id = a.person_id JOIN measurement d ON d.person_id = a.person_id"
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair_in(tmp_path_factory.mktemp("pair")) as made:
        yield made


@pytest.fixture(autouse=True)
async def _streaming(pair: Pair) -> None:
    """Each test begins on a standby that streams and shows all that the primary has."""
    pair.standby.reset()
    await pair.streams()
    await pair.replayed()


@pytest.fixture
def primary(pair: Pair) -> Warehouse:
    return Warehouse(pair.ground.dsn_reader)


@pytest.fixture
def standby(pair: Pair) -> Warehouse:
    return Warehouse(pair.copy(pair.ground.dsn_reader))


@pytest.fixture(scope="module")
async def pool(pair: Pair) -> AsyncIterator[Any]:
    async with node_pool(Database(pair.primary), "node") as pool:
        yield pool


def everybody() -> Listing:
    judged = judge(EVERYBODY)
    assert isinstance(judged, Listing)
    return judged


async def small_ground(pair: Pair, *more: str) -> Ground:
    """60 people in a database of their own, on both servers; not hardened."""
    ground = await warehouse_ground(Database(pair.primary), [*cdm(), *more])
    await pair.replayed()
    return ground


async def fault_of(warehouse: Warehouse, rows: Listing | None = None) -> WarehouseError:
    with pytest.raises(WarehouseError) as error:
        await warehouse.persons(rows or everybody())
    assert error.value.__cause__ is error.value.__context__ is None
    return error.value


async def runs(pair: Pair, words: str) -> bool:
    """Whether a query of the node with these words runs on the standby."""
    return bool(await pair.standby.ask(RUNS.format(words=words)))


async def ended(pair: Pair, words: str) -> bool:
    return not await runs(pair, words)


async def found(warehouse: Warehouse, **asked: Any) -> Found:
    who = {"trust_id": "amber", "query_id": "q" * 8, "project_id": "p" * 8}

    async def advanced() -> None: ...

    return await find(question(CountCohort.model_validate(who | asked)), warehouse, 400, advanced)


async def test_what_is_hardened_on_the_primary_is_hardened_on_the_standby(pair: Pair, tmp_path: Path) -> None:
    ground = await small_ground(pair)
    copy = pair.copy(ground.reader_dsn)
    site = Site(tmp_path, ground, WAREHOUSE_REPLICA_URL=copy)
    assert (await asyncio.to_thread(site.run, "verify"))[0] == 1
    code, results, _ = await asyncio.to_thread(site.run, "harden", "--apply", "--json")
    assert code == 0
    assert {"tells how far it has replayed", "keeps up with its primary"} <= {row.get("name") for row in results}
    code, _, shown = await asyncio.to_thread(site.run, "verify")
    assert (code, "a replica" in shown) == (0, True)
    assert len(await Warehouse(copy).persons(everybody())) == 60
    with pytest.raises(HardeningError, match="harden its primary"):
        await harden(pair.copy(ground.dsn), ground.layout())


async def test_hardening_that_is_replayed_later_is_waited_for(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "FOLLOWS_S", 0.3)
    ground = await small_ground(pair)
    copy = pair.copy(ground.reader_dsn)
    site, node = Site(tmp_path, ground, WAREHOUSE_REPLICA_URL=copy), Warehouse(copy)
    await pair.standby.ask("select pg_wal_replay_pause()")
    code, _, shown = await asyncio.to_thread(site.run, "harden", "--apply")
    assert (code, "a replica" in shown) == (1, True)
    assert (await fault_of(node)).fault is WarehouseFault.NOT_HARDENED
    await pair.standby.ask("select pg_wal_replay_resume()")
    await pair.replayed()
    assert len(await node.persons(everybody())) == 60
    assert node.unready() == ()


async def test_what_an_earlier_version_has_hardened_is_refused_on_a_replica_only(pair: Pair) -> None:
    ground = await small_ground(pair)
    primary = await ground.hardened()
    await ground.execute("revoke execute on function pg_last_wal_replay_lsn() from public")
    await pair.replayed()
    assert (await primary.verify()).passed
    node = Warehouse(pair.copy(ground.reader_dsn))
    assert (await node.verify()).failed == ("tells how far it has replayed",)
    assert (await fault_of(node)).fault is WarehouseFault.NOT_HARDENED
    await ground.hardened()
    await pair.replayed()
    assert (await node.verify()).passed


@pytest.mark.parametrize("asked", [{"sql": IMAGED, "statistics": ["all"]}, {"sql": EVERYBODY, "statistics": ["all"]}])
async def test_a_question_finds_the_same_on_both(primary: Warehouse, standby: Warehouse, asked: Any) -> None:
    there = await found(standby, **asked)
    assert there == await found(primary, **asked)
    assert len(there.cohort) > 0
    assert sum(cells is not None for _, cells in there.statistics) > 5


async def test_all_that_a_node_asks_is_the_same_on_both_and_writes_nothing(
    pair: Pair, primary: Warehouse, standby: Warehouse
) -> None:
    assert (await standby.verify()).passed
    said = len(pair.standby.log)
    both = (primary, standby)
    images = judge(IMAGED)
    assert isinstance(images, Listing)
    here, there = [sorted(await each.members(images)) for each in both]
    assert here == there != []
    here, there = [await each.studies(images) for each in both]
    assert here == there != {}
    accessions = [member.accession for member in await standby.members(images)]
    here, there = [sorted(await each.ask(STILL_THERE, accessions)) for each in both]
    assert here == there
    assert {Member(*row) for row in there} == set(await standby.members(images))
    tables = [(await each.catalogue()).tables for each in both]
    assert tables[0] == tables[1]
    here, there = [await search(each, Wanted("effusion"), tables[0]) for each in both]
    assert here == there != ()
    assert "ERROR" not in pair.standby.log[said:]
    assert await pair.standby.ask("select count(*) from pg_locks where locktype = 'advisory'") == 0


async def test_good_queries_of_the_corpora_are_answered_alike(primary: Warehouse, standby: Warehouse) -> None:
    async def answer(warehouse: Warehouse, verdict: Any) -> Any:
        try:
            if isinstance(verdict, Tabulation):
                return await warehouse.cells(verdict, 10_000)
            return await warehouse.persons(verdict)
        except WarehouseError as error:
            return error.fault

    verdicts = [verdict for sample in good()[::3] if not isinstance(verdict := judge(sample.sql), Refused)]
    differing = [one.sql for one in verdicts if await answer(primary, one) != await answer(standby, one)]
    assert len(verdicts) > 50
    assert differing == []


async def test_the_limits_of_a_query_hold_on_the_standby(pair: Pair, standby: Warehouse) -> None:
    await standby.verify()
    fast = Warehouse(standby.dsn, statement_s=0.3)
    assert (await fault_of(fast, ENDLESS)).fault is WarehouseFault.TIMEOUT
    assert (await fault_of(Warehouse(standby.dsn, cost_limit=1.0))).fault is WarehouseFault.TOO_COSTLY
    running = asyncio.create_task(standby.persons(ENDLESS))
    await until(lambda: runs(pair, "RECURSIVE"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: ended(pair, "RECURSIVE"))


@asynccontextmanager
async def asked_meanwhile(pair: Pair, warehouse: Warehouse) -> AsyncIterator["asyncio.Task[WarehouseError]"]:
    """A query that runs on the standby until something there ends it."""
    await warehouse.persons(everybody())
    running = asyncio.create_task(fault_of(warehouse, ENDLESS))
    await until(lambda: runs(pair, "RECURSIVE"))
    yield running
    await running


async def test_a_query_in_the_way_of_replay_is_told_as_interrupted(pair: Pair, standby: Warehouse) -> None:
    pair.standby.set(max_standby_streaming_delay="0", hot_standby_feedback="off")
    async with asked_meanwhile(pair, standby) as running:
        pair.primary.execute(CHANGED, pair.ground.database)
    assert running.result().fault is WarehouseFault.INTERRUPTED
    assert "conflict" not in str(running.result()) + running.result().sentence
    assert len(await standby.persons(everybody())) == 1130


async def test_a_database_that_is_dropped_under_a_query_is_told_as_unreachable(pair: Pair) -> None:
    ground = await small_ground(pair)
    await ground.hardened()
    await pair.replayed()
    node = Warehouse(pair.copy(ground.reader_dsn))
    async with asked_meanwhile(pair, node) as running:
        pair.primary.execute(f"drop database {ground.database} with (force)")
    assert running.result().fault is WarehouseFault.UNREACHABLE
    assert (await fault_of(node)).fault is WarehouseFault.UNREACHABLE


async def test_a_standby_that_stops_is_told_as_unreachable_and_asked_again_when_it_is_back(
    pair: Pair, standby: Warehouse
) -> None:
    async with asked_meanwhile(pair, standby) as running:
        await asyncio.to_thread(pair.standby.stop)
    assert running.result().fault is WarehouseFault.UNREACHABLE
    assert (await fault_of(standby)).fault is WarehouseFault.UNREACHABLE
    await asyncio.to_thread(pair.standby.start)
    await pair.streams()
    assert len(await standby.persons(everybody())) == 1130


async def test_a_promoted_standby_is_verified_anew(pair: Pair, tmp_path: Path) -> None:
    with standby_of(pair.primary, tmp_path / "other") as other:
        node = Warehouse(pair.ground.dsn_reader.replace(f":{pair.primary.port}/", f":{other.part.port}/"))
        await until(lambda: other.ask("select exists (select from pg_stat_wal_receiver)"))
        assert len(await node.persons(everybody())) == 1130
        before = node.last
        assert before is not None
        assert before.is_replica
        await other.ask("select pg_promote()")
        assert len(await node.persons(everybody())) == 1130
        assert node.last is not None
        assert (node.last.is_replica, node.last.replay, node.last.passed) == (False, None, True)


async def test_a_count_that_replay_interrupts_is_tried_again_by_the_lane(
    pair: Pair, pool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    pair.standby.set(max_standby_streaming_delay="0", hot_standby_feedback="off")
    small = await small_ground(pair, MANY_ROWS)
    await small.hardened()
    await pair.replayed()
    async with cohort_world(pool, _as_omop(pair, small)) as world:
        world.warehouse.cost_limit = float("inf")
        query = await world.ask(SLOW)
        await until(lambda: runs(pair, "measurement d"))
        pair.primary.execute(
            "delete from omop.measurement where measurement_concept_id = 77;\nvacuum omop.measurement", small.database
        )
        answer = await world.answer(query)
    assert (answer.outcome, answer.persons) == ("counted", 12)
    assert "lane cohort, attempt 1: Transient" in caplog.messages


async def test_a_lane_goes_on_when_the_standby_is_back(pair: Pair, pool: Any) -> None:
    async with cohort_world(pool, _copied(pair)) as world:
        await asyncio.to_thread(pair.standby.stop)
        away = await world.answer(await world.ask())
        await asyncio.to_thread(pair.standby.start)
        back = await world.answer(await world.ask())
    assert (away.outcome, away.code) == ("failed", "warehouse_unreachable")
    assert (back.outcome, back.persons) == ("counted", 1130)


def _copied(pair: Pair) -> OmopGround:
    ground = pair.ground
    return OmopGround(ground.database, ground.reader, ground.dsn_owner, pair.copy(ground.dsn_reader), "")


def _as_omop(pair: Pair, small: Ground) -> OmopGround:
    return OmopGround(small.database, small.reader, small.dsn, pair.copy(small.reader_dsn), "")


async def test_who_opts_out_is_gone_after_replay_and_too_old_data_are_refused(pair: Pair) -> None:
    ground = await small_ground(pair, OPTED_OUT)
    await ground.hardened(opt_out="hospital.gone")
    await pair.replayed()
    copy = pair.copy(ground.reader_dsn)
    patient, strict = Warehouse(copy), Warehouse(copy, age_limit_s=0.5)
    assert len(await strict.persons(everybody())) == 60
    await pair.standby.ask("select pg_wal_replay_pause()")
    await ground.execute("insert into hospital.gone select generate_series(1, 7)")
    await until(lambda: _is_behind(strict))
    assert len(await patient.persons(everybody())) == 60
    assert strict.unready() == ("cohort queries: warehouse_behind",)
    assert (await strict.verify()).failed == ("keeps up with its primary",)
    (finding,) = [each async for each in WarehouseCheck(strict, FakePacs(), 0).findings()]
    assert "a replica: its data may be" in finding.told
    assert "opted out" in finding.cause
    assert "WAREHOUSE_REPLICA_SECONDS" in finding.remedy
    await pair.standby.ask("select pg_wal_replay_resume()")
    await pair.replayed()
    assert len(await strict.persons(everybody())) == len(await patient.persons(everybody())) == 53
    assert strict.unready() == ()


async def _is_behind(warehouse: Warehouse) -> bool:
    try:
        await warehouse.persons(everybody())
    except WarehouseError as error:
        return error.fault is WarehouseFault.BEHIND
    return False


async def test_an_idle_primary_makes_no_replica_old(pair: Pair) -> None:
    await until(lambda: _since_commit_over(pair, 1.0))
    strict = Warehouse(pair.copy(pair.ground.dsn_reader), age_limit_s=0.5)
    assert len(await strict.persons(everybody())) == 1130


async def test_a_standby_that_is_cut_off_ages_from_when_it_was_last_seen_whole(pair: Pair) -> None:
    copy = pair.copy(pair.ground.dsn_reader)
    known, unknown = Warehouse(copy, age_limit_s=60), Warehouse(copy, age_limit_s=0.5)
    await known.persons(everybody())
    pair.standby.set(primary_conninfo=NOWHERE)
    await until(lambda: pair.standby.ask("select not exists (select from pg_stat_wal_receiver)"))
    await until(lambda: _since_commit_over(pair, 1.0))
    assert len(await known.persons(everybody())) == 1130
    assert (await fault_of(unknown)).fault is WarehouseFault.BEHIND
    pair.standby.reset()
    await pair.streams()
    await pair.replayed()
    assert len(await unknown.persons(everybody())) == 1130


async def _since_commit_over(pair: Pair, seconds: float) -> bool:
    return float(await pair.standby.ask(SINCE_COMMIT)) > seconds


async def test_a_server_that_takes_calls_and_says_nothing_is_told_as_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trust_node.cohort.warehouse.store.CONNECT_S", 0.2)
    server = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        node = Warehouse(f"postgresql://nobody:x@127.0.0.1:{port}/omop")
        assert (await fault_of(node)).fault is WarehouseFault.UNREACHABLE


async def test_a_session_that_ends_between_two_statements_is_told_as_unreachable(
    pair: Pair,
) -> None:
    door = Door(pair.copy(pair.ground.dsn_reader), VIEWS, Limits(10, 2, 2))

    @in_fixed_words
    async def two_statements() -> None:
        async with door.open() as connection:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
            await pair.standby.ask(f"select pg_terminate_backend({connection.get_server_pid()})")
            await ended.wait()
            await connection.fetchval("SELECT 1")

    with pytest.raises(WarehouseError) as error:
        await two_statements()
    assert error.value.fault is WarehouseFault.UNREACHABLE


def test_no_reader_is_told_more_than_a_place_in_the_log(pair: Pair) -> None:
    """The receiver's view names host and user of the primary to those who may read statistics."""

    async def seen() -> tuple[Any, ...]:
        connection = await asyncpg.connect(pair.copy(pair.ground.dsn_reader))
        try:
            return tuple(await connection.fetchrow("SELECT * FROM pg_stat_get_wal_receiver()"))
        finally:
            await connection.close()

    pid, *rest = asyncio.run(seen())
    assert pid is not None
    assert set(rest) == {None}
