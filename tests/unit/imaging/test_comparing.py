"""What was told of a study, compared with what is there."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.comparing import Difference, Seen, difference
from trust_node.imaging.store import Study

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ARRIVED = Study(
    project_id="p1",
    study="A0123456789abcdef",
    accession="X",
    state="converted",
    attempt=1,
    session="S0123456789abcdef",
    code=None,
    settled=True,
    rest=None,
    fresh=False,
    failures=0,
    expected=3,
    received=3,
    archived=3,
    held={},
    deadline_at=NOW,
    touched_at=NOW,
)
FAILED = replace(ARRIVED, state="moving", code="incomplete", received=1, archived=0)
THERE = Seen(in_pacs=3, archived=3, converted=True, withheld=0, job=False)


@pytest.mark.parametrize(
    ("study", "seen", "expected"),
    [
        (ARRIVED, THERE, None),
        (ARRIVED, replace(THERE, archived=2, withheld=1), None),
        (ARRIVED, replace(THERE, in_pacs=None), None),
        (ARRIVED, replace(THERE, archived=2), Difference.ARCHIVE_LACKS),
        (ARRIVED, replace(THERE, archived=0), Difference.ARCHIVE_LACKS),
        (ARRIVED, replace(THERE, converted=False), Difference.NIFTI_LACKS),
        (ARRIVED, replace(THERE, in_pacs=4), Difference.PACS_HAS_MORE),
        (ARRIVED, replace(THERE, in_pacs=0), Difference.GONE_FROM_PACS),
        (ARRIVED, replace(THERE, content_whole=False), Difference.CONTENT_DAMAGED),
        (FAILED, THERE, Difference.THERE_AFTER_ALL),
        (FAILED, replace(THERE, archived=1), None),
        (FAILED, replace(THERE, in_pacs=0, archived=0), None),
        (replace(FAILED, settled=False), replace(THERE, job=True), None),
        (replace(FAILED, settled=False), THERE, Difference.NO_JOB),
        (replace(ARRIVED, rest="skipped", state="queued"), replace(THERE, archived=0), None),
    ],
)
def test_each_difference_has_its_word(study: Study, seen: Seen, expected: Difference | None) -> None:
    assert difference(study, seen, to_nifti=True) is expected


def test_without_conversion_no_nifti_is_missed() -> None:
    assert difference(ARRIVED, replace(THERE, converted=False), to_nifti=False) is None


@given(
    st.builds(
        Seen,
        in_pacs=st.none() | st.integers(0, 5),
        archived=st.integers(0, 5),
        converted=st.booleans(),
        withheld=st.integers(0, 3),
        job=st.booleans(),
    )
)
def test_what_agrees_is_really_there(seen: Seen) -> None:
    if difference(ARRIVED, seen, to_nifti=True) is None:
        assert seen.archived + seen.withheld >= (ARRIVED.expected or 0)
        assert seen.converted or not seen.archived


def test_only_what_the_pacs_no_longer_has_cannot_be_repaired() -> None:
    assert {differs for differs in Difference if not differs.repairable} == {Difference.GONE_FROM_PACS}
