"""Why an object waits for a person of the trust."""

from enum import StrEnum


class HoldReason(StrEnum):
    """Stable codes, part of the events' language; the sentences for people stand in `rules.explain`."""

    UNREADABLE = "unreadable"
    NO_SOP_CLASS = "no_sop_class"
    NO_IDENTITY = "no_identity"
    NO_TRANSFER_SYNTAX = "no_transfer_syntax"
    PIXELS_TOO_LARGE = "pixels_too_large"
    PIXELS_UNREADABLE = "pixels_unreadable"
    LEAK = "leak"
    SCRIPT_REJECTED = "script_rejected"
    SCRIPT_FAILED = "script_failed"
    ENCAPSULATED_DOCUMENT = "encapsulated_document"
    STRUCTURED_REPORT = "structured_report"
    PRESENTATION_STATE = "presentation_state"
    RAW_DATA = "raw_data"
    UNKNOWN_CLASS = "unknown_class"
    SECONDARY_CAPTURE = "secondary_capture"
    SCREEN_SAVE = "screen_save"
    DOSE_REPORT = "dose_report"
    OVERLAY_IN_PIXELS = "overlay_in_pixels"
    BURNED_IN_ANNOTATION = "burned_in_annotation"
    RECOGNIZABLE_FEATURES = "recognizable_features"
    ULTRASOUND_CINE = "ultrasound_cine"
    ULTRASOUND = "ultrasound"
    FLUOROSCOPY = "fluoroscopy"
    OTHER_MODALITY = "other_modality"
    PHOTOGRAPH = "photograph"
    ANNOTATION_NOT_SAID = "annotation_not_said"
    DERIVED_CAPTURE = "derived_capture"
    DERIVED_SECONDARY = "derived_secondary"


class Held(Exception):
    """An object that must not leave by itself; `reason` says why and holds nothing of the patient."""

    def __init__(self, reason: HoldReason) -> None:
        super().__init__(reason.value)
        self.reason = reason

    def __reduce__(self) -> tuple[type["Held"], tuple[HoldReason]]:
        return (Held, (self.reason,))  # crosses from a worker process to the node
