"""The training coordinator's tables."""

from bus.database import Connection
from bus.documents import Documents
from services.training_coordinator.domain.known import Project, Trust
from services.training_coordinator.domain.models import Model
from services.training_coordinator.domain.run import Run

models = Documents("model", Model)
runs = Documents("run", Run)
projects = Documents("project", Project)
trusts = Documents("trust", Trust)


async def model_and_project(connection: Connection, model_id: str) -> tuple[Model | None, Project | None]:
    model = await models.load(connection, model_id)
    project = await projects.load(connection, model.project_id) if model else None
    return model, project
