"""A project with three trusts, and queries in it."""

from datetime import UTC, datetime

from schemas.cohort import Outcome, SubmitQuery
from schemas.trust import CohortCounted
from services.cohort.domain import submitting
from services.cohort.domain.state import Project, Query
from services.cohort.domain.submitting import Around
from services.cohort.domain.versions import Cohort

TRUSTS = ("amber", "birch", "cedar")
PROJECT = Project(members=("ada",))
SQL = "select person_id from person where year_of_birth < 1960"
SUBMIT = SubmitQuery(actor="ada", query_id="q1", project_id="p1", sql=SQL, trusts=TRUSTS)
DEADLINE = datetime(2026, 11, 21, 9, 1, tzinfo=UTC)
AROUND = Around(None, PROJECT, TRUSTS, Cohort(), DEADLINE)


def submitted() -> Query:
    return submitting.submit(SUBMIT, AROUND).query


def counted(trust: str, outcome: Outcome = "counted", **told: object) -> CohortCounted:
    asked = {"trust_id": trust, "query_id": "q1", "project_id": "p1", "outcome": outcome}
    return CohortCounted.model_validate(asked | told)
