"""Which of a search's results are asked for: matching, page and fields (PS3.18 8.3.4, PS3.4 C.2.2.2). Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydicom.datadict import tag_for_keyword

from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.xnat.dicomweb.attributes import Attributes

_NOT_MATCHED = {"limit", "offset", "includefield", "fuzzymatching", "accept"}
_TAG_DIGITS = 8
_MANY_DIGITS = 16


def tag_of(name: str) -> str:
    """Return the eight digits of an attribute's tag, given those or its keyword. Raises 400 for neither."""
    if len(name) == _TAG_DIGITS and all(each in "0123456789abcdefABCDEF" for each in name):
        return name.upper()
    tag = tag_for_keyword(name)
    if tag is None:
        raise bad_request("query: name attributes by keyword or by the eight digits of their tag")
    return f"{tag:08X}"


def found(results: Iterable[Attributes], query: Iterable[tuple[str, str]]) -> list[Attributes]:
    """Return the results that match every attribute asked for, from `offset`, at most `limit`.

    All attributes that we know are told, so `includefield` changes nothing; names are never matched fuzzily.
    """
    asked = list(query)
    wanted = [(tag_of(name), value) for name, value in asked if name.lower() not in _NOT_MATCHED and value]
    kept = (each for each in results if all(_matches(each.get(tag, {}), value) for tag, value in wanted))
    said = {name.lower(): value for name, value in asked}
    start, limit = _number(said, "offset") or 0, _number(said, "limit")
    # A page is cut off before the rest is read.
    return list(islice(kept, start, None if limit is None else start + limit))


def _number(said: dict[str, str], name: str) -> int | None:
    text = said.get(name, "")
    if text and not (text.isdecimal() and len(text) < _MANY_DIGITS):
        raise bad_request(f"{name}: give a whole number")
    return int(text) if text else None


def _matches(attribute: dict[str, Any], wanted: str) -> bool:
    values = list(_texts(attribute))
    match attribute.get("vr"):
        case "UI":
            return any(value in wanted.replace("\\", ",").split(",") for value in values)
        case "DA" | "TM" if "-" in wanted:
            first, _, last = wanted.partition("-")
            return any(first <= value <= (last or "9") for value in values)
        case "PN":
            return any(fnmatchcase(value.lower(), _pattern(wanted.lower())) for value in values)
        case _:
            return any(fnmatchcase(value, _pattern(wanted)) for value in values)


def _pattern(wanted: str) -> str:
    """Return a pattern in which only `*` and `?` are wild, as DICOM has it."""
    return wanted.replace("[", "[[]")


def _texts(attribute: dict[str, Any]) -> Iterator[str]:
    for value in attribute.get("Value", []):
        yield str(value.get("Alphabetic", "")) if isinstance(value, dict) else str(value)
