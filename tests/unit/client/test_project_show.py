"""What an approver reads before a trust says yes: the very text, and what becomes of its rows."""

import json
from typing import Any

import pytest

from schemas.project import ProjectCreated, ProjectStaged
from tests.unit.client.conftest import FakeVoice

CREATED = ProjectCreated(project_id="p1", name="Knees", description="", dicom_to_nifti=True, owner="ann")
STAGED = ProjectStaged(
    project_id="p1",
    name="Knees",
    query_id="q1",
    sql_sha256="ab" * 32,
    trusts=("amber",),
    dicom_to_nifti=True,
    requested_by="ann",
    request_digest="ab" * 32,
)


def shown(trustflow: Any, voice: FakeVoice, sql: str, **asked: object) -> str:
    voice.said = [CREATED, STAGED.model_copy(update={"sql": sql, **asked})]
    return " ".join(str(trustflow("project", "show", "p1").stdout).replace("│", " ").split())


@pytest.mark.parametrize(
    ("sql", "use"),
    [
        ("select person_id from person", "a list of persons or images"),
        ("select accession_id, modality_concept_id as label from image_occurrence", "a training frame"),
        ("select gender_concept_id, count(distinct person_id) from person group by 1", "counts of persons"),
        ("select pg_sleep(1)", "refused here (function_not_allowed)"),
    ],
)
def test_the_text_is_shown_with_what_becomes_of_its_rows(trustflow: Any, voice: FakeVoice, sql: str, use: str) -> None:
    text = shown(trustflow, voice, sql)
    assert use in text
    assert sql.split(maxsplit=1)[1][:20] in text


def test_the_cohorts_name_its_version_and_its_criteria_are_shown(trustflow: Any, voice: FakeVoice) -> None:
    criteria = json.dumps({"PrimaryCriteria": [1]})
    text = shown(trustflow, voice, "select person_id from person", cohort="knees [MR]", version=2, criteria=criteria)
    assert "knees [MR], version 2" in text
    assert '{"PrimaryCriteria": [1]}' in text


def test_a_project_that_an_older_hub_staged_is_shown_without_its_text(trustflow: Any, voice: FakeVoice) -> None:
    voice.said = [CREATED, STAGED]
    result = trustflow("project", "show", "p1")
    assert result.exit_code == 0
    assert "SQL" not in result.stdout
