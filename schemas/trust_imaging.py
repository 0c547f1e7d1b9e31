"""What hub and trust say to each other of images: their import, who may see them, their end."""

import json
from typing import Self

from pydantic import model_validator

from schemas.deid import DeidWish
from schemas.ids import Code, Count, Id, Sha256, Signature, StudyPseudonym, Title, TrustId, UserId
from schemas.imaging import StudyRest, StudyStep
from schemas.message import Message, Record
from schemas.trust import COMMANDS, EVENTS


class ImportCohort(Message, type="trustflow.trust.import_cohort.v1", topic=COMMANDS, key="project_id"):
    """Bring the studies of the frozen cohort into the trust's XNAT."""

    trust_id: TrustId
    project_id: Id
    project_name: Title
    dicom_to_nifti: bool
    deid: DeidWish | None = None


class RetryImport(Message, type="trustflow.trust.retry_import.v1", topic=COMMANDS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym | None = None


class SkipImport(Message, type="trustflow.trust.skip_import.v1", topic=COMMANDS, key="project_id"):
    """Leave a study out: what was under way for it ends."""

    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym


class RepeatImport(Message, type="trustflow.trust.repeat_import.v1", topic=COMMANDS, key="project_id"):
    """Bring a study in from scratch, past what is here of it."""

    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym


class CompareImport(Message, type="trustflow.trust.compare_import.v1", topic=COMMANDS, key="project_id"):
    """Compare PACS, content store and archive with what was told of each study; repair what can be."""

    trust_id: TrustId
    project_id: Id


class SetConversion(Message, type="trustflow.trust.set_conversion.v1", topic=COMMANDS, key="project_id"):
    """Convert the project's images to NIfTI, also those that are there already, or no longer."""

    trust_id: TrustId
    project_id: Id
    on: bool


class SetMembers(Message, type="trustflow.trust.set_members.v1", topic=COMMANDS, key="project_id"):
    """These people, and no others that this system let in, may see the project's images in the trust's XNAT."""

    trust_id: TrustId
    project_id: Id
    project_name: Title
    members: tuple[UserId, ...]


class PurgeProject(Message, type="trustflow.trust.purge_project.v1", topic=COMMANDS, key="project_id"):
    """The project is over here: remove its images, and prove it."""

    trust_id: TrustId
    project_id: Id


class ImportPlanned(Message, type="trustflow.trust.import_planned.v1", topic=EVENTS, key="project_id"):
    trust_id: TrustId
    project_id: Id
    studies: Count


class StudyFailure(Record):
    """Why a study went no further; ``final`` when the trust does not try it again by itself."""

    code: Code
    final: bool


class StudyAdvanced(Message, type="trustflow.trust.study_advanced.v2", topic=EVENTS, key="project_id"):
    """One study reached a state, or failed after it; ``arrived`` when it is where the project wants it.

    ``expected`` is the PACS's own count of images, ``present`` what is there. ``rest`` says that it goes no further by
    itself and has neither arrived nor failed; ``held`` counts the images that wait for a person, by reason.
    """

    trust_id: TrustId
    project_id: Id
    study: StudyPseudonym
    state: StudyStep
    attempt: Count
    arrived: bool = False
    failure: StudyFailure | None = None
    expected: Count | None = None
    present: Count | None = None
    rest: StudyRest | None = None
    held: dict[Code, Count] | None = None

    @property
    def settled(self) -> bool:
        """True when nothing more happens to it unless somebody asks."""
        return self.failure.final if self.failure else self.arrived or self.rest is not None

    @model_validator(mode="after")
    def _contradicts_nothing(self) -> Self:
        if self.arrived and (self.failure or self.state not in {"archived", "converted"}):
            raise ValueError("arrived: only an archived or converted study that did not fail has arrived")
        if self.rest and (self.arrived or self.failure):
            raise ValueError("rest: a study that has arrived or failed neither waits for a person nor was left out")
        return self


class ImportCompared(Message, type="trustflow.trust.import_compared.v1", topic=EVENTS, key="project_id"):
    """What was found where PACS, content store, archive and what was told of ``studies`` were compared.

    ``differences`` counts studies by code; those ``repaired`` are brought in again.
    """

    trust_id: TrustId
    project_id: Id
    studies: Count
    agreed: Count
    differences: dict[Code, Count]
    repaired: Count


class ConversionSet(Message, type="trustflow.trust.conversion_set.v1", topic=EVENTS, key="project_id"):
    """``waiting`` counts the studies that are here and still to be converted."""

    trust_id: TrustId
    project_id: Id
    on: bool
    waiting: Count


class MembersSet(Message, type="trustflow.trust.members_set.v1", topic=EVENTS, key="project_id"):
    """Accounts in the trust's XNAT project; ``without_address`` members are unknown to the trust's policy file.

    ``hindered`` counts all members who have no access, by the code of the reason.
    """

    trust_id: TrustId
    project_id: Id
    added: Count
    removed: Count
    without_address: Count
    hindered: dict[Code, Count] | None = None


class EnrichmentCovered(Message, type="trustflow.trust.enrichment_covered.v1", topic=EVENTS, key="project_id"):
    """Images of the project, those with labels, those with masks; what was rejected, by code."""

    trust_id: TrustId
    project_id: Id
    images: Count
    labelled: Count
    masked: Count
    rejected: dict[Code, Count]


class ProjectPurged(Message, type="trustflow.trust.project_purged.v1", topic=EVENTS, key="project_id"):
    """The project's images are gone from here, but for ``retained`` studies on legal hold.

    ``digest`` is the SHA-256 of the list of what was removed, which stays at the trust; ``signature`` is the trust's,
    over ``statement``: whoever has the trust's public key can verify it by ``bus.proof.statements.verify``.
    """

    trust_id: TrustId
    project_id: Id
    studies: Count
    images: Count
    kept: Count
    retained: Count
    sessions: Count
    digest: Sha256
    signature: Signature

    @property
    def statement(self) -> bytes:
        """What is signed: every field but the signature, as JSON with sorted keys."""
        said = self.model_dump(mode="json", exclude={"signature"})
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
