"""Functions of DicomEdit that make a value of values."""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote_plus

from trust_node.imaging.deid.script import regex
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.frame import LONGEST_VALUE, Frame, Known
from trust_node.imaging.deid.script.paths import TagPath
from trust_node.imaging.deid.script.regex import PatternError

# What java.text.MessageFormat takes apart: '' is a quote, '…' is as it is, {0} an argument.
_FORMAT = re.compile(r"''|'(?P<quoted>[^']*)'?|\{(?P<number>\d{1,3})\}|(?P<odd>[{}])")

Arguments = Sequence[Known]


def concatenate(frame: Frame, arguments: Arguments) -> Known:
    return _joined(frame, _texts(frame, arguments))


def format_(frame: Frame, arguments: Arguments) -> Known:
    """Fill `{0}`, `{1}` … of the first argument with the others."""
    return _joined(frame, _filled(frame.text(arguments[0]) or "", list(_texts(frame, arguments[1:]))))


def substring(frame: Frame, arguments: Arguments) -> Known:
    """Return characters from `begin` up to `end`, which is not included; both count from 0."""
    text = frame.text(arguments[0])
    begin, end = frame.integer(arguments[1]), frame.integer(arguments[2])
    if text is not None and not 0 <= begin <= end <= len(text):
        raise CannotError("substring: begin and end must lie within the value, begin first")
    return None if text is None else text[begin:end]


def lowercase(frame: Frame, arguments: Arguments) -> Known:
    text = frame.text(arguments[0])
    return None if text is None else text.lower()


def uppercase(frame: Frame, arguments: Arguments) -> Known:
    text = frame.text(arguments[0])
    return None if text is None else text.upper()


def normalize_string(frame: Frame, arguments: Arguments) -> Known:
    """Put the second argument, `_` by default, in place of every letter beyond ASCII."""
    text = frame.text(arguments[0])
    by = (frame.text(arguments[1]) or "") if len(arguments) > 1 else "_"
    return None if text is None else _joined(frame, (letter if letter.isascii() else by for letter in text))


def url_encode(frame: Frame, arguments: Arguments) -> Known:
    """Encode as a form does (application/x-www-form-urlencoded)."""
    text = frame.text(arguments[0])
    return None if text is None else quote_plus(text, safe="*").replace("~", "%7E")


def replace(frame: Frame, arguments: Arguments) -> Known:
    text = frame.text(arguments[0])
    found, by = frame.text(arguments[1]) or "", frame.text(arguments[2]) or ""
    if text is None:
        return None
    _bounded(len(text) + text.count(found) * len(by))
    return text.replace(found, by)


def match(frame: Frame, arguments: Arguments) -> Known:
    """Return a group of the first place in the value that the pattern matches."""
    text = frame.text(arguments[0])
    pattern, group = frame.text(arguments[1]) or "", frame.integer(arguments[2])
    return None if text is None else regex.first_match(pattern, text, group, frame.budget)


def is_match(frame: Frame, arguments: Arguments) -> Known:
    """Tell whether the pattern matches the whole value; an absent value is matched by none."""
    return matches(frame, frame.text(arguments[0]), frame.text(arguments[1]))


def matches(frame: Frame, text: str | None, pattern: str | None) -> bool:
    if text is None or pattern is None:
        return False
    try:
        return regex.matches(pattern, text, frame.budget)
    except PatternError as error:
        raise CannotError(str(error)) from None


def lookup(frame: Frame, arguments: Arguments) -> Known:
    """Return what the site's table has under type and key, nothing where it has none."""
    kind, key = frame.text(arguments[0]) or "", frame.text(arguments[1]) or ""
    return frame.surroundings.lookup.get((kind, key))


def default(frame: Frame, arguments: Arguments) -> Known:
    """Return the arguments in DicomEdit's own words for a function that does nothing."""
    named = (str(argument) if isinstance(argument, TagPath) else frame.text(argument) or "" for argument in arguments)
    return f"[default({', '.join(named)}]"


def true(_: Frame, __: Arguments) -> Known:
    return True


def false(_: Frame, __: Arguments) -> Known:
    return False


def _texts(frame: Frame, arguments: Arguments) -> Iterator[str]:
    """Give the arguments as texts, lists opened, what is absent empty."""
    for part in frame.opened(arguments):
        yield frame.text(part) or ""


def _filled(pattern: str, values: Sequence[str]) -> Iterator[str]:
    """Give the pieces of a pattern, values in the place of their numbers; a number that has none stays."""
    at = 0
    for found in _FORMAT.finditer(pattern):
        yield pattern[at : found.start()]
        if found["odd"]:
            raise CannotError("format: {0}, {1} … stand for the arguments; write '{' for the brace itself")
        if found["number"] is None:
            yield "'" if found["quoted"] is None else found["quoted"]
        else:
            number = int(found["number"])
            yield values[number] if number < len(values) else found.group()
        at = found.end()
    yield pattern[at:]


def _joined(frame: Frame, pieces: Iterable[str]) -> str:
    """Put pieces together, and stop before the value gets too long."""
    joined, length = list[str](), 0
    for piece in pieces:
        frame.budget.spend()
        length += len(piece)
        _bounded(length)
        joined.append(piece)
    return "".join(joined)


def _bounded(length: int) -> None:
    if length > LONGEST_VALUE:
        raise CannotError(f"a value has at most {LONGEST_VALUE} characters")
