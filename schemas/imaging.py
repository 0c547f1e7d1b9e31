"""Imaging: the import of an approved cohort, study by study, at each trust."""

from typing import Literal

from schemas.ids import Code, Count, Id, StudyPseudonym, TrustId
from schemas.message import Accepted, Command, Message, Record, Rejected

StudyStep = Literal["queued", "moving", "received", "deidentified", "archived", "converted"]
StudyState = Literal[StudyStep, "failed"]


class Tally(Record):
    """Where the studies of one project at one trust stand; slices are images."""

    asked: Count = 0
    received: Count = 0
    archived: Count = 0
    converted: Count = 0
    failed: Count = 0
    slices_in: Count = 0
    slices_out: Count = 0


class RetryStudies(Command, type="trustflow.imaging.retry_studies.v1", topic="imaging.commands", key="project_id"):
    """Try the failed studies of a trust again, or one of them."""

    project_id: Id
    trust_id: TrustId
    study: StudyPseudonym | None = None


class ImagingEvent(Message, topic="imaging.events", key="project_id"):
    project_id: Id
    trust_id: TrustId


class ImportStarted(ImagingEvent, type="trustflow.imaging.import_started.v1"):
    studies: Count


class ImportProgressed(ImagingEvent, type="trustflow.imaging.import_progressed.v1"):
    """One study moved on; ``tally`` is where the whole import stands after it."""

    study: StudyPseudonym
    state: StudyState
    attempt: Count
    code: Code | None = None
    tally: Tally


class ImportFinished(ImagingEvent, type="trustflow.imaging.import_finished.v1"):
    """Every study is where it should be, or failed with a reason."""

    tally: Tally


class ImagingCommandAccepted(
    Accepted, type="trustflow.imaging.command_accepted.v1", topic="imaging.events", key="subject"
):
    pass


class ImagingCommandRejected(
    Rejected, type="trustflow.imaging.command_rejected.v1", topic="imaging.events", key="subject"
):
    pass
