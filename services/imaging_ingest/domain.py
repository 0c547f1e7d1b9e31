"""Where an import stands. Pure: a study's step changes the tally by what the study counts for now, less what it did."""

from pydantic import BaseModel, ConfigDict

from bus.errors import Late, Rejection
from schemas.cohort import CohortFrozen
from schemas.imaging import ImportFinished, ImportProgressed, ImportStarted, RetryStudies, StudyState, Tally
from schemas.message import Message
from schemas.project import ProjectApproved
from schemas.trust import ImportCohort, ImportPlanned, RetryImport, StudyAdvanced

RECEIVED: frozenset[StudyState] = frozenset({"received", "deidentified", "archived", "converted"})
ARCHIVED: frozenset[StudyState] = frozenset({"archived", "converted"})


class Project(BaseModel):
    """A project as this service knows it from events."""

    model_config = ConfigDict(frozen=True)

    name: str
    dicom_to_nifti: bool
    members: tuple[str, ...]


class Study(BaseModel):
    """The last step heard of."""

    model_config = ConfigDict(frozen=True)

    state: StudyState = "queued"
    attempt: int = 0
    final: bool = False
    expected: int = 0
    present: int = 0


class Import(BaseModel):
    """One project at one trust; ``settled`` counts the studies that are where they will stay."""

    model_config = ConfigDict(frozen=True)

    project_id: str
    trust_id: str
    tally: Tally = Tally()
    settled: int = 0
    finished: bool = False


def import_cohort(project: Project | None, frozen: CohortFrozen) -> ImportCohort:
    if project is None:
        raise Late("unknown_project", "The project of this cohort has not been seen here yet.")
    return ImportCohort(
        trust_id=frozen.trust_id,
        project_id=frozen.project_id,
        project_name=project.name,
        dicom_to_nifti=project.dicom_to_nifti,
    )


def remember(project: Project, approved: ProjectApproved) -> Project:
    return project.model_copy(update={"name": approved.name, "dicom_to_nifti": approved.dicom_to_nifti})


def planned(event: ImportPlanned) -> tuple[Import, list[Message]]:
    import_ = Import(
        project_id=event.project_id,
        trust_id=event.trust_id,
        tally=Tally(asked=event.studies),
        finished=event.studies == 0,
    )
    started = ImportStarted(project_id=event.project_id, trust_id=event.trust_id, studies=event.studies)
    return import_, [started, _finished(import_)] if import_.finished else [started]


def advance(import_: Import, before: Study, event: StudyAdvanced) -> tuple[Import, Study, list[Message]]:
    """A study's step. A trust tells them in order, so the last one heard is the truth."""
    after = Study(
        state=_state(event),
        attempt=event.attempt,
        final=event.settled,
        expected=before.expected if event.expected is None else event.expected,
        present=before.present if event.present is None else event.present,
    )
    tally = _plus(_plus(import_.tally, _worth(before), -1), _worth(after), 1)
    settled = import_.settled - before.final + after.final
    finished = settled == tally.asked
    moved = import_.model_copy(update={"tally": tally, "settled": settled, "finished": finished})
    said: list[Message] = [_progressed(event, tally)]
    return moved, after, [*said, _finished(moved)] if finished and after.final else said


def _worth(study: Study) -> Tally:
    """What one study counts for."""
    done = study.final and study.state != "failed"
    return Tally(
        received=study.state in RECEIVED,
        archived=study.state in ARCHIVED,
        converted=study.state == "converted",
        failed=study.state == "failed",
        slices_in=study.expected if study.state in RECEIVED else 0,
        slices_out=study.present if done else 0,
    )


def _plus(tally: Tally, other: Tally, sign: int) -> Tally:
    ours, theirs = tally.model_dump(), other.model_dump()
    return Tally(**{name: value + sign * theirs[name] for name, value in ours.items()})


def _progressed(event: StudyAdvanced, tally: Tally) -> ImportProgressed:
    return ImportProgressed(
        project_id=event.project_id,
        trust_id=event.trust_id,
        study=event.study,
        state=_state(event),
        attempt=event.attempt,
        code=event.failure.code if event.failure else None,
        tally=tally,
    )


def _state(event: StudyAdvanced) -> StudyState:
    return "failed" if event.failure else event.state


def _finished(import_: Import) -> ImportFinished:
    return ImportFinished(project_id=import_.project_id, trust_id=import_.trust_id, tally=import_.tally)


def retry(project: Project | None, import_: Import | None, command: RetryStudies) -> RetryImport:
    if project is None:
        raise Late("unknown_project", "There is no such project, or no trust has approved it yet.")
    if command.actor not in project.members:
        raise Rejection("not_a_member", f"{command.actor} is no member of this project.")
    if import_ is None:
        raise Rejection("no_import", f"Nothing has been imported at {command.trust_id} for this project.")
    if import_.tally.failed == 0:
        raise Rejection("nothing_failed", f"No study of this project has failed at {command.trust_id}.")
    return RetryImport(trust_id=command.trust_id, project_id=command.project_id, study=command.study)
