"""The training coordinator's tables."""

from bus.documents import Documents
from bus.uow import UnitOfWork
from services.training_coordinator.domain.known import Project, Trust
from services.training_coordinator.domain.models import Model
from services.training_coordinator.domain.run import Run

models = Documents("model", Model)
runs = Documents("run", Run)
projects = Documents("project", Project)
trusts = Documents("trust", Trust)


async def model_and_project(uow: UnitOfWork, model_id: str) -> tuple[Model | None, Project | None]:
    model = await models.load(uow, model_id)
    project = await projects.load(uow, model.project_id) if model else None
    return model, project
