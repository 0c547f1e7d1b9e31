"""Decides what happens to one data element. Pure: the same element gets the same action everywhere."""

from enum import Enum, auto

from pydicom.tag import Tag

from trust_node.imaging.deid.profile import BasicCode, basic_code
from trust_node.imaging.deid.uids import names_a_class


class Action(Enum):
    REMOVE = auto()
    EMPTY = auto()
    DUMMY = auto()
    REMAP = auto()
    SHIFT = auto()
    DESCEND = auto()
    KEEP = auto()


# The choice that is valid whatever the attribute's type in the IOD (PS3.15 E.3.1 leaves it to the type).
VALID_FOR_EVERY_TYPE: dict[BasicCode, Action] = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.REMAP,
    "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "X/Z/U*": Action.DESCEND,
}

# CR, CT, MR, NM and PET of PS3.3 A.2-A.4, A.5, A.21: their General Study, Series and Equipment modules agree.
CLASSIC_IMAGES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",
        "1.2.840.10008.5.1.4.1.1.2",
        "1.2.840.10008.5.1.4.1.1.4",
        "1.2.840.10008.5.1.4.1.1.20",
        "1.2.840.10008.5.1.4.1.1.128",
    }
)
OPTIONAL_IN_CLASSIC_IMAGES = frozenset(
    Tag(keyword)
    for keyword in (
        "InstitutionName",
        "InstitutionCodeSequence",
        "StationName",
        "DeviceSerialNumber",
        "OperatorsName",
        "OperatorIdentificationSequence",
        "ProtocolName",
        "ReferencedStudySequence",
        "ReferencedPerformedProcedureStepSequence",
        "RequestedProcedureDescription",
        "AcquisitionDeviceProcessingDescription",
    )
)

TEMPORAL_VRS = frozenset({"DA", "DT", "TM"})
# A birth date stays identifying when it is shifted; table E.1-1 gives it no temporal option.
BIRTH = frozenset({Tag("PatientBirthDate"), Tag("PatientBirthTime")})


def decide(tag: int, vr: str, sop_class: str) -> Action:
    """Return what the Basic Profile with Retain Longitudinal Modified Dates (113107) does to one element.

    Parameters
    ----------
    tag
        Group and element in 32 bits.
    vr
        The element's value representation.
    sop_class
        SOP Class UID of the object: settles slashed codes where the IOD is known.
    """
    if _outside_the_standard(tag, vr):
        return Action.REMOVE
    if vr in TEMPORAL_VRS and tag not in BIRTH:
        return Action.SHIFT
    if sop_class in CLASSIC_IMAGES and tag in OPTIONAL_IN_CLASSIC_IMAGES:
        return Action.REMOVE
    code = basic_code(tag)
    return _unlisted(tag, vr) if code is None else _fit(VALID_FOR_EVERY_TYPE[code], vr)


def _outside_the_standard(tag: int, vr: str) -> bool:
    """Tell private groups, curves, overlays, group lengths and what nobody can read from the rest."""
    group = tag >> 16
    repeating = group & 0xFF00 in (0x5000, 0x6000)
    return group % 2 == 1 or repeating or tag & 0xFFFF == 0 or vr == "UN"


def _unlisted(tag: int, vr: str) -> Action:
    if vr == "SQ":
        return Action.DESCEND
    if vr == "PN":
        return Action.DUMMY
    return Action.REMAP if vr == "UI" and not names_a_class(tag) else Action.KEEP


def _fit(action: Action, vr: str) -> Action:
    """Turn a dummy of a UID into the UID's stand-in, and a new UID for what is no UID into a dummy."""
    if action is Action.DUMMY and vr == "UI":
        return Action.REMAP
    return Action.DUMMY if action is Action.REMAP and vr != "UI" else action
