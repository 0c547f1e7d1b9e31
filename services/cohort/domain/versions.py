"""Versions of a cohort: its texts, counted in the order in which they were first asked."""

import hashlib

import postgast

from services.cohort.domain.state import State

DEFAULT_COHORT = "cohort"
"""The cohort of a project whose queries name none."""


class Cohort(State):
    """``texts``: a digest of each version's normalised text; the first is version 1."""

    texts: tuple[str, ...] = ()

    def with_text(self, sql: str) -> tuple["Cohort", int]:
        """The cohort with this text in it, and the text's version."""
        text = digest(normalised(sql))
        known = self if text in self.texts else Cohort(texts=(*self.texts, text))
        return known, known.texts.index(text) + 1


def cohort_id(project_id: str, cohort: str | None) -> str:
    """No id of a project has a slash, so two cohorts never share an id."""
    return f"{project_id}/{cohort or DEFAULT_COHORT}"


def normalised(accepted: str) -> str:
    """A text that the judge accepted, without comments, layout, the CDM's schema and cases of keywords and names."""
    tree = postgast.parse(accepted)
    for table in postgast.find_nodes(tree, postgast.pg_query_pb2.RangeVar):
        table.schemaname = ""
    try:
        return str(postgast.deparse(tree))
    except postgast.PgQueryError:  # a form that can be read but not written back is a version as it stands
        return accepted


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
