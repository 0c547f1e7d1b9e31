"""A second, independent look at the result, for words of the patient that still stand in it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from pydicom import DataElement, Dataset

from trust_node.imaging.deid.uids import is_registered, names_a_class

SHORTEST_SUBSTRING = 6  # shorter ids stand by chance inside longer words and pseudonyms
SHORTEST_NAME_PART = 3
SHORTEST_ID = 4  # "1" is the study id of half the world and stands everywhere
_NO_NAMES = frozenset({"ANONYMIZED", "ANONYMOUS", "NONE", "UNKNOWN"})
# Defined terms, numbers and times can't carry a name, but equal one by chance (a patient called Head).
_TEXT_VRS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
# Words of a vocabulary, of a factory or of our own.
_NOBODYS_WORDS = frozenset(
    {
        "Manufacturer",
        "ManufacturerModelName",
        "CodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "DeidentificationMethod",
    }
)
_IDENTIFIERS = ("PatientID", "AccessionNumber", "StudyID", "PatientBirthDate", "IssuerOfPatientID")


@dataclass(frozen=True, slots=True)
class Identity:
    """What must not be found again: names and ids in upper case, and every UID of the original's own."""

    words: frozenset[str]
    uids: frozenset[str]


def identity(original: Dataset) -> Identity:
    """Collect names, ids, accession numbers, birth dates and UIDs at every depth of `original`."""
    elements = list(_elements(original))
    names = {part for e in elements if e.VR == "PN" for text in _texts(e) for part in _name_parts(text)}
    ids = {text.upper() for e in elements if e.keyword in _IDENTIFIERS for text in _texts(e)}
    ids = {text for text in ids if len(text) >= SHORTEST_ID}
    uids = {uid for e in elements if e.VR == "UI" and not names_a_class(e.tag) for uid in _texts(e)}
    return Identity(frozenset(names | ids), frozenset(uid for uid in uids if not is_registered(uid)))


def leaks(original: Identity, dataset: Dataset) -> list[str]:
    """Return the keywords of the elements, at any depth of `dataset`, that still hold a word of `original`.

    The keywords may be logged; the words found may not, so they are not returned.
    """
    words = _pattern(original.words)
    return [e.keyword or str(e.tag) for e in _elements(dataset) if _holds(e, words, original.uids)]


def _holds(element: DataElement, words: re.Pattern[str] | None, uids: frozenset[str]) -> bool:
    if element.VR == "UI":
        return any(text in uids for text in _texts(element))
    if words is None or element.VR not in _TEXT_VRS or element.keyword in _NOBODYS_WORDS:
        return False
    return any(words.search(text.upper()) for text in _texts(element))


def _pattern(words: frozenset[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(_word_pattern, sorted(words)))) if words else None


def _word_pattern(word: str) -> str:
    escaped = re.escape(word)
    is_id = any(character.isdigit() for character in word)
    return escaped if is_id and len(word) >= SHORTEST_SUBSTRING else rf"(?<!\w){escaped}(?!\w)"


def _name_parts(name: str) -> Iterable[str]:
    parts = re.split(r"[\^=\s,]+", name.upper())
    return [part for part in parts if len(part) >= SHORTEST_NAME_PART and part not in _NO_NAMES]


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    for element in dataset:
        if element.VR != "SQ":
            yield element
            continue
        for item in cast("Iterable[Dataset]", element.value or ()):
            yield from _elements(item)


def _texts(element: DataElement) -> list[str]:
    values = element.value if element.VM > 1 else [element.value]
    return [text for value in values if (text := str(value or "").strip())]
