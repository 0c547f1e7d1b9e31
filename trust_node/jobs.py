"""Work a node gives itself; these messages never leave its database."""

from schemas.ids import Id, StudyPseudonym
from schemas.message import Message


class ImportStudy(Message, type="trustflow.node.import_study.v1", key="study"):
    """Bring one study of a project in."""

    project_id: Id
    study: StudyPseudonym
