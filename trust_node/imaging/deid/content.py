"""Clean Structured Content (PS3.15 E.3.4): content items that describe a person whatever their words are.

Table E.3.4-1 is covered by value type: texts are cleaned, names replaced, dates moved and UIDs remapped wherever they
stand. What is left are its rows of other value types, listed here with the option that would keep them.
"""

from pydicom import Dataset

from trust_node.imaging.deid.options import Option

_DESCRIBING: dict[tuple[str, str], Option | None] = {
    ("DCM", "121032"): Option.RETAIN_PATIENT_CHARACTERISTICS,  # Subject Sex
    ("DCM", "121033"): Option.RETAIN_PATIENT_CHARACTERISTICS,  # Subject Age
    ("DCM", "121000"): Option.RETAIN_DEVICE_IDENTITY,  # Unique Device Identifiers
    ("NCIt", "C54627"): None,  # Experience
}
# Code meanings of these are published words; of a local scheme they are whatever a hospital wrote.
_PUBLIC_SCHEMES = frozenset(
    {"DCM", "SCT", "SRT", "SNM3", "99SDM", "LN", "UCUM", "RADLEX", "FMA", "NCIt", "UMLS", "I10"}
)


def describes_a_person(item: Dataset, options: frozenset[Option]) -> bool:
    """Tell content items that must go with everything below them."""
    concepts = item.get("ConceptNameCodeSequence") or ()
    codes = [(str(code.get("CodingSchemeDesignator", "")), str(code.get("CodeValue", ""))) for code in concepts]
    return any(code in _DESCRIBING and _DESCRIBING[code] not in options for code in codes)


def is_public_code(item: Dataset) -> bool:
    """Tell a code of a published scheme from a local one and from what is no code at all."""
    return str(item.get("CodingSchemeDesignator", "")) in _PUBLIC_SCHEMES
