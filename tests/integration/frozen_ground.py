"""A node's own database beside a hardened warehouse whose people may opt out, and the jobs of frozen cohorts."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bus.lanes import CLAIM, Job, Lane, Lanes, _run
from bus.proof.signing import Author
from bus.uow import new_id
from bus.wake import Wake
from schemas.message import Message
from schemas.registry import message_class
from schemas.trust import FreezeCohort
from schemas.upcast import upcast
from tests.integration.study_world import unit_of_work
from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.cohort.freezing import Freezing
from trust_node.cohort.frozen.looking import Looking
from trust_node.cohort.frozen.shrinking import Shrinking
from trust_node.cohort.frozen.using import Using
from trust_node.cohort.office import Office
from trust_node.cohort.release import ReleasePolicy
from trust_node.cohort.store import Warehouse
from trust_node.imaging.deid import DeidKeys
from trust_node.jobs import CoverEnrichment

DIGEST = "ab" * 32
SECRET = b"k" * 32
KEYS = DeidKeys(SECRET)
EXACT = ReleasePolicy(threshold=10, rounding=1, noise=0, user_daily=1000, project_daily=1000, project_limit=10_000)
OPT_OUTS = "create schema hospital; create table hospital.gone (person_id bigint)"
IMAGES = "SELECT person_id, accession_id FROM image_occurrence"
EVERY = timedelta(minutes=15)
NOWHERE = Warehouse("postgresql://nobody:x@127.0.0.1:9/omop")


async def opt_out_ground(postgres: Any) -> tuple[Ground, Any]:
    """60 people, of whom 40 have an image each, ACC1 to ACC40; nobody has opted out."""
    ground = await warehouse_ground(postgres, [*cdm(), OPT_OUTS])
    return ground, await ground.hardened(opt_out="hospital.gone")


@dataclass
class Asked:
    """The warehouse as a look asks it: `questions` were asked of it, while it is `away` in vain."""

    warehouse: Any
    questions: int = 0
    away: bool = False

    async def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        self.questions += 1
        return await (NOWHERE if self.away else self.warehouse).ask(sql, *values)


@dataclass
class FrozenWorld:
    """One project at one node. `freeze` and `do` do one job as its lane would."""

    pool: Any
    ground: Ground
    warehouse: Any
    policy: ReleasePolicy = EXACT
    project_id: str = field(default_factory=new_id)
    author: Author = field(default_factory=lambda: Author("trust-amber"))

    def __post_init__(self) -> None:
        self.office = Office.of(self.warehouse, self.policy, SECRET)
        self.asked = Asked(self.warehouse)
        self.shrinking = Shrinking("amber", self.asked, self.office)
        self.looking = Looking(self.shrinking, EVERY)
        self.using = Using(self.looking, self.warehouse, SECRET)

    async def opt_out(self, *persons: int) -> None:
        await self.ground.execute(*(f"insert into hospital.gone values ({person})" for person in persons))

    async def freeze(self, sql: str = IMAGES) -> list[Any]:
        command = FreezeCohort(
            trust_id="amber",
            project_id=self.project_id,
            query_id="q1",
            sql=sql,
            approved_by="bob",
            request_digest=DIGEST,
        )
        lanes = Lanes()
        Freezing(self.warehouse, self.office).join(lanes)
        return await self.do(next(iter(lanes)), command)

    async def a_job(self) -> Job:
        """Return a job that is being done, of which only that is known."""
        async with unit_of_work(self.pool, self.author) as uow:
            uow.enqueue("uses", CoverEnrichment(project_id=self.project_id), key=new_id())
        row = await self.pool.fetchrow(CLAIM, "uses")
        return Job(row["job_id"], row["attempts"], None, self.author, self.pool, Wake())

    async def goes_by(self, minutes: float) -> None:
        """Have the last look be so much longer ago, and what waits for a moment wait so much shorter."""
        passed = timedelta(minutes=minutes)
        await self.pool.execute("update cohort set looked_at = looked_at - $1::interval", passed)
        await self.pool.execute("update job set run_at = run_at - $1::interval", passed)

    async def look(self) -> list[Any]:
        """Have the next planned look done if it is due; return what was said."""
        lanes = Lanes()
        self.looking.join(lanes)
        if row := await self.pool.fetchrow(CLAIM, "looking"):
            await _run(next(iter(lanes)), row, self.pool, self.author, Wake())
        return await self.said()

    async def do(self, lane: Lane, command: Message) -> list[Any]:
        """Have the lane do the command, once; return what it said of the project, jobs that it made stay."""
        async with unit_of_work(self.pool, self.author) as uow:
            uow.enqueue(lane.name, command)
        await _run(lane, await self.pool.fetchrow(CLAIM, lane.name), self.pool, self.author, Wake())
        return await self.said()

    async def said(self, of: str | None = None) -> list[Any]:
        """Return what was told to the hub, of the project or of a run, since somebody last asked."""
        rows = await self.pool.fetch(
            "delete from outbox where key = $1 returning outbox_id, headers, value", of or self.project_id
        )
        return [_message(row) for row in sorted(rows, key=lambda row: row["outbox_id"])]

    async def members(self) -> set[tuple[int, str]]:
        rows = await self.pool.fetch("select person_id, accession from member where project_id = $1", self.project_id)
        return {tuple(row) for row in rows}

    async def jobs(self) -> list[str]:
        """Return the types of what waits, but for the next look."""
        rows = await self.pool.fetch(
            "select type from job where key = $1 and lane <> 'looking' order by job_id", self.project_id
        )
        return [row["type"] for row in rows]

    async def imported(self, *persons: int) -> None:
        """Note that the studies of these are in the archive, each under the pseudonym S and the person's number."""
        for person in persons:
            request = KEYS.request(f"ACC{person}")
            await self.pool.execute(
                """insert into study (project_id, study, accession, state, settled, session)
                   values ($1, $2, $3, 'archived', true, $4)""",
                self.project_id, request, f"ACC{person}", f"S{person}",
            )  # fmt: skip
            await self.pool.execute(
                "insert into study_found values ($1, $2, $3, 1, true)", self.project_id, request, f"S{person}"
            )


def _message(row: Any) -> Message:
    type_ = dict(json.loads(row["headers"]))["ce_type"]
    kind = message_class(type_)
    assert kind is not None
    return kind.parse(upcast(type_, row["value"]))
