"""The ledger in the node's database: rows of `question` and `asked_set`, written in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from pyroaring import BitMap64

from bus.database import Connection
from trust_node.cohort.release.asked import BUCKETS
from trust_node.cohort.release.deciding import Answer
from trust_node.cohort.release.ledger import Book, Earlier


@dataclass(frozen=True, slots=True)
class Counts:
    """`asked`: questions of the project, or of the user elsewhere; `failed_today`: of these, by the warehouse's fault.

    The others: answers that were new.
    """

    asked: int
    failed_today: int
    user_today: int
    project_today: int
    project_ever: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that one user's question in one project is compared with: the project's, and the user's elsewhere."""

    connection: Connection
    project_id: str
    user_id: str

    async def lock(self) -> None:
        """One question at a time per project and per user, until the transaction ends; projects before users."""
        for name in (f"released project {self.project_id}", f"released user {self.user_id}"):
            await self.connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", name)

    async def counts(self, midnight: datetime) -> Counts:
        row = await self.connection.fetchrow(
            """select count(*) as asked,
                      count(*) filter (where failed and at >= $3) as failed_today,
                      count(*) filter (where spent and user_id = $2 and at >= $3) as user_today,
                      count(*) filter (where spent and project_id = $1 and at >= $3) as project_today,
                      count(*) filter (where spent and project_id = $1) as project_ever
               from question where project_id = $1 or user_id = $2""",
            self.project_id,
            self.user_id,
            midnight,
        )
        return Counts(**row)

    async def book(self) -> Book:
        row = await self.connection.fetchrow(
            """select string_agg(int8send(asked_id), '') as ids, string_agg(int8send(size), '') as sizes,
                      string_agg(float8send(radius), '') as radii, string_agg(sketch, '') as sketches
               from (select asked_id, size, radius, sketch from asked_set
                     where project_id = $1 or user_id = $2 order by asked_id) as earlier""",
            self.project_id,
            self.user_id,
        )
        if row["ids"] is None:
            return Book.empty()
        ids, sizes = (np.frombuffer(row[name], dtype=">i8").astype(np.int64) for name in ("ids", "sizes"))
        radii = np.frombuffer(row["radii"], dtype=">f8").astype(np.float64)
        return Book(ids, sizes, radii, np.frombuffer(row["sketches"], dtype="<i4").reshape(-1, BUCKETS))

    async def earlier(self, ids: Iterable[int]) -> dict[int, Earlier]:
        rows = await self.connection.fetch(
            """select asked_id, digest, basis, told, persons, coalesce(root, asked_id) as root, radius, members
               from asked_set where asked_id = any($1::bigint[])""",
            list(ids),
        )
        return {row["asked_id"]: _earlier(row) for row in rows}

    async def keep(self, answers: Sequence[Answer], *, told: bool = True) -> None:
        """Write what was asked; what the same user already asked in this project is only marked as told."""
        await self.connection.executemany(
            """insert into asked_set
                   (project_id, user_id, digest, size, sketch, members, basis, told, persons, root, radius)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               on conflict (project_id, user_id, digest) do update
                   set told = true, persons = excluded.persons where not asked_set.told and excluded.told""",
            [(self.project_id, self.user_id, *_columns(answer, told=told)) for answer in answers],
        )

    async def ask(self, now: datetime, *, spent: bool, failed: bool = False) -> None:
        await self.connection.execute(
            "insert into question (project_id, user_id, at, spent, failed) values ($1, $2, $3, $4, $5)",
            self.project_id,
            self.user_id,
            now,
            spent,
            failed,
        )

    async def root_of(self, digest: bytes) -> tuple[int, int | None]:
        """Return whose answer this set shares, and how many studies were told of that one."""
        row = await self.connection.fetchrow(
            """select root.asked_id, root.studies from asked_set as own
               join asked_set as root on root.asked_id = coalesce(own.root, own.asked_id)
               where own.project_id = $1 and own.user_id = $2 and own.digest = $3""",
            self.project_id,
            self.user_id,
            digest,
        )
        return row["asked_id"], row["studies"]

    async def keep_studies(self, asked_id: int, studies: int) -> None:
        await self.connection.execute("update asked_set set studies = $2 where asked_id = $1", asked_id, studies)


def _columns(answer: Answer, *, told: bool) -> tuple[object, ...]:
    asked = answer.asked
    return (
        *(asked.digest, asked.size, asked.sketch.astype("<i4").tobytes(), asked.members.serialize()),
        *(answer.basis, told, answer.persons if told else None, answer.root, answer.radius),
    )


def _earlier(row: Mapping[str, Any]) -> Earlier:
    return Earlier(**dict(row) | {"members": BitMap64.deserialize(row["members"])})
