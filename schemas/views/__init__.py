"""What the events of one project, query, search, import, model or run add up to: pure folds, always replayed."""

from schemas.views.imports import IMPORT, ImportView, StudyView, TrustImport, fold_import
from schemas.views.model import MODEL, BundleView, ModelView, fold_model
from schemas.views.project import PROJECT, ProjectView, fold_project
from schemas.views.query import QUERY, QueryView, fold_query
from schemas.views.run import RUN, RunView, fold_run
from schemas.views.search import SEARCH, SearchView, fold_search
from schemas.views.view import AnyView, Decision, View, ViewDefinition

VIEWS: tuple[AnyView, ...] = (PROJECT, QUERY, SEARCH, IMPORT, MODEL, RUN)

__all__ = [
    "IMPORT",
    "MODEL",
    "PROJECT",
    "QUERY",
    "RUN",
    "SEARCH",
    "VIEWS",
    "AnyView",
    "BundleView",
    "Decision",
    "ImportView",
    "ModelView",
    "ProjectView",
    "QueryView",
    "RunView",
    "SearchView",
    "StudyView",
    "TrustImport",
    "View",
    "ViewDefinition",
    "fold_import",
    "fold_model",
    "fold_project",
    "fold_query",
    "fold_run",
    "fold_search",
]
