"""Imaging: the import of an approved cohort, study by study, at each trust."""

from typing import Literal

from schemas.ids import Code, Count, Id, Sha256, StudyPseudonym, TrustId
from schemas.message import Accepted, Command, Message, Record, Rejected

StudyStep = Literal["queued", "moving", "received", "deidentified", "archived", "converted"]
StudyState = Literal[StudyStep, "failed"]
StudyRest = Literal["held", "skipped"]
"""Where a study rests without having arrived or failed: images wait for a person, or a person leaves it out."""


class Tally(Record):
    """Where the studies of one project at one trust stand; slices are images."""

    asked: Count = 0
    received: Count = 0
    archived: Count = 0
    converted: Count = 0
    failed: Count = 0
    slices_in: Count = 0
    slices_out: Count = 0
    held: Count = 0
    skipped: Count = 0


class RetryStudies(Command, type="trustflow.imaging.retry_studies.v1", topic="imaging.commands", key="project_id"):
    """Try the failed studies of a trust again, or one of them."""

    project_id: Id
    trust_id: TrustId
    study: StudyPseudonym | None = None


class SkipStudy(Command, type="trustflow.imaging.skip_study.v1", topic="imaging.commands", key="project_id"):
    """Leave a study out of the project's import at a trust: nothing more is tried for it."""

    project_id: Id
    trust_id: TrustId
    study: StudyPseudonym


class ReimportStudy(Command, type="trustflow.imaging.reimport_study.v1", topic="imaging.commands", key="project_id"):
    """Bring a study in from scratch: fetched anew, archived anew."""

    project_id: Id
    trust_id: TrustId
    study: StudyPseudonym


class ReconcileImport(
    Command, type="trustflow.imaging.reconcile_import.v1", topic="imaging.commands", key="project_id"
):
    """Have a trust compare PACS, content store and archive with what it told, and repair what can be."""

    project_id: Id
    trust_id: TrustId


class SwitchConversion(
    Command, type="trustflow.imaging.switch_conversion.v1", topic="imaging.commands", key="project_id"
):
    """Have a trust convert the project's images to NIfTI from now on, those that are there included, or no longer."""

    project_id: Id
    trust_id: TrustId
    on: bool


class ImagingEvent(Message, topic="imaging.events", key="project_id"):
    project_id: Id
    trust_id: TrustId


class ImportStarted(ImagingEvent, type="trustflow.imaging.import_started.v1"):
    studies: Count


class ImportProgressed(ImagingEvent, type="trustflow.imaging.import_progressed.v1"):
    """One study moved on; ``tally`` is where the whole import stands after it.

    ``rest`` says that it goes no further by itself; ``held`` counts the images that wait for a person, by reason.
    """

    study: StudyPseudonym
    state: StudyState
    attempt: Count
    code: Code | None = None
    tally: Tally
    rest: StudyRest | None = None
    held: dict[Code, Count] | None = None


class ImportFinished(ImagingEvent, type="trustflow.imaging.import_finished.v1"):
    """Every study is where it should be, held for a person, skipped, or failed with a reason."""

    tally: Tally


class ImportReconciled(ImagingEvent, type="trustflow.imaging.import_reconciled.v1"):
    """What a trust found when it compared what it told with what is there; counts of studies, by code."""

    studies: Count
    agreed: Count
    differences: dict[Code, Count]
    repaired: Count


class ConversionSwitched(ImagingEvent, type="trustflow.imaging.conversion_switched.v1"):
    """A trust converts the project's images, or no longer; ``waiting`` studies are still to be converted."""

    on: bool
    waiting: Count


class AccessSet(ImagingEvent, type="trustflow.imaging.access_set.v1"):
    """Who may see the project's images at a trust was set; members without an address there have no account yet."""

    added: Count
    removed: Count
    without_address: Count
    hindered: dict[Code, Count] | None = None


class EnrichmentReported(ImagingEvent, type="trustflow.imaging.enrichment_reported.v1"):
    """How many of the project's images at a trust have labels and masks, and what was rejected, by code."""

    images: Count
    labelled: Count
    masked: Count
    rejected: dict[Code, Count]


class ImagesPurged(ImagingEvent, type="trustflow.imaging.images_purged.v1"):
    """A trust has removed the project's images; its signed proof is in ``trustflow.trust.project_purged``."""

    studies: Count
    images: Count
    retained: Count
    digest: Sha256


class ImagingCommandAccepted(
    Accepted, type="trustflow.imaging.command_accepted.v1", topic="imaging.events", key="subject"
):
    pass


class ImagingCommandRejected(
    Rejected, type="trustflow.imaging.command_rejected.v1", topic="imaging.events", key="subject"
):
    pass
