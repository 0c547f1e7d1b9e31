"""What members may ask of an import at a trust. Pure: what is known + command -> what the trust is told."""

from bus.errors import Late, Rejection
from schemas.imaging import ReconcileImport, ReimportStudy, RetryStudies, SkipStudy, SwitchConversion
from schemas.message import Message
from schemas.trust_imaging import CompareImport, RepeatImport, RetryImport, SetConversion, SkipImport
from services.imaging_ingest.domain import Import, Project, Study

Ask = RetryStudies | SkipStudy | ReimportStudy | ReconcileImport | SwitchConversion


def ask(project: Project | None, import_: Import | None, study: Study | None, command: Ask) -> Message:
    """What the trust is told; raises Rejection with a stable code. ``study`` is the one that the command names."""
    if project is None:
        raise Late("unknown_project", "There is no such project, or no trust has approved it yet.")
    if command.actor not in project.members:
        raise Rejection("not_a_member", f"{command.actor} is no member of this project.")
    if project.closed or command.trust_id in project.left:
        raise Rejection("project_ended", f"The project has ended at {command.trust_id}: its images were removed there.")
    if import_ is None:
        raise Rejection("no_import", f"Nothing has been imported at {command.trust_id} for this project.")
    return _told(import_, study, command)


def _told(import_: Import, study: Study | None, command: Ask) -> Message:
    where = {"trust_id": command.trust_id, "project_id": command.project_id}
    match command:
        case RetryStudies():
            if import_.tally.failed == 0:
                raise Rejection("nothing_failed", f"No study of this project has failed at {command.trust_id}.")
            return RetryImport(**where, study=command.study)
        case SkipStudy():
            return SkipImport(**where, study=_known(study, command))
        case ReimportStudy():
            return RepeatImport(**where, study=_known(study, command))
        case ReconcileImport():
            return CompareImport(**where)
        case SwitchConversion():
            return SetConversion(**where, on=command.on)


def _known(study: Study | None, command: SkipStudy | ReimportStudy) -> str:
    if study is None:
        raise Rejection(
            "unknown_study", f"{command.trust_id} has told of no such study: see `trustflow import status`."
        )
    return command.study
