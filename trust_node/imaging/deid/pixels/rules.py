"""What a header must show for its object to be held: one row for each rule."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.uid import UID

from trust_node.imaging.deid.pixels.header import number, text, words
from trust_node.imaging.deid.pixels.reasons import HoldReason
from trust_node.imaging.deid.pixels.regions import beside_regions

Sign = Callable[[Dataset], bool]

STORAGE = "1.2.840.10008.5.1.4."
_CLASSES = f"{STORAGE}1.1."
# Numbered below raw data in the UID tree, but registrations, segmentations and surfaces (PS3.4 B.5).
RAW_DATA = f"{_CLASSES}66"
_DOSE = re.compile(r"\bDOSE\b.*\b(?:REPORT|RECORD|SUMMARY|INFO|PAGE)|\bPATIENT PROTOCOL\b|\bEXAM PROTOCOL\b")
_FIRST_OVERLAY = 0x6000
_SHORT_OF_CLINICAL_BITS = 8
_PROJECTIONS = frozenset({"DX", "MG", "IO", "PX"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold an object that shows `sign`.

    Attributes
    ----------
    essential
        No policy may switch it off.
    coverable
        Rectangles that are known to hold all the text settle it.
    usual
        It is on unless a trust says otherwise; the others are on only where a trust says so.
    """

    reason: HoldReason
    sentence: str
    sign: Sign
    essential: bool = False
    coverable: bool = False
    usual: bool = True


def _class_below(*roots: str) -> Sign:
    return lambda header: any(f"{header.get('SOPClassUID', '')}.".startswith(f"{root}.") for root in roots)


def _modality(*modalities: str) -> Sign:
    return lambda header: text(header, "Modality") in modalities and number(header, "Rows") > 0


def _says_yes(keyword: str) -> Sign:
    return lambda header: text(header, keyword) == "YES"


def _raw_data(header: Dataset) -> bool:
    return str(header.get("SOPClassUID", "")) == RAW_DATA


def _unknown_class(header: Dataset) -> bool:
    uid = UID(str(header.get("SOPClassUID", "")), validation_mode=IGNORE)
    return not uid.startswith(STORAGE) or uid.name == uid


def _screen_save(header: Dataset) -> bool:
    return "SCREEN SAVE" in text(header, "ImageType") or "SCREEN SAVE" in text(header, "SeriesDescription")


def _dose_report(header: Dataset) -> bool:
    titles = f"{text(header, 'SeriesDescription')} {text(header, 'ProtocolName')}"
    return any(word.startswith("DOSE") for word in words(header, "ImageType")) or bool(_DOSE.search(titles))


def _overlay_without_data(header: Dataset) -> bool:
    """Find an overlay plane with rows but no data of its own: it sits in unused bits of the pixels."""
    planes = range(_FIRST_OVERLAY, _FIRST_OVERLAY + 0x20, 2)
    return any((group, 0x0010) in header and (group, 0x3000) not in header for group in planes)


def _ultrasound_cine(header: Dataset) -> bool:
    return _ULTRASOUND(header) and number(header, "NumberOfFrames") > 1 and not beside_regions(header)


def _fluoroscopy(header: Dataset) -> bool:
    return _modality("XA", "RF")(header) and text(header, "BurnedInAnnotation") != "NO"


def _photograph(header: Dataset) -> bool:
    slide_label = _modality("SM")(header) and bool({"LABEL", "OVERVIEW"} & set(words(header, "ImageType")))
    return slide_label or _modality("ES", "GM", "XC", "OP")(header)


def _annotation_not_said(header: Dataset) -> bool:
    projection = text(header, "Modality") in _PROJECTIONS and number(header, "Rows") > 0
    return projection and text(header, "BurnedInAnnotation") not in ("YES", "NO")


def _derived_secondary(header: Dataset) -> bool:
    return words(header, "ImageType")[:2] == ("DERIVED", "SECONDARY")


def _derived_capture(header: Dataset) -> bool:
    """Find pictures made afterwards that were drawn rather than reconstructed: colour, 8 bits, or no place in space."""
    coloured = number(header, "SamplesPerPixel") > 1 or text(header, "PhotometricInterpretation") == "PALETTE COLOR"
    shallow = 0 < number(header, "BitsStored") <= _SHORT_OF_CLINICAL_BITS
    placed = "ImagePositionPatient" in header or "SharedFunctionalGroupsSequence" in header
    return _derived_secondary(header) and number(header, "Rows") > 0 and (coloured or shallow or not placed)


_ULTRASOUND = _modality("US", "IVUS", "BDUS")
_R = HoldReason

# The first that applies is told.
RULES: tuple[Rule, ...] = (
    Rule(
        _R.ENCAPSULATED_DOCUMENT,
        "A document (PDF, CDA, 3D model) inside DICOM: whatever it says goes along. Read it.",
        _class_below(f"{_CLASSES}104"),
        essential=True,
    ),
    Rule(
        _R.STRUCTURED_REPORT,
        "A structured report, often written by people about this patient. Read its text.",
        _class_below(f"{_CLASSES}88"),
        essential=True,
    ),
    Rule(
        _R.PRESENTATION_STATE,
        "A presentation state: text and marks that somebody laid over an image. Read them.",
        _class_below(f"{_CLASSES}11"),
    ),
    Rule(
        _R.RAW_DATA,
        "Raw data in a form that only its maker knows: nobody can say what it holds.",
        _raw_data,
        essential=True,
    ),
    Rule(
        _R.UNKNOWN_CLASS,
        "A private or unknown kind of object: its attributes may mean anything. Ask its maker.",
        _unknown_class,
    ),
    Rule(
        _R.SECONDARY_CAPTURE,
        "A secondary capture: a screen, a scanned paper or a photograph. Look for names in the picture.",
        _class_below(f"{_CLASSES}7"),
        coverable=True,
    ),
    Rule(
        _R.SCREEN_SAVE,
        "A saved screen: names usually stand in its corners. Look at the picture.",
        _screen_save,
        coverable=True,
    ),
    Rule(
        _R.DOSE_REPORT,
        "A dose report as a picture: the patient usually stands at its top. Look at the picture.",
        _dose_report,
        coverable=True,
    ),
    Rule(
        _R.OVERLAY_IN_PIXELS,
        "An overlay hidden in unused bits of the pixels: text may show in some viewers only.",
        _overlay_without_data,
        essential=True,
    ),
    Rule(
        _R.BURNED_IN_ANNOTATION,
        "The device says that text is burned into the pixels. Look at the picture, its edges first.",
        _says_yes("BurnedInAnnotation"),
        essential=True,
        coverable=True,
    ),
    Rule(
        _R.RECOGNIZABLE_FEATURES,
        "The device says that the person can be recognized in the pixels. Is a face visible or rendered?",
        _says_yes("RecognizableVisualFeatures"),
    ),
    Rule(
        _R.ULTRASOUND_CINE,
        "Moving ultrasound that doesn't say where the image is: text may stand in any frame. Look at several.",
        _ultrasound_cine,
        coverable=True,
    ),
    Rule(
        _R.ULTRASOUND,
        "Ultrasound of a device that isn't in the catalogue: most write the name at the top. Look at the picture.",
        _ULTRASOUND,
        coverable=True,
    ),
    Rule(
        _R.FLUOROSCOPY,
        "Angiography or fluoroscopy that doesn't say it is free of text. Look at the corners.",
        _fluoroscopy,
        coverable=True,
    ),
    Rule(
        _R.OTHER_MODALITY,
        "A picture of no known modality (OT): often a scan or a screen. Look at the picture.",
        _modality("OT"),
        coverable=True,
    ),
    Rule(
        _R.PHOTOGRAPH,
        "A photograph, an endoscopy or a slide's label: faces, labels and bracelets may show.",
        _photograph,
        coverable=True,
    ),
    Rule(
        _R.ANNOTATION_NOT_SAID,
        "A projection image that doesn't say whether text is burned in, as its kind must. Look at the edges.",
        _annotation_not_said,
        coverable=True,
    ),
    Rule(
        _R.DERIVED_CAPTURE,
        "Made afterwards, in colour, in 8 bits or without a place in the body: probably a drawn screen. Look at it.",
        _derived_capture,
        coverable=True,
    ),
    Rule(
        _R.DERIVED_SECONDARY,
        "Made afterwards from other images. This trust looks at all of these.",
        _derived_secondary,
        coverable=True,
        usual=False,
    ),
)

_BEYOND_RULES = {
    _R.UNREADABLE: "It can't be read as DICOM. Ask the PACS to send it again, or reject it.",
    _R.NO_SOP_CLASS: "It doesn't say what kind of object it is. Reject it, or have it repaired at its source.",
    _R.NO_IDENTITY: "It lacks its own UID or its study's. Reject it, or have it repaired at its source.",
    _R.NO_TRANSFER_SYNTAX: "It doesn't say how it is encoded. Have it repaired at its source.",
    _R.PIXELS_TOO_LARGE: "Its pixels would need more memory than is allowed here to be blanked. Cut it at its source.",
    _R.PIXELS_UNREADABLE: "Text must be blanked in its pixels, but they can't be decoded. Have it sent uncompressed.",
    _R.LEAK: "After de-identification something of this patient was still found; the report names the places.",
}

BY_REASON = MappingProxyType({rule.reason: rule for rule in RULES})


def explain(reason: HoldReason) -> str:
    """Return the sentence that tells the person who reviews what to look for."""
    rule = BY_REASON.get(reason)
    return rule.sentence if rule else _BEYOND_RULES[reason]
