"""A node's queue and cohort lane on its own database, and a warehouse whose queries wait as long as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bus.lanes import Lanes, work
from bus.leader import Leader
from bus.proof.signing import Author
from bus.uow import new_id
from bus.wake import Wake
from schemas.trust import CancelCount, CohortCounted, CountAdvanced, CountCohort
from tests.integration.eventually import until
from tests.integration.omop_ground import OmopGround
from tests.integration.study_world import unit_of_work
from trust_node.cohort.lane import CohortLane
from trust_node.cohort.office import Office
from trust_node.cohort.queueing import Queue
from trust_node.cohort.release import ReleasePolicy
from trust_node.cohort.store import Warehouse

EVERYBODY = "SELECT person_id FROM person"
IMAGED = "SELECT person_id, accession_id FROM image_occurrence"
DEAD = "SELECT person_id FROM death"
"""Waits while a test holds the table."""

PARALLEL = 2
KEY = b"k" * 32
EXACT = ReleasePolicy(rounding=1, noise=0, user_daily=1000, project_daily=1000, project_limit=10_000)
RUNS_THERE = "select count(*) from pg_stat_activity where usename = $1 and state = 'active'"


class CohortWorld:
    """A node's queue and lane."""

    def __init__(self, pool: Any, ground: OmopGround, policy: ReleasePolicy) -> None:
        self.pool, self.ground, self.policy = pool, ground, policy
        self.warehouse = Warehouse(ground.dsn_reader, statement_s=60, lock_s=60)
        self.queue = Queue(PARALLEL, waiting=5)
        self.wake, self.author = Wake(), Author("trust-amber")

    def start(self) -> None:
        lanes, leader = Lanes(), Leader(self.wake)
        CohortLane(self.warehouse, Office.of(self.warehouse, self.policy, KEY), PARALLEL).join(lanes)
        leader.elected.set()
        workers = (work(lane, self.pool, self.author, self.wake, leader) for lane in lanes for _ in range(lane.workers))
        self.workers = [asyncio.create_task(worker) for worker in workers]

    async def stop(self) -> None:
        for worker in self.workers:
            worker.cancel()
        await asyncio.gather(*self.workers, return_exceptions=True)

    async def ask(self, sql: str = EVERYBODY, project_id: str | None = None, **asked: Any) -> CountCohort:
        project = project_id or new_id()
        who = {"trust_id": "amber", "query_id": new_id(), "project_id": project, "asked_by": f"ada-{project}"}
        command = CountCohort.model_validate(who | {"sql": sql} | asked)
        async with unit_of_work(self.pool, self.author) as uow:
            await self.queue.on_count_cohort(command, uow)
        self.wake.everybody()
        return command

    async def cancel(self, query: CountCohort) -> None:
        command = CancelCount(trust_id="amber", query_id=query.query_id, project_id=query.project_id)
        async with unit_of_work(self.pool, self.author) as uow:
            await self.queue.on_cancel_count(command, uow)
        self.wake.everybody()

    async def answer(self, query: CountCohort) -> CohortCounted:
        await until(lambda: self._said(query, CohortCounted))
        (answer,) = await self._said(query, CohortCounted)
        return answer

    async def progress(self, query: CountCohort) -> list[tuple[int, int, bool]]:
        return [(told.done, told.parts, told.waiting) for told in await self._said(query, CountAdvanced)]

    async def runs(self, query: CountCohort) -> bool:
        return bool(await self.pool.fetchval("select true from job where key = $1 and running", query.query_id))

    async def running_in_warehouse(self) -> int:
        return int(await self.pool.fetchval(RUNS_THERE, self.ground.reader))

    async def begins(self, query: CountCohort) -> None:
        await until(lambda: self.runs(query))
        await until(self.running_in_warehouse)

    @asynccontextmanager
    async def held(self, table: str = "death") -> AsyncIterator[None]:
        """Let every query of the table wait."""
        owner = await asyncpg.connect(self.ground.dsn_owner)
        try:
            async with owner.transaction():
                await owner.execute(f"lock table omop.{table} in access exclusive mode")
                yield
        finally:
            await owner.close()

    async def _said(self, query: CountCohort, kind: type[Any]) -> list[Any]:
        rows = await self.pool.fetch(
            "select headers, value from outbox where key = $1 order by outbox_id", query.query_id
        )
        return [kind.parse(row["value"]) for row in rows if kind.type in str(row["headers"])]


@asynccontextmanager
async def cohort_world(pool: Any, ground: OmopGround, policy: ReleasePolicy = EXACT) -> AsyncIterator[CohortWorld]:
    await pool.execute("delete from job")
    made = CohortWorld(pool, ground, policy)
    made.start()
    try:
        yield made
    finally:
        await made.stop()
