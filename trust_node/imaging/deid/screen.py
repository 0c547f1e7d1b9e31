"""Holds back what can't be made safe by its header alone, before anything else is done with it."""

from enum import StrEnum

from pydicom import Dataset


class HoldReason(StrEnum):
    """Why an object waits for a person of the trust; stable, part of the events' language."""

    UNREADABLE = "unreadable"
    NO_SOP_CLASS = "no_sop_class"
    NO_IDENTITY = "no_identity"
    NO_TRANSFER_SYNTAX = "no_transfer_syntax"
    ENCAPSULATED_DOCUMENT = "encapsulated_document"
    STRUCTURED_REPORT = "structured_report"
    SECONDARY_CAPTURE = "secondary_capture"
    PRESENTATION_STATE = "presentation_state"
    RAW_DATA = "raw_data"
    BURNED_IN_ANNOTATION = "burned_in_annotation"
    SCREEN_SAVE = "screen_save"
    OVERLAY_IN_PIXELS = "overlay_in_pixels"
    LEAK = "leak"


class Held(Exception):
    """An object that must not leave by itself; `reason` says why and holds nothing of the patient."""

    def __init__(self, reason: HoldReason) -> None:
        super().__init__(reason.value)
        self.reason = reason

    def __reduce__(self) -> tuple[type["Held"], tuple[HoldReason]]:
        return (Held, (self.reason,))  # crosses from a worker process to the node


# SOP classes whose content is text, or pixels that were a screen (PS3.4 B.5).
_HELD_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.7": HoldReason.SECONDARY_CAPTURE,
    "1.2.840.10008.5.1.4.1.1.11": HoldReason.PRESENTATION_STATE,
    "1.2.840.10008.5.1.4.1.1.66": HoldReason.RAW_DATA,
    "1.2.840.10008.5.1.4.1.1.88": HoldReason.STRUCTURED_REPORT,
    "1.2.840.10008.5.1.4.1.1.104": HoldReason.ENCAPSULATED_DOCUMENT,
}
# Numbered below raw data in the UID tree, but geometry, segmentations and surfaces.
_RAW_DATA_ONLY = "1.2.840.10008.5.1.4.1.1.66"
_FIRST_OVERLAY = 0x6000


def screen(dataset: Dataset) -> None:
    """Let `dataset` pass, or hold it.

    Raises
    ------
    Held
        If it names no class or instance, is a document, a report, a capture or a presentation, or says that
        text is burned into its pixels (Burned In Annotation, Image Type, overlay planes in pixel bits).
    """
    reason = _identity(dataset) or _class(str(dataset.SOPClassUID)) or _pixels(dataset)
    if reason is not None:
        raise Held(reason)


def _identity(dataset: Dataset) -> HoldReason | None:
    if not dataset.get("SOPClassUID"):
        return HoldReason.NO_SOP_CLASS
    known = dataset.get("SOPInstanceUID") and dataset.get("StudyInstanceUID")
    return None if known else HoldReason.NO_IDENTITY


def _class(sop_class: str) -> HoldReason | None:
    if sop_class.startswith(f"{_RAW_DATA_ONLY}."):
        return None
    held = (why for root, why in _HELD_CLASSES.items() if f"{sop_class}.".startswith(f"{root}."))
    return next(held, None)


def _pixels(dataset: Dataset) -> HoldReason | None:
    if str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        return HoldReason.BURNED_IN_ANNOTATION
    if any("SCREEN SAVE" in str(part) for part in dataset.get("ImageType") or ()):
        return HoldReason.SCREEN_SAVE
    return HoldReason.OVERLAY_IN_PIXELS if _overlay_without_data(dataset) else None


def _overlay_without_data(dataset: Dataset) -> bool:
    """Find an overlay plane with rows but no data of its own: it sits in unused bits of the pixels."""
    planes = range(_FIRST_OVERLAY, _FIRST_OVERLAY + 0x20, 2)
    return any((group, 0x0010) in dataset and (group, 0x3000) not in dataset for group in planes)
