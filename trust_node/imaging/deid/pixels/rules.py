"""What a header must show for its object to be held: one row for each rule."""

from dataclasses import dataclass
from types import MappingProxyType

from trust_node.imaging.deid.pixels import signs
from trust_node.imaging.deid.pixels.reasons import HoldReason
from trust_node.imaging.deid.pixels.signs import CLASSES, Sign, class_below, modality, says_yes


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


_R = HoldReason

# The first that applies is told.
RULES: tuple[Rule, ...] = (
    Rule(
        _R.ENCAPSULATED_DOCUMENT,
        "A document (PDF, CDA, 3D model) inside DICOM: whatever it says goes along. Read it.",
        class_below(f"{CLASSES}104"),
        essential=True,
    ),
    Rule(
        _R.STRUCTURED_REPORT,
        "A structured report, often written by people about this patient. Read its text.",
        class_below(f"{CLASSES}88"),
        essential=True,
    ),
    Rule(
        _R.PRESENTATION_STATE,
        "A presentation state: text and marks that somebody laid over an image. Read them.",
        class_below(f"{CLASSES}11"),
    ),
    Rule(
        _R.RAW_DATA,
        "Raw data in a form that only its maker knows: nobody can say what it holds.",
        signs.raw_data,
        essential=True,
    ),
    Rule(
        _R.UNKNOWN_CLASS,
        "A private or unknown kind of object: its attributes may mean anything. Ask its maker.",
        signs.unknown_class,
    ),
    Rule(
        _R.SECONDARY_CAPTURE,
        "A secondary capture: a screen, a scanned paper or a photograph. Look for names in the picture.",
        class_below(f"{CLASSES}7"),
        coverable=True,
    ),
    Rule(
        _R.SCREEN_SAVE,
        "A saved screen: names usually stand in its corners. Look at the picture.",
        signs.screen_save,
        coverable=True,
    ),
    Rule(
        _R.DOSE_REPORT,
        "A dose report as a picture: the patient usually stands at its top. Look at the picture.",
        signs.dose_report,
        coverable=True,
    ),
    Rule(
        _R.OVERLAY_IN_PIXELS,
        "An overlay hidden in unused bits of the pixels: text may show in some viewers only.",
        signs.overlay_without_data,
        essential=True,
    ),
    Rule(
        _R.BURNED_IN_ANNOTATION,
        "The device says that text is burned into the pixels. Look at the picture, its edges first.",
        says_yes("BurnedInAnnotation"),
        essential=True,
        coverable=True,
    ),
    Rule(
        _R.RECOGNIZABLE_FEATURES,
        "The device says that the person can be recognized in the pixels. Is a face visible or rendered?",
        says_yes("RecognizableVisualFeatures"),
    ),
    Rule(
        _R.ULTRASOUND_CINE,
        "Moving ultrasound that doesn't say where the image is: text may stand in any frame. Look at several.",
        signs.ultrasound_cine,
        coverable=True,
    ),
    Rule(
        _R.ULTRASOUND,
        "Ultrasound of a device that isn't in the catalogue: most write the name at the top. Look at the picture.",
        signs.ultrasound,
        coverable=True,
    ),
    Rule(
        _R.FLUOROSCOPY,
        "Angiography or fluoroscopy that doesn't say it is free of text. Look at the corners.",
        signs.fluoroscopy,
        coverable=True,
    ),
    Rule(
        _R.OTHER_MODALITY,
        "A picture of no known modality (OT): often a scan or a screen. Look at the picture.",
        modality("OT"),
        coverable=True,
    ),
    Rule(
        _R.PHOTOGRAPH,
        "A photograph, an endoscopy or a slide's label: faces, labels and bracelets may show.",
        signs.photograph,
        coverable=True,
    ),
    Rule(
        _R.ANNOTATION_NOT_SAID,
        "A projection image that doesn't say whether text is burned in, as its kind must. Look at the edges.",
        signs.annotation_not_said,
        coverable=True,
    ),
    Rule(
        _R.DERIVED_CAPTURE,
        "Made afterwards, in colour, in 8 bits or without a place in the body: probably a drawn screen. Look at it.",
        signs.derived_capture,
        coverable=True,
    ),
    Rule(
        _R.DERIVED_SECONDARY,
        "Made afterwards from other images. This trust looks at all of these.",
        signs.derived_secondary,
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
    _R.SCRIPT_REJECTED: "A script of the trust or of the project refuses objects like this one. Reject it.",
    _R.SCRIPT_FAILED: "A script can't be carried out on it; try it with `trustflow deid diff`, and mend the script.",
    _R.LEAK: "After de-identification something of this patient was still found; the report names the places.",
}

BY_REASON = MappingProxyType({rule.reason: rule for rule in RULES})


def explain(reason: HoldReason) -> str:
    """Return the sentence that tells the person who reviews what to look for."""
    rule = BY_REASON.get(reason)
    return rule.sentence if rule else _BEYOND_RULES[reason]
