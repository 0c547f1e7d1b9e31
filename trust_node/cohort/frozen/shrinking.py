"""A look at a frozen cohort: who is gone from the warehouse goes from the cohort, and the floor must still hold.

Nothing that leaves tells that one person has left: the figure goes through the release, the digest stays the one of the
freezing, and without a new figure nothing is said at all.
"""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pyroaring import BitMap64

from bus.lanes import Job
from bus.uow import UnitOfWork, new_id
from schemas.trust import FrozenShrunk
from schemas.trust_imaging import StudyAdvanced
from trust_node import store as node
from trust_node.cohort.freeze import Member
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.away import unanswered
from trust_node.cohort.frozen.record import Frozen
from trust_node.cohort.frozen.store import Dropped
from trust_node.cohort.office import Office
from trust_node.cohort.release import BudgetSpentError, Releasing
from trust_node.cohort.store import WarehouseError, WarehouseFault
from trust_node.cohort.warehouse.wording import set_of
from trust_node.jobs import RemoveWithdrawn, StopImport

TOO_SMALL = "So few of the approved cohort are left at this trust that its own policy does not let it be used any more."
NOT_FROZEN = "No cohort of this project is frozen at this trust."
NOBODY = "unknown"
AT_ONCE = 5_000
STILL_THERE = """
SELECT DISTINCT person_id, accession_id::text FROM image_occurrence WHERE accession_id::text = ANY($1::text[])"""
ANY_IMAGE = "SELECT 1 FROM image_occurrence LIMIT 1"


class Asked(Protocol):
    """What is needed of the warehouse: a fixed text of ours, its values apart; raises WarehouseError."""

    def ask(self, sql: str, *values: object) -> Awaitable[list[tuple[Any, ...]]]: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """A cohort as it stands now; `usable` is false below the trust's threshold."""

    frozen: Frozen
    usable: bool


@dataclass(frozen=True, slots=True)
class Shrinking:
    trust_id: str
    warehouse: Asked
    office: Office

    async def look(self, project_id: str, job: Job, *, last: bool) -> Looked | None:
        """Let go of the members that the warehouse holds no more; None where no cohort is frozen.

        Raises
        ------
        Transient, Rejection
            The warehouse gave no answer, to be asked again unless this is the `last` attempt.
        """
        try:
            return await self._look(project_id, job)
        except WarehouseError as error:
            raise unanswered(error, last=last) from None

    async def _look(self, project_id: str, job: Job) -> Looked | None:
        began = datetime.now(UTC)
        known = await node.members(job.pool, project_id)
        there = await self._still_there(known)
        gone = [member for member in known if member not in there]
        if gone:
            await self.office.open()
        async with job.transaction() as uow:
            frozen = await store.load(uow.connection, project_id)
            if frozen is None:
                return None
            return await self._shrink(uow, frozen, gone, began)

    async def _still_there(self, known: Sequence[Member]) -> set[Member]:
        there: set[Member] = set()
        for first in range(0, len(known), AT_ONCE):
            asked = [member.accession for member in known[first : first + AT_ONCE]]
            rows = await self.warehouse.ask(STILL_THERE, asked)
            there.update(Member(int(person), accession) for person, accession in rows)
        if known and not there and not await self.warehouse.ask(ANY_IMAGE):
            raise WarehouseError(WarehouseFault.NO_IMAGES)
        return there

    async def _shrink(self, uow: UnitOfWork, frozen: Frozen, gone: Sequence[Member], began: datetime) -> Looked:
        await let_go(uow, self.trust_id, frozen.project_id, gone)
        left = persons_of(await node.members(uow.connection, frozen.project_id))
        usable = len(left) >= self.office.policy.threshold
        was_usable = await store.looked(uow.connection, frozen.project_id, began, usable=usable)
        if was_usable and not usable:
            uow.emit(self._shrunk(frozen, None, usable=False))
            # a key of its own: it must not wait for an archive that is away
            uow.enqueue("imports", StopImport(project_id=frozen.project_id), key=new_id())
        elif usable and gone:
            await self._tell(uow, frozen, left)
        return Looked(frozen, usable)

    async def _tell(self, uow: UnitOfWork, frozen: Frozen, left: BitMap64) -> None:
        """Say what is left where the release lets the figure change; whoever compares two sees no few persons."""
        persons = await told(self.office.release(uow, frozen.project_id, frozen.approved_by or NOBODY), left)
        if persons is None or persons == frozen.told_persons:
            return
        await store.tell(uow.connection, frozen.project_id, persons)
        uow.emit(self._shrunk(frozen, persons, usable=True))

    def _shrunk(self, frozen: Frozen, persons: int | None, *, usable: bool) -> FrozenShrunk:
        return FrozenShrunk(
            trust_id=self.trust_id,
            project_id=frozen.project_id,
            query_id=frozen.query_id,
            persons=persons,
            digest=frozen.digest,
            usable=usable,
        )


async def told(releases: Releasing, persons: BitMap64) -> int | None:
    """Return the figure that may leave; none where the release gives none, or its budget is spent."""
    try:
        released = await releases.number(persons)
    except BudgetSpentError:
        return None
    return None if released is None else released.persons


async def let_go(uow: UnitOfWork, trust_id: str, project_id: str, gone: Iterable[Member]) -> None:
    """Forget members and what hangs on them; what lies of them here is removed by a job of its own.

    A study that was under way ends as one that somebody has skipped; of one that is here already nothing is said.
    """
    dropped = await store.let_go(uow.connection, project_id, gone)
    for study in dropped:
        if not study.settled:
            uow.emit(_skipped(trust_id, project_id, study))
    if dropped:
        uow.enqueue("imports", RemoveWithdrawn(project_id=project_id))


def persons_of(members: Iterable[Member]) -> BitMap64:
    """Return the distinct persons; raises WarehouseError for a person_id below zero."""
    return set_of(member.person_id for member in members)


def _skipped(trust_id: str, project_id: str, study: Dropped) -> StudyAdvanced:
    return StudyAdvanced(
        trust_id=trust_id,
        project_id=project_id,
        study=study.study,
        state=study.state,
        attempt=study.attempt,
        expected=study.expected,
        present=study.received,
        rest="skipped",
    )
