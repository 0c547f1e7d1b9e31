"""Spellings as bytes: one pattern for each way of looking, made once for a patient."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from trust_node.imaging.deid.leaks.identity import Identity
from trust_node.imaging.deid.leaks.spellings import Spelling, inside, spellings

# The character sets of PS3.3 C.12.1.1.2, and what careless software writes instead.
ENCODINGS = (
    "utf-8", "iso8859-1", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8",
    "iso8859-9", "tis-620", "shift_jis", "iso2022_jp", "euc_jp", "euc_kr", "gb18030", "utf-16-le", "utf-16-be",
)  # fmt: skip
# What may stand between the parts of a name or number; NUL is half of the letters in UTF-16.
SEPARATORS = b"\0\t -_./^=,:;()'\"+"
SHORTEST = 4  # bytes: two ideographs
FEWEST_DIGITS = 6
_ESCAPES = re.compile(rb"\x1b\$[@B]|\x1b\([BJ]")
_JAPANESE = b"\x1b$B"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Finds needles in bytes in capitals and tells which kind of fact one stands for."""

    pattern: re.Pattern[bytes] | None
    kinds: dict[bytes, str]

    def found(self, content: bytes) -> str | None:
        match = self.pattern.search(content) if self.pattern else None
        return self.kinds[match.group()] if match else None

    def found_in_binary(self, content: bytes) -> str | None:
        """Look through megabytes of no text: plainly, which is faster, for what no chance puts there."""
        long = ((needle, kind) for needle, kind in self.kinds.items() if len(needle) > FEWEST_DIGITS)
        return next((kind for needle, kind in long if needle in content), None)


@dataclass(frozen=True, slots=True)
class Needles:
    """All that is looked for of one patient.

    Attributes
    ----------
    words
        For text as it stands.
    inside
        For text without its separators.
    persons
        For persons' names besides.
    numbers
        Ids of digits alone, for fields that hold a number.
    births
        Birth dates as DICOM writes them, for fields that hold a date.
    """

    words: Pattern
    inside: Pattern
    persons: Pattern
    numbers: frozenset[bytes]
    births: frozenset[bytes]


@lru_cache(maxsize=16)
def needles(identity: Identity) -> Needles:
    """Return what to look for; UIDs are looked for by themselves, so give an identity without them."""
    found = sorted(set(spellings(identity)), key=lambda spelling: spelling.text)
    numbers = {s.text.encode() for s in found if s.kind == "id" and s.text.isascii() and s.text.isdigit()}
    return Needles(
        _bounded(inside(found, "word")),
        _free(inside(found, "inside")),
        _bounded(inside(found, "person")),
        frozenset(number for number in numbers if len(number) >= FEWEST_DIGITS),
        frozenset(birth.encode() for birth in identity.births if birth.isascii()),
    )


def _bounded(found: Iterable[Spelling]) -> Pattern:
    kinds = {needle: s.kind for s in found for needle in _encoded(s.text)}
    return Pattern(_compiled(rb"(?<![A-Z0-9])(?:%s)(?![A-Z0-9])", map(re.escape, kinds)), kinds)


def _free(found: Iterable[Spelling]) -> Pattern:
    encoded = ((needle.translate(None, SEPARATORS), s.kind) for s in found for needle in _encoded(s.text))
    kinds = {needle: kind for needle, kind in encoded if len(needle) >= SHORTEST}
    return Pattern(_compiled(rb"%s", map(_guarded, kinds)), kinds)


def _guarded(needle: bytes) -> bytes:
    """Let no digit stand next to a needle's own first or last digit: a longer number is another number."""
    before = rb"(?<![0-9])" if needle[:1].isdigit() else b""
    after = rb"(?![0-9])" if needle[-1:].isdigit() else b""
    return before + re.escape(needle) + after


def _compiled(frame: bytes, alternatives: Iterable[bytes]) -> re.Pattern[bytes] | None:
    longest_first = sorted(alternatives, key=len, reverse=True)  # so that a match is the whole needle
    joined = b"|".join(longest_first)
    return re.compile(frame % joined) if joined else None


def _encoded(text: str) -> set[bytes]:
    """Encode capitals as bytes; where there are other letters than ASCII's, in all cases and encodings."""
    if text.isascii():
        return {text.encode()}
    return {needle for form in (text, text.lower(), text.title()) for needle in _in_every_encoding(form)}


def _in_every_encoding(text: str) -> Iterator[bytes]:
    for encoding in ENCODINGS:
        try:
            needle = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if encoding == "iso2022_jp":
            bare = _ESCAPES.sub(b"", needle)
            # Two signs in this encoding look like four letters of any text.
            needle = bare if len(bare) >= FEWEST_DIGITS else _JAPANESE + bare
        yield needle.upper()
