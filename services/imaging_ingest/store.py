"""The imaging ingest service's tables."""

from bus.documents import Documents
from bus.uow import UnitOfWork
from services.imaging_ingest.domain import Import, Project, Study

projects = Documents("project", Project)
imports = Documents("import", Import)
studies = Documents("study", Study)


def import_id(project_id: str, trust_id: str) -> str:
    return f"{project_id}/{trust_id}"


def study_id(project_id: str, trust_id: str, study: str) -> str:
    return f"{project_id}/{trust_id}/{study}"


async def forget_studies(uow: UnitOfWork, project_id: str, trust_id: str) -> None:
    """A new plan starts from nothing."""
    await uow.opened.settle(uow.connection)
    await uow.connection.execute("delete from study where starts_with(id, $1)", f"{project_id}/{trust_id}/")
