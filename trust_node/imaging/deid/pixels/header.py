"""Reads single attributes of a header that nobody has checked yet."""

from pydicom import Dataset
from pydicom.multival import MultiValue

LONGEST_NUMBER = 12  # characters of an IS, PS3.5 6.2


def words(header: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of an attribute in upper case without padding; none if it is absent or empty."""
    value = header.get(keyword)
    texts = map(str, value if isinstance(value, MultiValue | list) else () if value is None else (value,))
    return tuple(stripped for each in texts if (stripped := each.strip(" \0").upper()))


def text(header: Dataset, keyword: str) -> str:
    """Return an attribute's values in upper case as one text, a backslash between them as in the file."""
    return "\\".join(words(header, keyword))


def number(header: Dataset, keyword: str) -> int:
    """Return a whole number, 0 where the attribute is absent or no number."""
    found = text(header, keyword)
    return int(found) if found.isascii() and found.isdigit() and len(found) <= LONGEST_NUMBER else 0
