"""Gathers what identifies the patient from the original's header, at every depth."""

import re
from collections.abc import Iterable, Iterator
from typing import cast

from pydicom import DataElement, Dataset
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement

from trust_node.imaging.deid.leaks.identity import Identity

Fact = tuple[str, str]

IDS = frozenset({
    "PatientID", "AccessionNumber", "OtherPatientIDs", "StudyID", "IssuerOfPatientID", "AdmissionID",
    "ServiceEpisodeID",
    "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID", "InsurancePlanIdentification",
    "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest", "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "MedicalRecordLocator", "UniversalEntityID", "LocalNamespaceEntityID",
})  # fmt: skip
INSTITUTIONS = frozenset({"InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"})
PLACES = ("Address", "Residence", "PatientLocation", "TelephoneNumber", "TelephoneNumbers", "TelecomInformation")
FREE_TEXTS = ("Description", "Comments", "Comment", "History", "ProtocolName", "TextValue", "TextString", "Occupation")
FREE_TEXT_VRS = frozenset({"LT", "ST", "UT"})
# In free text: an e-mail address, a telephone number, a British postcode, a number of a kind that hospitals give.
TOKENS = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\+?\d[\d ()/-]{7,}\d"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"
    r"|\b[A-Z]{2,4}[-/ ]?\d{6,}\b",
    re.IGNORECASE,
)
TITLED = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme|mlle)\b\.? +([^\W\d_]{3,})", re.IGNORECASE)
# UIDs of kinds of objects, encodings, vocabularies, and of devices (which an option may keep): no patient's own.
_OF_NO_OBJECT = (
    "ClassUID",
    "DeviceUID",
    "ClassesInStudy",
    "TransferSyntax",
    "CodingSchemeUID",
    "ContextUID",
    "MappingResourceUID",
)
_TELLING = frozenset({"PN", "UI", "DA", "DT", "LO", "SH", "LT", "ST", "UT", "UC", "UR", "SQ", "UN"})
_LARGEST_REMEMBERED = 4096
_MOST_REMEMBERED = 20_000


def identity(original: Dataset, *, uids: bool = True, institution: bool = True) -> Identity:
    """Gather names, ids, birth dates, addresses, telephone numbers and UIDs from every depth of `original`.

    Parameters
    ----------
    uids
        False where the profile keeps UIDs (Retain UIDs, 113110).
    institution
        False where the profile keeps the institution (Retain Institution Identity, 113112).
    """
    found: dict[str, set[str]] = {}
    for kind, text in _facts(original):
        found.setdefault(kind, set()).add(text)
    phrases = found.get("phrase", set()) | (found.get("institution", set()) if institution else set())
    names, ids, births = (frozenset(found.get(kind, ())) for kind in ("name", "id", "birth"))
    return Identity(names, ids, births, frozenset(phrases), frozenset(found.get("uid", ()) if uids else ()))


class _Memory(dict[tuple[object, ...], tuple[Fact, ...]]):
    """What raw elements told; slices of a series share nearly all of theirs. Emptied when it is full."""

    def keep(self, key: tuple[object, ...], facts: Iterable[Fact]) -> tuple[Fact, ...]:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        return self.setdefault(key, tuple(facts))


_memory = _Memory()


def _facts(dataset: Dataset) -> Iterator[Fact]:
    charset = str(dataset.get("SpecificCharacterSet", ""))
    for tag in dataset.keys():  # noqa: SIM118  a data set's own iterator converts every value
        raw = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement):
            yield from _element_facts(dataset[tag])
        elif _vr(raw) in _TELLING:
            key = (int(tag), raw.VR, raw.value, charset)
            short = len(raw.value or b"") <= _LARGEST_REMEMBERED
            known = _memory.get(key) if short else None
            if known is None:
                known = tuple(_element_facts(dataset[tag]))
                if short:
                    _memory.keep(key, known)
            yield from known


def _vr(raw: RawDataElement) -> str:
    if raw.VR is not None:
        return str(raw.VR)
    try:
        return str(dictionary_VR(raw.tag))
    except KeyError:
        return ""  # private, and nobody says what it is: the profile doesn't know either and takes it away


def _element_facts(element: DataElement) -> Iterator[Fact]:
    if element.VR == "SQ":
        for item in cast("Iterable[Dataset]", element.value or ()):
            yield from _facts(item)
        return
    keyword = keyword_for_tag(element.tag)
    for text in _texts(element):
        yield from _text_facts(text, str(element.VR), keyword)


def _text_facts(text: str, vr: str, keyword: str) -> Iterator[Fact]:
    if vr == "PN":
        yield "name", text
    elif vr == "UI":
        if text not in UID_dictionary and names_an_object(keyword):
            yield "uid", text
    elif keyword == "PatientBirthDate":
        yield "birth", text
    elif keyword in IDS:
        yield "id", text
    elif keyword in INSTITUTIONS:
        yield "institution", text
    elif keyword.endswith(PLACES):
        yield "phrase", text
    elif vr in FREE_TEXT_VRS or keyword.endswith(FREE_TEXTS):
        yield from (("phrase", token) for token in TOKENS.findall(text))
        yield from (("name", name) for name in TITLED.findall(text))


def names_an_object(keyword: str) -> bool:
    """Tell an attribute whose UID was minted for a patient's object from those that name what many patients share."""
    return not any(part in keyword for part in _OF_NO_OBJECT)


def _texts(element: DataElement) -> list[str]:
    if element.VR not in _TELLING or isinstance(element.value, bytes):
        return []
    values = element.value if element.VM > 1 else [element.value]
    return [text for value in values if (text := str(value or "").strip(" \0"))]
