"""Which attributes the standard lists as identifying (table E.1-1 as others read it), and what to put in."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as oracle
from pydicom.datadict import dictionary_VR, keyword_for_tag

UID_ROOT = "1.2.826.0.1.3680043.8.498.55"
FIRST_DAY = date(2015, 1, 1)
TEXTS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
BYTES = frozenset({"OB", "UN"})
NUMBERS = frozenset({"DS", "IS", "US", "AS"})
DATES = frozenset({"DA", "DT"})
# Planted by themselves, with a meaning; or not part of a data set.
APART = frozenset({
    "PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "FrameOfReferenceUID", "ReferencedImageSequence", "SourceImageSequence", "EncapsulatedDocument",
    "StudyDescription", "SeriesDescription", "ImageComments", "ProtocolName", "StudyDate", "SeriesDate",
    "AcquisitionDate", "ContentDate",
})  # fmt: skip
FIRST_GROUP_OF_DATA = 0x0008


@cache
def listed() -> tuple[tuple[int, str], ...]:
    """Tags of the table and their VRs; repeating groups, command and directory elements are left out."""
    pairs = (tag for tag in oracle.ALL_TAGS if len(tag) == 2 and tag[0] >= FIRST_GROUP_OF_DATA)
    tags = sorted({group << 16 | element for group, element in pairs})
    return tuple((tag, _vr(tag)) for tag in tags if keyword_for_tag(tag) not in APART)


def identifying() -> frozenset[int]:
    return frozenset(group << 16 | element for group, element, *_ in oracle.ALL_TAGS)


def _vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "LO"  # newer than the data dictionary at hand


class Values:
    """Gives values that stand nowhere else: each can be looked for in every byte."""

    def __init__(self, first: int) -> None:
        self._next = first

    def token(self) -> str:
        self._next += 1
        return f"CANARY{self._next:07}"

    def of(self, vr: str) -> object:
        token = self.token()
        number = self._next
        day = FIRST_DAY + timedelta(days=number % 3000)
        return {
            "PN": f"{token}^Jane",
            "UR": f"https://{token}.example",
            "UI": f"{UID_ROOT}.{number}",
            "DA": f"{day:%Y%m%d}",
            "DT": f"{day:%Y%m%d}101112.5+0100",
            "DS": f"4815{number:07}",
            "IS": f"48{number:07}",
            "US": 40000 + number % 20000,
            "AS": f"{number % 90 + 9:03}Y",
            "OB": token.encode() + b"\0",
            "UN": token.encode() + b"\0",
        }.get(vr, token)


def plain(path: tuple[int, ...]) -> str:
    """A path for people: keywords and places."""
    words = [keyword_for_tag(part) or f"({part >> 16:04X},{part & 0xFFFF:04X})" if place % 2 == 0 else f"[{part}]"
             for place, part in enumerate(path)]  # fmt: skip
    return ".".join(words).replace(".[", "[")


def steps(path: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """The sequences and items on the way to the last tag."""
    yield from zip(path[:-1:2], path[1::2], strict=True)
