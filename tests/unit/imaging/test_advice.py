"""Every code has a meaning and a remedy, and a study's life reads as sentences."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.imaging.test_comparing import ARRIVED, FAILED
from trust_node.imaging.advice import ADVICE, STEPS
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.explaining import explain
from trust_node.imaging.states import Step
from trust_node.imaging.store import Told
from trust_node.imaging.study import Found

MOMENT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_every_code_has_its_advice() -> None:
    assert set(ADVICE) == set(FailureCode)


def test_every_step_has_its_words() -> None:
    assert set(STEPS) == {*Step, "held", "skipped"} - {Step.FAILED}


@pytest.mark.parametrize("code", FailureCode)
def test_a_failed_study_is_told_why_and_what_to_do(code: FailureCode) -> None:
    text = "\n".join(explain(replace(FAILED, code=code.value), [], []))
    assert ADVICE[code].meaning in text
    assert ADVICE[code].remedy in text


def test_each_step_is_told_with_its_time_and_counts() -> None:
    told = [
        Told(MOMENT, 1, "received", None, 5, 5, {}),
        Told(MOMENT, 1, "archived", None, 5, 4, {"leak": 1}),
        Told(MOMENT, 2, "archived", "slices_lost", 5, 4, {}),
    ]
    found = [Found("S0123456789abcdef", 5, chosen=True), Found("Sfedcba9876543210", None, chosen=False)]
    text = "\n".join(explain(replace(ARRIVED, rest="held"), told, found))
    assert "2026-11-21 09:00:00, attempt 1: it had arrived: 5 of 5 images" in text
    assert "4 of 5 images; 1 wait for a person (leak 1)" in text
    assert "went no further (slices_lost)" in text
    assert "Sfedcba9876543210, no count of its images: not taken" in text
    assert "trustflow node hold list" in text


@pytest.mark.parametrize(
    ("study", "end"),
    [
        (ARRIVED, "where it should be"),
        (replace(ARRIVED, settled=False), "on its way"),
        (replace(ARRIVED, rest="skipped"), "left out"),
        (replace(FAILED, settled=False), "tried again"),
    ],
)
def test_the_last_sentence_says_how_it_stands(study: object, end: str) -> None:
    assert end in explain(study, [], [])[-1] + explain(study, [], [])[-2]  # type: ignore[arg-type]
