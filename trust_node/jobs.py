"""Work a node gives itself; these messages never leave its database."""

from schemas.ids import Id, StudyPseudonym
from schemas.message import Message


class ImportStudy(Message, type="trustflow.node.import_study.v1", key="study"):
    """Bring one study of a project in."""

    project_id: Id
    study: StudyPseudonym


class SettleOverdue(Message, type="trustflow.node.settle_overdue.v1", key="project_id"):
    """A deadline has passed: studies of the project that are still on their way have failed."""

    project_id: Id


class CoverEnrichment(Message, type="trustflow.node.cover_enrichment.v1", key="project_id"):
    """Look at the project's labels and masks, and tell what is covered."""

    project_id: Id


class LookAgain(Message, type="trustflow.node.look_again.v1", key="project_id"):
    """Look in the warehouse who is still in the project's frozen cohort, if nobody has within the interval."""

    project_id: Id


class StopImport(Message, type="trustflow.node.stop_import.v1", key="project_id"):
    """Too few are left of the project's cohort: import nothing of it any more."""

    project_id: Id


class RemoveWithdrawn(Message, type="trustflow.node.remove_withdrawn.v1", key="project_id"):
    """Persons are gone from the project's cohort: remove what lies here of their studies."""

    project_id: Id
