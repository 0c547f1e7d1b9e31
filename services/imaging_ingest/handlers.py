"""Load, decide, save, emit."""

from bus.router import Router
from bus.uow import UnitOfWork
from schemas.cohort import CohortFrozen
from schemas.imaging import ReconcileImport, ReimportStudy, RetryStudies, SkipStudy, SwitchConversion
from schemas.project import (
    ApprovalWithdrawn,
    MemberAdded,
    MemberRemoved,
    ProjectApproved,
    ProjectClosed,
    ProjectCreated,
)
from schemas.trust_imaging import (
    ConversionSet,
    EnrichmentCovered,
    ImportCompared,
    ImportPlanned,
    MembersSet,
    ProjectPurged,
    StudyAdvanced,
)
from services.imaging_ingest import domain, store
from services.imaging_ingest.asking import Ask, ask
from services.imaging_ingest.domain import Project, Study
from services.imaging_ingest.relaying import Told, relayed
from services.imaging_ingest.store import import_id, study_id

router = Router()


@router.on(CohortFrozen)
async def on_frozen(event: CohortFrozen, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    uow.emit(*domain.import_cohort(project, event))


@router.on(ImportPlanned)
async def on_planned(event: ImportPlanned, uow: UnitOfWork) -> None:
    import_, said = domain.planned(event)
    await store.forget_studies(uow, event.project_id, event.trust_id)
    store.imports.save(uow, import_id(event.project_id, event.trust_id), import_)
    project = await store.projects.load(uow, event.project_id)
    uow.emit(*said, *(domain.set_members(event.project_id, project, event.trust_id) if project else ()))


@router.on(StudyAdvanced)
async def on_study_advanced(event: StudyAdvanced, uow: UnitOfWork) -> None:
    import_ = await store.imports.load(uow, import_id(event.project_id, event.trust_id))
    if import_ is None:
        return
    place = study_id(event.project_id, event.trust_id, event.study)
    before = await store.studies.load(uow, place) or Study()
    import_, after, said = domain.advance(import_, before, event)
    store.studies.save(uow, place, after)
    store.imports.save(uow, import_id(event.project_id, event.trust_id), import_)
    uow.emit(*said)


@router.on(RetryStudies, SkipStudy, ReimportStudy, ReconcileImport, SwitchConversion)
async def on_asked(command: Ask, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, command.project_id)
    import_ = await store.imports.load(uow, import_id(command.project_id, command.trust_id))
    named = getattr(command, "study", None)
    study = await store.studies.load(uow, study_id(command.project_id, command.trust_id, named)) if named else None
    uow.emit(ask(project, import_, study, command))


@router.on(ImportCompared, ConversionSet, MembersSet, EnrichmentCovered, ProjectPurged)
async def on_told(event: Told, uow: UnitOfWork) -> None:
    uow.emit(relayed(event))


@router.on(ProjectCreated)
async def on_created(event: ProjectCreated, uow: UnitOfWork) -> None:
    project = Project(name=event.name, dicom_to_nifti=event.dicom_to_nifti, members=(event.owner,))
    store.projects.save(uow, event.project_id, project)


@router.on(ProjectApproved)
async def on_approved(event: ProjectApproved, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is not None:
        store.projects.save(uow, event.project_id, domain.remember(project, event))


@router.on(MemberAdded, MemberRemoved)
async def on_members(event: MemberAdded | MemberRemoved, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is None:
        return
    project = project.model_copy(update={"members": event.members_after(project.members)})
    store.projects.save(uow, event.project_id, project)
    uow.emit(*domain.set_members(event.project_id, project, *project.trusts))


@router.on(ProjectClosed, ApprovalWithdrawn)
async def on_ended(event: ProjectClosed | ApprovalWithdrawn, uow: UnitOfWork) -> None:
    project = await store.projects.load(uow, event.project_id)
    if project is not None:
        ended, said = domain.end(project, event)
        store.projects.save(uow, event.project_id, ended)
        uow.emit(*said)
