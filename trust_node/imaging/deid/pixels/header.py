"""Reads single attributes of a header that nobody has checked yet."""

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.multival import MultiValue

LONGEST_NUMBER = 12  # characters of an IS, PS3.5 6.2


def words(header: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of an attribute in upper case without padding; none if it is absent or empty."""
    value = header.get(keyword)
    values: Iterable[object] = value if isinstance(value, MultiValue | list | tuple) else [value]
    return tuple(text for each in values if (text := str(each if each is not None else "").strip(" \0").upper()))


def text(header: Dataset, keyword: str) -> str:
    """Return an attribute's values in upper case as one text, a backslash between them as in the file."""
    return "\\".join(words(header, keyword))


def number(header: Dataset, keyword: str) -> int:
    """Return a whole number, 0 where the attribute is absent or no number."""
    found = text(header, keyword)
    return int(found) if found.isascii() and found.isdigit() and len(found) <= LONGEST_NUMBER else 0
