"""Commands to this trust: each writes a row or a job and returns; lanes do the work."""

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.trust import (
    CohortNotFixed,
    CountCohort,
    EndRun,
    FreezeCohort,
    ImportCohort,
    ImportPlanned,
    PrepareRun,
    RetryImport,
    RunRefused,
    RunTask,
)
from trust_node import store
from trust_node.imaging.deid import DeidKeys
from trust_node.jobs import ImportStudy
from trust_node.policy import Policy


def routes(policy: Policy, keys: DeidKeys) -> Router:
    router = Router()
    router.on(CountCohort)(on_count_cohort)
    router.on(RetryImport)(on_retry_import)
    router.on(RunTask)(on_run_task)
    router.on(EndRun)(on_end_run)

    @router.on(FreezeCohort)
    async def on_freeze_cohort(command: FreezeCohort, uow: UnitOfWork) -> None:
        if command.approved_by in policy.approvers:
            uow.enqueue("cohort", command)
        else:
            uow.emit(_not_our_approver(command))

    @router.on(ImportCohort)
    async def on_import_cohort(command: ImportCohort, uow: UnitOfWork) -> None:
        await _plan_import(command, uow, keys)

    @router.on(PrepareRun)
    async def on_prepare_run(command: PrepareRun, uow: UnitOfWork) -> None:
        if command.approved_by in policy.approvers:
            uow.enqueue("training", command)
        else:
            uow.emit(_code_not_approved(command))

    return router


async def on_count_cohort(command: CountCohort, uow: UnitOfWork) -> None:
    uow.enqueue("cohort", command)


async def _plan_import(command: ImportCohort, uow: UnitOfWork, keys: DeidKeys) -> None:
    await store.save_project(
        uow.connection, command.project_id, command.project_name, dicom_to_nifti=command.dicom_to_nifti
    )
    members = await store.members(uow.connection, command.project_id)
    planned = sorted((keys.request(member.accession), member.accession) for member in members)
    await store.plan_studies(uow.connection, command.project_id, planned)
    uow.emit(ImportPlanned(trust_id=command.trust_id, project_id=command.project_id, studies=len(planned)))
    for study, _ in planned:
        uow.enqueue("imaging", ImportStudy(project_id=command.project_id, study=study))


async def on_retry_import(command: RetryImport, uow: UnitOfWork) -> None:
    for study in await store.failed_studies(uow.connection, command.project_id, command.study):
        uow.enqueue("imaging", ImportStudy(project_id=command.project_id, study=study))


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
