"""Where an import stands. Pure: a study's step changes the tally by what the study counts for now, less what it did."""

from pydantic import BaseModel, ConfigDict

from bus.errors import Late
from schemas.cohort import CohortFrozen
from schemas.deid import DeidWish
from schemas.imaging import ImportFinished, ImportProgressed, ImportStarted, StudyRest, StudyState, Tally
from schemas.message import Message
from schemas.project import ApprovalWithdrawn, ProjectApproved, ProjectClosed
from schemas.trust_imaging import ImportCohort, ImportPlanned, PurgeProject, SetMembers, StudyAdvanced

RECEIVED: frozenset[StudyState] = frozenset({"received", "deidentified", "archived", "converted"})
ARCHIVED: frozenset[StudyState] = frozenset({"archived", "converted"})


class Project(BaseModel):
    """A project as this service knows it from events: ``trusts`` approved it, ``left`` those that withdrew."""

    model_config = ConfigDict(frozen=True)

    name: str
    dicom_to_nifti: bool
    deid: DeidWish | None = None
    members: tuple[str, ...]
    trusts: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    closed: bool = False


class Study(BaseModel):
    """The last step heard of."""

    model_config = ConfigDict(frozen=True)

    state: StudyState = "queued"
    attempt: int = 0
    final: bool = False
    expected: int = 0
    present: int = 0
    rest: StudyRest | None = None


class Import(BaseModel):
    """One project at one trust; ``settled`` counts the studies that are where they will stay."""

    model_config = ConfigDict(frozen=True)

    project_id: str
    trust_id: str
    tally: Tally = Tally()
    settled: int = 0
    finished: bool = False


def import_cohort(project: Project | None, frozen: CohortFrozen) -> list[Message]:
    """Nothing is imported for a project that has ended there meanwhile."""
    if project is None:
        raise Late("unknown_project", "The project of this cohort has not been seen here yet.")
    if project.closed or frozen.trust_id in project.left:
        return []
    if frozen.trust_id not in project.trusts:
        # what was approved is what is asked for: the wish for de-identification above all
        raise Late("not_approved_yet", "The trust's approval has not been seen here yet.")
    command = ImportCohort(
        trust_id=frozen.trust_id,
        project_id=frozen.project_id,
        project_name=project.name,
        dicom_to_nifti=project.dicom_to_nifti,
        deid=project.deid,
    )
    return [command]


def remember(project: Project, approved: ProjectApproved) -> Project:
    trusts = tuple(dict.fromkeys((*project.trusts, approved.trust_id)))
    return project.model_copy(
        update={
            "name": approved.name,
            "dicom_to_nifti": approved.dicom_to_nifti,
            "deid": approved.deid,
            "trusts": trusts,
        }
    )


def set_members(project_id: str, project: Project, *trusts: str) -> list[Message]:
    """Who may see the project's images, for trusts that still take part."""
    return [
        SetMembers(trust_id=trust, project_id=project_id, project_name=project.name, members=project.members)
        for trust in trusts
        if not project.closed and trust not in project.left
    ]


def end(project: Project, event: ProjectClosed | ApprovalWithdrawn) -> tuple[Project, list[Message]]:
    """A project ends, at one trust or everywhere: its images go there."""
    ending = project.trusts if isinstance(event, ProjectClosed) else (event.trust_id,)
    leaving = [trust for trust in ending if trust not in project.left]
    ended = project.model_copy(
        update={"left": (*project.left, *leaving), "closed": project.closed or isinstance(event, ProjectClosed)}
    )
    return ended, [PurgeProject(trust_id=trust, project_id=event.project_id) for trust in leaving]


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
        rest=event.rest,
    )
    tally = _plus(_plus(import_.tally, _worth(before), -1), _worth(after), 1)
    settled = import_.settled - before.final + after.final
    finished = settled == tally.asked
    moved = import_.model_copy(update={"tally": tally, "settled": settled, "finished": finished})
    said: list[Message] = [_progressed(event, tally)]
    return moved, after, [*said, _finished(moved)] if finished and after.final else said


def _worth(study: Study) -> Tally:
    """What one study counts for; one that was left out counts as that and nothing else."""
    if study.rest == "skipped":
        return Tally(skipped=1)
    done = study.final and study.state != "failed"
    return Tally(
        received=study.state in RECEIVED,
        archived=study.state in ARCHIVED,
        converted=study.state == "converted",
        failed=study.state == "failed",
        slices_in=study.expected if study.state in RECEIVED else 0,
        slices_out=study.present if done else 0,
        held=study.rest == "held",
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
        rest=event.rest,
        held=event.held,
    )


def _state(event: StudyAdvanced) -> StudyState:
    return "failed" if event.failure else event.state


def _finished(import_: Import) -> ImportFinished:
    return ImportFinished(project_id=import_.project_id, trust_id=import_.trust_id, tally=import_.tally)
