"""`trustflow cohort compile` and `convert`: on the user's machine, without a hub."""

import json
from pathlib import Path

import pytest

from schemas.criteria import compile_criteria, from_circe, to_circe

SAMPLES = Path(__file__).parents[1] / "criteria" / "samples"
STROKE = SAMPLES / "ischaemic_stroke_in_hospital.json"


@pytest.mark.parametrize("images", [False, True])
def test_compile_prints_the_query_and_nothing_else(trustflow, images):
    result = trustflow("cohort", "compile", str(STROKE), *(["--images"] if images else []))
    assert result.exit_code == 0, result.output
    assert result.stdout.rstrip("\n") == compile_criteria(from_circe(STROKE.read_text()), images=images).sql


def test_compile_prints_each_step_of_the_attrition_as_a_json_line(trustflow):
    result = trustflow("cohort", "compile", str(STROKE), "--rules")
    names = [json.loads(line)["name"] for line in result.stdout.splitlines()]
    assert names == ["Index event", "No stroke in the year before"]


def test_convert_prints_criteria_that_compile_alike_and_says_what_was_left_out(trustflow):
    result = trustflow("cohort", "convert", str(STROKE))
    assert result.exit_code == 0, result.output
    assert result.stdout.rstrip("\n") == to_circe(from_circe(STROKE.read_text()))
    assert "left out: EndStrategy" in result.stderr


@pytest.mark.parametrize("command", ["compile", "convert"])
def test_a_refusal_prints_the_path_and_ends_with_3(trustflow, tmp_path, command):
    (tmp_path / "bad.json").write_text('{"PrimaryCriteria": {"CriteriaList": [{"Dose": {}}]}}')
    result = trustflow("cohort", command, str(tmp_path / "bad.json"))
    assert result.exit_code == 3
    assert "rejected: bad_criteria: $.PrimaryCriteria.CriteriaList[0].Dose" in result.stderr
    assert result.stdout == ""
