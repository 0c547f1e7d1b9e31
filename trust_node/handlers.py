"""Commands to this trust: each writes a row or a job and returns; lanes do the work."""

import logging

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.trust import (
    CancelCount,
    CohortNotFixed,
    CountCohort,
    EndRun,
    FindConcepts,
    FreezeCohort,
    PrepareRun,
    RunRefused,
    RunTask,
)
from schemas.trust_imaging import (
    CompareImport,
    ImportCohort,
    PurgeProject,
    RepeatImport,
    RetryImport,
    SetConversion,
    SetMembers,
    SkipImport,
)
from trust_node import store
from trust_node.cohort.queueing import Queue
from trust_node.imaging.asks import Asks, UnknownStudyError
from trust_node.jobs import CoverEnrichment
from trust_node.policy import Policy

log = logging.getLogger(__name__)

AboutStudies = RetryImport | SkipImport | RepeatImport


def routes(policy: Policy, asks: Asks) -> Router:
    router = import_routes(asks)
    queue = Queue(policy.parallel_queries, policy.waiting_queries)
    router.on(CountCohort)(queue.on_count_cohort)
    router.on(CancelCount)(queue.on_cancel_count)
    router.on(FindConcepts)(on_find_concepts)
    router.on(RunTask)(on_run_task)
    router.on(EndRun)(on_end_run)

    @router.on(FreezeCohort)
    async def on_freeze_cohort(command: FreezeCohort, uow: UnitOfWork) -> None:
        if command.approved_by in policy.approvers:
            uow.enqueue("freezing", command)
        else:
            uow.emit(_not_our_approver(command))

    @router.on(PrepareRun)
    async def on_prepare_run(command: PrepareRun, uow: UnitOfWork) -> None:
        if command.approved_by in policy.approvers:
            uow.enqueue("training", command)
            uow.enqueue("imports", CoverEnrichment(project_id=command.project_id))
        else:
            uow.emit(_code_not_approved(command))

    return router


def import_routes(asks: Asks) -> Router:
    router = Router()
    router.on(CompareImport, PurgeProject)(on_project_job)
    router.on(SetMembers)(on_set_members)

    @router.on(ImportCohort)
    async def on_import_cohort(command: ImportCohort, uow: UnitOfWork) -> None:
        await store.save_project(
            uow.connection,
            command.project_id,
            command.project_name,
            dicom_to_nifti=command.dicom_to_nifti,
            deid=command.deid,
        )
        uow.enqueue("imports", command)

    @router.on(RetryImport, SkipImport, RepeatImport)
    async def on_studies(command: AboutStudies, uow: UnitOfWork) -> None:
        try:
            await _ask(asks, command, uow)
        except UnknownStudyError:
            log.warning("the hub asks for a study that was not asked for here")

    @router.on(SetConversion)
    async def on_set_conversion(command: SetConversion, uow: UnitOfWork) -> None:
        await asks.switch_conversion(uow, command.project_id, on=command.on)

    return router


async def _ask(asks: Asks, command: AboutStudies, uow: UnitOfWork) -> None:
    match command:
        case RetryImport():
            await asks.retry(uow, command.project_id, command.study)
        case SkipImport():
            await asks.skip(uow, command.project_id, command.study)
        case RepeatImport():
            await asks.reimport(uow, command.project_id, command.study)


async def on_project_job(command: CompareImport | PurgeProject, uow: UnitOfWork) -> None:
    uow.enqueue("imports", command)


async def on_set_members(command: SetMembers, uow: UnitOfWork) -> None:
    uow.enqueue("people", command)


async def on_find_concepts(command: FindConcepts, uow: UnitOfWork) -> None:
    uow.enqueue("concepts", command)


async def on_run_task(command: RunTask, uow: UnitOfWork) -> None:
    uow.enqueue("training", command)


async def on_end_run(command: EndRun, uow: UnitOfWork) -> None:
    await store.end_run(uow.connection, command.run_id)
    uow.enqueue("ending", command)


def _not_our_approver(command: FreezeCohort) -> CohortNotFixed:
    return CohortNotFixed(
        trust_id=command.trust_id,
        project_id=command.project_id,
        query_id=command.query_id,
        code="not_our_approver",
        reason="Whoever approved is no approver by this trust's own policy: nothing was frozen.",
    )


def _code_not_approved(command: PrepareRun) -> RunRefused:
    return RunRefused(
        trust_id=command.trust_id,
        run_id=command.run_id,
        code="not_our_approver",
        reason="Whoever approved the code is no approver by this trust's own policy: it will not run here.",
    )
