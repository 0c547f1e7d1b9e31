"""The cohort lane: judge, run, release; and freeze what an approver has approved."""

from dataclasses import dataclass

from bus.errors import Rejection
from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from schemas.cohort import Cell
from schemas.sql.judge import Listing, judge
from schemas.sql.refusal import Refused
from schemas.trust import CohortCounted, CohortFixed, CohortNotFixed, CountCohort, FreezeCohort
from trust_node import store
from trust_node.cohort.count import Answer, Counted, Failed, Suppressed, Tabulated, answer
from trust_node.cohort.freeze import FrozenCohort, freeze, refreeze
from trust_node.cohort.release import ReleasePolicy, release
from trust_node.cohort.store import Warehouse

WORKERS = 2
FAILED = "The warehouse gave no answer: ask the trust's data manager to look at it."


@dataclass(frozen=True, slots=True)
class CohortLane:
    warehouse: Warehouse
    policy: ReleasePolicy
    key: bytes

    def join(self, lanes: Lanes) -> None:
        lanes.lane("cohort", on_failure=not_done, workers=WORKERS, attempts=3)(self.work)

    async def work(self, message: CountCohort | FreezeCohort, job: Job) -> None:
        if isinstance(message, CountCohort):
            await self._count(message, job)
        else:
            await self._freeze(message, job)

    async def _count(self, message: CountCohort, job: Job) -> None:
        counted = await answer(message.sql, self.warehouse, self.policy)
        async with job.done() as uow:
            uow.emit(_told(message, counted))

    async def _freeze(self, message: FreezeCohort, job: Job) -> None:
        listing = judge(message.sql, needs_accession=True)
        if isinstance(listing, Refused):
            raise Rejection(listing.code.value, listing.sentence)
        if not isinstance(listing, Listing):
            raise Rejection("not_a_list", "Only a query that lists accession_id can be frozen: it names images.")
        found = await self.warehouse.members(listing)
        async with job.done() as uow:
            cohort = freeze(found, self.key)
            if await store.is_frozen(uow.connection, message.project_id):
                before = freeze(await store.members(uow.connection, message.project_id), self.key)
                cohort = refreeze(before, found, self.key)
            await self._fix(message, cohort, uow)

    async def _fix(self, message: FreezeCohort, cohort: FrozenCohort, uow: UnitOfWork) -> None:
        persons = release(len({member.person_id for member in cohort.members}), self.policy)
        if persons is None:
            uow.emit(_too_small(message))
            return
        await store.save_cohort(uow.connection, message.project_id, message.query_id, cohort, uow.now)
        uow.emit(
            CohortFixed(
                trust_id=message.trust_id,
                project_id=message.project_id,
                query_id=message.query_id,
                persons=persons,
                digest=cohort.digest,
            )
        )


def not_done(message: CountCohort | FreezeCohort, uow: UnitOfWork, code: str, reason: str) -> None:
    if isinstance(message, FreezeCohort):
        uow.emit(_not_fixed(message, code, reason))
    else:
        uow.emit(_counted(message, outcome="failed", code=code, reason=reason))


def _told(message: CountCohort, counted: Answer) -> CohortCounted:
    match counted:
        case Counted(persons):
            return _counted(message, outcome="counted", persons=persons)
        case Tabulated(_, cells):
            told = tuple(Cell(keys=tuple(map(str, cell.key)), persons=cell.persons) for cell in cells)
            return _counted(message, outcome="counted", cells=told)
        case Suppressed():
            return _counted(message, outcome="suppressed")
        case Refused(code, sentence):
            return _counted(message, outcome="refused", code=code.value, reason=sentence)
        case Failed(fault):
            return _counted(message, outcome="failed", code=fault.value, reason=FAILED)


def _counted(message: CountCohort, **answered: object) -> CohortCounted:
    asked = {"trust_id": message.trust_id, "query_id": message.query_id, "project_id": message.project_id}
    return CohortCounted.model_validate(asked | answered)


def _too_small(message: FreezeCohort) -> CohortNotFixed:
    return _not_fixed(message, "too_small", "The cohort is too small to be released by this trust's own policy.")


def _not_fixed(message: FreezeCohort, code: str, reason: str) -> CohortNotFixed:
    return CohortNotFixed(
        trust_id=message.trust_id,
        project_id=message.project_id,
        query_id=message.query_id,
        code=code,
        reason=reason,
    )
