"""What a header may show: one question for each function, answered with yes or no."""

import re
from collections.abc import Callable

from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.uid import UID

from trust_node.imaging.deid.pixels.header import number, text, words
from trust_node.imaging.deid.pixels.regions import beside_regions

Sign = Callable[[Dataset], bool]

STORAGE = "1.2.840.10008.5.1.4."
CLASSES = f"{STORAGE}1.1."
# Numbered below raw data in the UID tree, but registrations, segmentations and surfaces (PS3.4 B.5).
RAW_DATA = f"{CLASSES}66"
_DOSE = re.compile(r"\bDOSE\b.*\b(?:REPORT|RECORD|SUMMARY|INFO|PAGE)|\bPATIENT PROTOCOL\b|\bEXAM PROTOCOL\b")
_FIRST_OVERLAY = 0x6000
_SHORT_OF_CLINICAL_BITS = 8
_PROJECTIONS = frozenset({"DX", "MG", "IO", "PX"})


def class_below(*roots: str) -> Sign:
    return lambda header: any(f"{header.get('SOPClassUID', '')}.".startswith(f"{root}.") for root in roots)


def modality(*modalities: str) -> Sign:
    return lambda header: text(header, "Modality") in modalities and number(header, "Rows") > 0


def says_yes(keyword: str) -> Sign:
    return lambda header: text(header, keyword) == "YES"


def raw_data(header: Dataset) -> bool:
    return str(header.get("SOPClassUID", "")) == RAW_DATA


def unknown_class(header: Dataset) -> bool:
    uid = UID(str(header.get("SOPClassUID", "")), validation_mode=IGNORE)
    return not uid.startswith(STORAGE) or uid.name == uid


def screen_save(header: Dataset) -> bool:
    return "SCREEN SAVE" in text(header, "ImageType") or "SCREEN SAVE" in text(header, "SeriesDescription")


def dose_report(header: Dataset) -> bool:
    titles = f"{text(header, 'SeriesDescription')} {text(header, 'ProtocolName')}"
    return any(word.startswith("DOSE") for word in words(header, "ImageType")) or bool(_DOSE.search(titles))


def overlay_without_data(header: Dataset) -> bool:
    """Find an overlay plane with rows but no data of its own: it sits in unused bits of the pixels."""
    planes = range(_FIRST_OVERLAY, _FIRST_OVERLAY + 0x20, 2)
    return any((group, 0x0010) in header and (group, 0x3000) not in header for group in planes)


def ultrasound(header: Dataset) -> bool:
    return modality("US", "IVUS", "BDUS")(header)


def ultrasound_cine(header: Dataset) -> bool:
    return ultrasound(header) and number(header, "NumberOfFrames") > 1 and not beside_regions(header)


def fluoroscopy(header: Dataset) -> bool:
    return modality("XA", "RF")(header) and text(header, "BurnedInAnnotation") != "NO"


def photograph(header: Dataset) -> bool:
    slide_label = modality("SM")(header) and bool({"LABEL", "OVERVIEW"} & set(words(header, "ImageType")))
    return slide_label or modality("ES", "GM", "XC", "OP")(header)


def annotation_not_said(header: Dataset) -> bool:
    projection = text(header, "Modality") in _PROJECTIONS and number(header, "Rows") > 0
    return projection and text(header, "BurnedInAnnotation") not in ("YES", "NO")


def derived_secondary(header: Dataset) -> bool:
    return words(header, "ImageType")[:2] == ("DERIVED", "SECONDARY")


def derived_capture(header: Dataset) -> bool:
    """Find pictures made afterwards that were drawn rather than reconstructed: colour, 8 bits, or no place in space."""
    coloured = number(header, "SamplesPerPixel") > 1 or text(header, "PhotometricInterpretation") == "PALETTE COLOR"
    shallow = 0 < number(header, "BitsStored") <= _SHORT_OF_CLINICAL_BITS
    placed = "ImagePositionPatient" in header or "SharedFunctionalGroupsSequence" in header
    return derived_secondary(header) and number(header, "Rows") > 0 and (coloured or shallow or not placed)
