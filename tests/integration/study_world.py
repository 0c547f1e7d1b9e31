"""One study of one project on a node's own database: its jobs are done one by one, and what a test wants goes wrong."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trust_node
from bus.database import migrate, open_pool
from bus.lanes import CLAIM, Job, Lanes, _run, requeue_orphans
from bus.proof.signing import Author, Signer
from bus.uow import UnitOfWork, flush, new_id
from bus.wake import Wake
from schemas.trust_imaging import StudyAdvanced
from tests.conftest import Database
from tests.unit.imaging.importing import ACCESSION, KEYS, STUDY
from trust_node import store as node
from trust_node.imaging import store
from trust_node.imaging.asks import Asks
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion import ConversionError
from trust_node.imaging.lane import ImagingLane
from trust_node.imaging.pacs import Trouble
from trust_node.imaging.store import Study
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError


@asynccontextmanager
async def node_pool(postgres: Database, prefix: str) -> AsyncIterator[Any]:
    """A trust node's own database, fresh and with its tables."""
    pool = await open_pool(postgres.dsn(postgres.fresh_database(prefix).rpartition("/")[2]))
    await migrate(pool, Path(trust_node.__file__).parent / "migrations")
    try:
        yield pool
    finally:
        await pool.close()


REQUEST, SESSION = KEYS.request(ACCESSION), KEYS.study(STUDY)
RETRIES = 2
EVENTS = "select value from outbox where key = $1 order by outbox_id"


class NobodyLeaves:
    """Frozen cohorts that need no look."""

    async def in_time(self, _project_id: str, _job: Job) -> None:
        return None


class KillNineError(BaseException):
    """The process is gone: nothing of it runs on."""


BREAKS: dict[str, tuple[str, str, Any]] = {
    "pacs away": ("pacs", "trouble", Trouble.PORT_CLOSED),
    "pacs refuses": ("pacs", "trouble", Trouble.OUR_TITLE_UNKNOWN),
    "too few": ("pacs", "brings", 1),
    "archive away": ("xnat", "error", XnatUnreachableError("down")),
    "archive refuses": ("xnat", "error", XnatRefusedError(403, "import")),
    "archive loses": ("xnat", "loses", 1),
    "bad series": ("converter", "error", ConversionError(FailureCode.SLICES_LOST)),
    "kill -9 in the archive": ("xnat", "error", KillNineError()),
    "kill -9 in the conversion": ("converter", "error", KillNineError()),
    "bug": ("converter", "error", RuntimeError("a fault of ours")),
}


@dataclass
class World:
    """One project with one study at one node; ``fault`` is what goes wrong at the next attempt."""

    pool: Any
    signer: Signer
    importer: Any
    project_id: str = field(default_factory=new_id)
    asks: Asks = field(default_factory=lambda: Asks("amber", timedelta(days=14)))
    turn: Any = field(default=lambda now: now)
    cohorts: Any = field(default_factory=NobodyLeaves)

    @property
    def author(self) -> Author:
        return Author("trust-amber", self.signer)

    async def begin(self) -> None:
        await self.pool.execute("delete from job")
        async with self.uow() as uow:
            await node.save_project(uow.connection, self.project_id, "Knees", dicom_to_nifti=True)
            await node.set_xnat_project(uow.connection, self.project_id, "archive")
            await uow.connection.execute("insert into cohort values ($1, 'q1', 'digest', now())", self.project_id)
            await uow.connection.execute("insert into member values ($1, 1, $2)", self.project_id, ACCESSION)
            await self.asks.plan(uow, self.project_id, KEYS)

    def uow(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return unit_of_work(self.pool, self.author)

    async def attempt(self, fault: str = "none") -> bool:
        """Have one waiting job done now; False if none waits."""
        await requeue_orphans(self.pool)
        await self.pool.execute("update job set run_at = now() where lane = 'imaging'")
        row = await self.pool.fetchrow(CLAIM, "imaging")
        if row is None:
            return False
        self.break_(fault)
        lane = next(lane for lane in self._lanes() if lane.name == "imaging")
        with suppress(KillNineError):
            await _run(lane, row, self.pool, self.author, Wake())
        return True

    def _lanes(self) -> Lanes:
        lanes = Lanes()
        ImagingLane(self.asks, lambda: self.importer, 1, RETRIES, "refuse", self.turn, self.cohorts).join(lanes)
        return lanes

    def break_(self, fault: str) -> None:
        """Put everything right but the one thing."""
        pacs, xnat, converter = self.importer.pacs, self.importer.xnat, self.importer.converter
        pacs.trouble, pacs.brings, xnat.error, xnat.loses, converter.error = None, None, None, 0, None
        if fault in BREAKS:
            part, name, value = BREAKS[fault]
            setattr(getattr(self.importer, part), name, value)

    async def study(self) -> Study:
        found = await store.study(self.pool, self.project_id, REQUEST)
        assert found is not None
        return found

    async def told(self) -> list[StudyAdvanced]:
        rows = await self.pool.fetch(EVENTS, self.project_id)
        return [StudyAdvanced.parse(row["value"]) for row in rows if b"attempt" in row["value"]]


@asynccontextmanager
async def unit_of_work(pool: Any, author: Author) -> AsyncIterator[UnitOfWork]:
    async with pool.acquire() as connection, connection.transaction():
        uow = UnitOfWork(connection, author, datetime.now(UTC))
        yield uow
        await flush(uow)
