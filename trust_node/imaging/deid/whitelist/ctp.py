"""Takes over from a CTP script what it keeps and what it removes, and says what it does not take over.

Values that CTP would compute (hashes, dates, lookups) are not made here: the profile has already replaced them, and
the element stays with the profile's value.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from trust_node.imaging.deid.script.paths import PathError, TagStep, parse_path
from trust_node.imaging.deid.whitelist.errors import WhitelistError

_KEEP = frozenset({"keep", "always", "require", "process"})
# They leave the element in place with a value of CTP's making.
_VALUES = frozenset(
    re.findall(
        r"\w+",
        """acc alphabetichash append blank contents date dateinterval empty encrypt hash hashdate hashname hashptid
        hashuid incrementdate initials integer lookup lowercase modifydate modifyname param ptid round scramble time
        truncate uid uppercase""",
    )
)
_FUNCTION = re.compile(r"\s*@(\w+)")
_PRIVATE = re.compile(r"([0-9A-Fa-f]{4})\[([^\]]+)\]([0-9A-Fa-f]{2})")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_GROUP = re.compile(r"[0-9A-Fa-f]{2,4}")


def read_ctp(text: str) -> tuple[list[TagStep], tuple[str, ...]]:
    """Return the elements that stay, and sentences on what is not taken over.

    Raises
    ------
    WhitelistError
        If the text is no CTP script, or one that keeps what it does not list.
    """
    rows = [row for row in _root(text) if row.get("en") == "T"]
    if not any(row.tag == "r" and row.get("t") == "unspecifiedelements" for row in rows):
        raise WhitelistError(
            "this CTP script keeps what it does not list; "
            'enable <r en="T" t="unspecifiedelements"> to make it a white list'
        )
    steps, notes = list[TagStep](), list[str]()
    for row in rows:
        note = _take(row, steps)
        if note:
            notes.append(note)
    return steps, tuple(notes)


def _root(text: str) -> ET.Element:
    """Parse without a document type: entities are how XML reads files and grows without bound."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise WhitelistError("a CTP script has no document type and no entities; remove them")
    try:
        root = ET.fromstring(text)  # noqa: S314  no document type, so no entities
    except ET.ParseError as error:
        raise WhitelistError(f"line {error.position[0]}: this is no well-formed XML") from None
    if root.tag != "script":
        raise WhitelistError("a CTP script is a <script> element")
    return root


def _take(row: ET.Element, steps: list[TagStep]) -> str:
    """Take over one row; returns what is not taken over of it, empty if all is."""
    tag, action = row.get("t") or "", "".join(row.itertext())
    match row.tag:
        case "e":
            return _take_element(tag, action, steps)
        case "k" if _GROUP.fullmatch(tag):
            steps.append(TagStep(tag.upper().rjust(4, "0"), "XXXX"))
            return ""
        case "r":
            return ""  # what is removed there is not listed here
        case "p":
            return f"parameter {tag}: values are the profile's"
    return f"<{row.tag} t={tag!a}> is unknown"


def _take_element(tag: str, action: str, steps: list[TagStep]) -> str:
    functions = [name.lower() for name in _functions(action)]
    if functions[:1] == ["remove"]:
        return ""
    first = next((name for name in functions if name not in _KEEP), "")
    if first and first not in _VALUES:
        return f"{tag}: @{first}() is not carried out, and the element is removed"
    step = _step(tag)
    if step is None:
        return f"{tag}: no tag of an element"
    steps.append(step)
    if action.strip() and not functions:
        return f"{tag}: a value of the script's own is not set, and the element stays as the profile left it"
    return f"{tag}: @{first}() is not carried out, and the element stays as the profile left it" if first else ""


def _functions(action: str) -> Iterator[str]:
    """Give the functions that an action begins with, `@always()@empty()` as two."""
    at = 0
    while (match := _FUNCTION.match(action, at)) is not None:
        yield match[1]
        closing = action.find(")", match.end())
        at = len(action) if closing < 0 else closing + 1


def _step(tag: str) -> TagStep | None:
    private = _PRIVATE.fullmatch(tag)
    if private is None:
        return TagStep(tag[:4].upper(), tag[4:].upper()) if _TAG.fullmatch(tag) else None
    try:
        found = parse_path(f"({private[1]},{{{private[2]}}}{private[3]})").steps[0]
    except PathError:
        return None
    return found if isinstance(found, TagStep) else None
