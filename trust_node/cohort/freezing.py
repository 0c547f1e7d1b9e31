"""The freezing lane: fixes who is in once an approver has approved, and by what the cohort was found."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Protocol

from bus.errors import Rejection
from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from schemas.sql.judge import Frame, Listing, judge
from schemas.sql.refusal import Refused
from schemas.trust import CohortFixed, CohortNotFixed, FreezeCohort
from trust_node import store as node
from trust_node.cohort.freeze import FrozenCohort, Member, chosen, freeze, refreeze
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.away import unanswered
from trust_node.cohort.frozen.frames import check_names
from trust_node.cohort.frozen.looking import plan
from trust_node.cohort.frozen.record import Frozen
from trust_node.cohort.frozen.shrinking import let_go, persons_of, told
from trust_node.cohort.office import Office
from trust_node.cohort.store import WarehouseError
from trust_node.cohort.warehouse.catalogue import Catalogue
from trust_node.software import cohort_software

LANE = "freezing"
ATTEMPTS = 3
TOO_SMALL = "The cohort is too small to be released by this trust's own policy."


class FreezesFrom(Protocol):
    """What is needed of the warehouse; both raise WarehouseError."""

    def members(self, rows: Listing | Frame) -> Awaitable[list[Member]]: ...

    def catalogue(self) -> Awaitable[Catalogue]: ...


@dataclass(frozen=True, slots=True)
class Freezing:
    warehouse: FreezesFrom
    office: Office

    def join(self, lanes: Lanes) -> None:
        lanes.lane(LANE, on_failure=not_fixed, attempts=ATTEMPTS)(self.work)

    async def work(self, message: FreezeCohort, job: Job) -> None:
        try:
            await self._freeze(message, approved(message.sql), job)
        except WarehouseError as error:
            raise unanswered(error, last=job.attempts >= ATTEMPTS) from None

    async def _freeze(self, message: FreezeCohort, rows: Listing | Frame, job: Job) -> None:
        found = chosen(await self.warehouse.members(rows), rows.limit, self.office.key)
        record = _record(message, await self.warehouse.catalogue(), is_frame=isinstance(rows, Frame))
        await self.office.open()
        async with job.done() as uow:
            await self._fix(message, record, found, uow)

    async def _fix(self, message: FreezeCohort, record: Frozen, found: list[Member], uow: UnitOfWork) -> None:
        key = self.office.key
        before = await store.load(uow.connection, message.project_id)
        known = await node.members(uow.connection, message.project_id) if before else []
        cohort = refreeze(freeze(known, key), found, key) if before else freeze(found, key)
        persons = persons_of(cohort.members)
        if len(persons) < self.office.policy.threshold:
            not_fixed(message, uow, "too_small", TOO_SMALL)
            return
        figure = await told(self.office.release(uow, message.project_id, message.approved_by), persons)
        fixed = _completed(record, before, cohort, figure)
        await store.save(uow.connection, fixed, cohort.members, uow.now)
        await let_go(uow, message.trust_id, message.project_id, set(known) - set(cohort.members))
        await plan(uow, message.project_id, uow.now)
        uow.emit(_fixed(message, fixed))


def approved(sql: str) -> Listing | Frame:
    """Return the query of record as the judge reads it today; raises Rejection where it may not be used."""
    rows = judge(sql, needs_accession=True)
    if isinstance(rows, Refused):
        raise Rejection(rows.code.value, rows.sentence)
    if not isinstance(rows, Listing | Frame):
        raise Rejection("not_a_list", "Only a query that lists accession_id can be frozen: it names images.")
    if isinstance(rows, Frame):
        check_names(rows)
    return rows


def _record(message: FreezeCohort, catalogue: Catalogue, *, is_frame: bool) -> Frozen:
    return Frozen(
        message.project_id,
        message.query_id,
        digest="",
        sql=message.sql,
        is_frame=is_frame,
        software=cohort_software(),
        cdm_version=catalogue.cdm_version[:40],
        vocabulary_version=catalogue.vocabulary_version and catalogue.vocabulary_version[:120],
        approved_by=message.approved_by,
    )


def _completed(record: Frozen, before: Frozen | None, cohort: FrozenCohort, figure: int | None) -> Frozen:
    """A digest that changes tells that somebody has left: it stays as long as the figure does."""
    stays = before is not None and before.told_persons == figure
    return replace(
        record,
        digest=before.digest if stays and before else cohort.digest,
        persons=len(persons_of(cohort.members)),
        studies=len(cohort.members),
        told_persons=figure,
    )


def _fixed(message: FreezeCohort, fixed: Frozen) -> CohortFixed:
    return CohortFixed(
        trust_id=message.trust_id,
        project_id=message.project_id,
        query_id=message.query_id,
        persons=fixed.told_persons,
        digest=fixed.digest,
        record=fixed.record,
    )


def not_fixed(message: FreezeCohort, uow: UnitOfWork, code: str, reason: str) -> None:
    uow.emit(
        CohortNotFixed(
            trust_id=message.trust_id,
            project_id=message.project_id,
            query_id=message.query_id,
            code=code,
            reason=reason,
        )
    )
