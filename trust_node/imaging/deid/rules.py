"""Decides what happens to one data element. Pure: the same element gets the same decision everywhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from pydicom.datadict import dictionary_has_tag
from pydicom.tag import Tag

from trust_node.imaging.deid.dummies import TEXT_VRS
from trust_node.imaging.deid.iod import Type, attribute_type
from trust_node.imaging.deid.options import COLUMNS, Option
from trust_node.imaging.deid.profile import BasicCode, OptionCode, Row, attribute
from trust_node.imaging.deid.uids import names_a_class

TEMPORAL_VRS = frozenset({"DA", "DT", "TM"})
# What people write into a content item; the table lists only the sequence that such items usually lie in.
TEXT_VALUE = Tag("TextValue")


class Action(IntEnum):
    """What is done to an element, from the mildest to the strictest: where two rules meet, the greater one wins."""

    KEEP = 0
    DESCEND = 1  # into a sequence, deciding for each element in it
    DESCEND_CLEAN = 2  # and cleaning every text in it
    CONTENT = 3  # the same for content items, dropping those that describe the patient
    CLEAN = 4
    SHIFT = 5
    REMAP = 6
    DUMMY = 7
    EMPTY = 8
    REMOVE = 9


class Decision(NamedTuple):
    """What to do, the rule that says so, and what to do where cleaning leaves no word."""

    action: Action
    rule: str
    otherwise: Action = Action.DUMMY


@dataclass(frozen=True, slots=True)
class Profile:
    """The Basic Profile, its options, and what the trust does more strictly, by tag."""

    options: frozenset[Option] = frozenset({Option.RETAIN_MODIFIED_DATES})
    overrides: frozenset[tuple[int, Action]] = frozenset()


# Unlisted in table E.1-1, but identifying: alternative calendars' birth and death dates, issuers of identifiers,
# the encrypted original, and what other systems' de-identification left of it.
BEYOND_THE_TABLE = frozenset(
    Tag(keyword)
    for keyword in (
        "PatientBirthDateInAlternativeCalendar",
        "PatientDeathDateInAlternativeCalendar",
        "PatientAlternativeCalendar",
        "IssuerOfPatientIDQualifiersSequence",
        "IssuerOfAccessionNumberSequence",
        "OrderPlacerIdentifierSequence",
        "OrderFillerIdentifierSequence",
        "AssigningFacilitySequence",
        "AssigningJurisdictionCodeSequence",
        "AssigningAgencyOrDepartmentCodeSequence",
        "EncryptedAttributesSequence",
        "MACParametersSequence",
    )
)
_FILE_META = 0x0002
_CHOICE: dict[Type, Action] = {Type.VALUE: Action.DUMMY, Type.PRESENT: Action.EMPTY, Type.OPTIONAL: Action.REMOVE}
_OFFERED: dict[BasicCode, tuple[Action, ...]] = {
    "X": (Action.REMOVE,),
    "Z": (Action.EMPTY,),
    "D": (Action.DUMMY,),
    "U": (Action.REMAP,),
    "X/Z": (Action.EMPTY, Action.REMOVE),
    "X/D": (Action.DUMMY, Action.REMOVE),
    "Z/D": (Action.DUMMY, Action.EMPTY),
    "X/Z/D": (Action.DUMMY, Action.EMPTY, Action.REMOVE),
    "X/Z/U*": (Action.DESCEND,),  # references stay, with new UIDs: valid for every type, and of use
}


@lru_cache(maxsize=100_000)
def decide(profile: Profile, tag: int, vr: str, sop_class: str, parent: int = 0) -> Decision:
    """Return what happens to one element of the standard's own groups; private ones: see `private`.

    Parameters
    ----------
    tag
        Group and element in 32 bits.
    vr
        The element's value representation.
    sop_class
        SOP Class UID of the object: settles slashed codes where its IOD is known.
    parent
        The sequence that the element lies in, 0 at the top.
    """
    decision = _by_table(profile, tag, vr, sop_class, parent)
    for overridden, action in profile.overrides:
        if overridden == tag and action > decision.action:
            decision = Decision(fit(action, vr), "trust's override")
    return decision


def _by_table(profile: Profile, tag: int, vr: str, sop_class: str, parent: int) -> Decision:
    unknown = _outside_the_standard(tag, vr)
    if unknown:
        return Decision(Action.REMOVE, unknown)
    row = attribute(tag)
    if row is None:
        return _unlisted(profile.options, tag, vr)
    basic = fit(_settled(row.basic, attribute_type(sop_class, tag, parent)), vr)
    decisions = [_option(column, code, vr, basic) for column, code in _asked(row, profile.options)]
    # Where two options speak, the stricter one: a calibration date of a device that is kept still moves.
    return max(decisions, default=Decision(basic, f"basic {row.basic}"))


def _asked(row: Row, options: frozenset[Option]) -> Iterable[tuple[str, OptionCode]]:
    return [(column, code) for column, code in row.options.items() if COLUMNS[column] in options]


def _outside_the_standard(tag: int, vr: str) -> str:
    group = tag >> 16
    if group % 2:
        return "private"
    if group & 0xFF00 in (0x5000, 0x6000):
        return "curves and overlays"
    if tag & 0xFFFF == 0 or group == _FILE_META:
        return "no part of a data set"
    return "unknown" if vr == "UN" or not dictionary_has_tag(tag) else ""


def _unlisted(options: frozenset[Option], tag: int, vr: str) -> Decision:
    if tag in BEYOND_THE_TABLE:
        return Decision(Action.REMOVE, "beyond the table")
    if tag == TEXT_VALUE:
        return Decision(Action.CLEAN, "free text")
    if vr == "SQ":
        return Decision(Action.DESCEND, "sequence")
    if vr == "PN":
        return Decision(Action.DUMMY, "person name")
    if vr == "UI" and not names_a_class(tag) and Option.RETAIN_UIDS not in options:
        return Decision(Action.REMAP, "UID")
    if vr in TEMPORAL_VRS and Option.RETAIN_FULL_DATES not in options:
        moved = Option.RETAIN_MODIFIED_DATES in options
        return Decision(Action.SHIFT if moved else Action.DUMMY, "date or time")
    return Decision(Action.KEEP, "unlisted")


def _option(column: str, code: OptionCode, vr: str, basic: Action) -> Decision:
    rule = COLUMNS[column].value
    if code == "K":
        return Decision(Action.DESCEND if vr == "SQ" else Action.KEEP, rule)
    if column == "modified_dates":
        return Decision(Action.SHIFT if vr in TEMPORAL_VRS else basic, rule)
    if column in ("structured", "graphics"):
        return Decision(Action.CONTENT if vr == "SQ" else basic, rule)
    if column == "device":
        return Decision(Action.DUMMY, rule)
    if vr == "SQ":
        return Decision(Action.DESCEND_CLEAN, rule)
    return Decision(Action.CLEAN if vr in TEXT_VRS else basic, rule, basic)


def _settled(code: BasicCode, kind: Type | None) -> Action:
    """Take the choice that the attribute's type allows; for an unknown class the one that is valid for all."""
    offered = _OFFERED[code]
    wanted = _CHOICE[kind or Type.VALUE]
    fitting = [action for action in offered if action <= wanted]
    return max(fitting, default=min(offered))


def fit(action: Action, vr: str) -> Action:
    """Turn a dummy of a UID into the UID's stand-in, and a new UID for what is no UID into a dummy."""
    if action is Action.DUMMY and vr == "UI":
        return Action.REMAP
    return Action.DUMMY if action is Action.REMAP and vr != "UI" else action
