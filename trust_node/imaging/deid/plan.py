"""What is done to every object of one import, settled before the first of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from pydicom import Dataset

from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.pixels import PixelRules
from trust_node.imaging.deid.rules import Profile


@dataclass(frozen=True, slots=True)
class DeidPlan:
    """The trust's keys, the profile and what comes on top of it; equal plans give equal objects.

    Attributes
    ----------
    keys
        The trust's secret; not part of the digest, which may be shown.
    pixel_rules
        What is held for a person, and which devices' rectangles are blanked.
    """

    keys: DeidKeys
    profile: Profile = Profile()
    pixel_rules: PixelRules = field(default_factory=PixelRules)

    @property
    def digest(self) -> str:
        """Return what names this plan: whatever changes the output changes it."""
        parts = (sorted(self.profile.options), sorted(self.profile.overrides), self.pixel_rules)
        return sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose object it is: the pseudonym, and by how many days the dates move."""

    subject: str
    days: int


def patient_of(original: Dataset, keys: DeidKeys) -> Patient:
    """Return the patient of an object; one without a patient id has no patient to agree with but its study."""
    return patient(str(original.get("PatientID") or ""), str(original.StudyInstanceUID), keys)


def patient(patient_id: str, study_uid: str, keys: DeidKeys) -> Patient:
    """Return the patient that an id stands for; without an id the study is the next larger whole."""
    known = patient_id or study_uid
    return Patient(keys.subject(known), keys.shift_days(known))


def as_plan(given: "DeidPlan | DeidKeys") -> DeidPlan:
    """Take keys alone for the Basic Profile with modified dates."""
    return given if isinstance(given, DeidPlan) else DeidPlan(given)
