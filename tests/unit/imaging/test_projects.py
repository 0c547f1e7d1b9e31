"""What concerns a whole project is not given up."""

from datetime import timedelta

import pytest

from bus.proof.signing import Author
from bus.uow import UnitOfWork
from schemas.message import Message
from schemas.trust_imaging import CompareImport, PurgeProject, SetMembers
from tests.unit.bus.recorded import NOW
from trust_node.imaging.projects import _later
from trust_node.jobs import CoverEnrichment

ABOUT = {"trust_id": "amber", "project_id": "p1"}


@pytest.mark.parametrize(
    ("message", "lanes"),
    [
        (PurgeProject(**ABOUT), ["imports"]),
        (SetMembers(**ABOUT, project_name="Knees", members=("ada",)), ["people"]),
        (CompareImport(**ABOUT), []),
        (CoverEnrichment(project_id="p1"), []),
    ],
)
def test_what_must_come_about_is_tried_again_in_an_hour(message: Message, lanes: list[str]) -> None:
    uow = UnitOfWork(None, Author("trust-amber"), NOW)
    _later(message, uow, "internal_error", "")
    assert [(job.lane, job.message, job.run_at - NOW) for job in uow.jobs] == [
        (lane, message, timedelta(hours=1)) for lane in lanes
    ]
