"""What is done to every object of one import, settled before the first of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Self

from pydicom import Dataset

from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.pixels import HoldReason, PixelRules
from trust_node.imaging.deid.profile import tables_digest
from trust_node.imaging.deid.rules import Profile
from trust_node.imaging.deid.script import Script
from trust_node.imaging.deid.whitelist import Whitelist

BASIC_WITH_MODIFIED_DATES = Profile()


@dataclass(frozen=True, slots=True)
class DeidPlan:
    """The trust's keys, the profile and what comes on top of it; may be sent to a worker process.

    Attributes
    ----------
    pixel_rules
        What is held for a person, and which devices' rectangles are blanked.
    whitelist
        What stays of the profile's output; all of it where there is none.
    scripts
        The trust's script, then the project's.
    lookup
        The trust's table for the scripts' `lookup`.
    project
        The archive's project, for the scripts' variable of that name.
    digest
        What names this plan: whatever changes the output changes it. It tells nothing of the keys.
    """

    keys: DeidKeys
    profile: Profile = BASIC_WITH_MODIFIED_DATES
    pixel_rules: PixelRules = field(default_factory=PixelRules)
    whitelist: Whitelist | None = None
    scripts: tuple[Script, ...] = ()
    lookup: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    project: str = ""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(repr(tuple(self._parts())).encode()).hexdigest())

    def releasing(self, *reasons: HoldReason) -> Self:
        """Return the plan for an object that a person looked at: what is named here holds it no more."""
        released = self.pixel_rules.released | frozenset(reasons)
        return replace(self, pixel_rules=replace(self.pixel_rules, released=released))

    def _parts(self) -> tuple[object, ...]:
        rules = self.pixel_rules
        return (
            tables_digest(),
            self.keys.fingerprint,
            sorted(self.profile.options),
            sorted(self.profile.overrides),
            *(sorted(reasons) for reasons in (rules.on, rules.off, rules.released)),
            rules.devices,
            self.whitelist and self.whitelist.digest,
            [script.digest for script in self.scripts],
            sorted(self.lookup.items()),
            self.project,
        )


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose object it is: the pseudonym, and by how many days the dates move."""

    subject: str
    days: int


def patient_of(original: Dataset, keys: DeidKeys) -> Patient:
    """Return the patient of an object."""
    return patient(str(original.get("PatientID") or ""), str(original.StudyInstanceUID), keys)


def patient(patient_id: str, study_uid: str, keys: DeidKeys) -> Patient:
    """Return the patient that an id stands for; without an id the study is the next larger whole."""
    known = patient_id or study_uid
    return Patient(keys.subject(known), keys.shift_days(known))


def as_plan(given: "DeidPlan | DeidKeys") -> DeidPlan:
    """Take keys alone for the Basic Profile with modified dates."""
    return given if isinstance(given, DeidPlan) else DeidPlan(given)
