"""Spells what is known of a patient in every way that it may still stand in a text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import permutations
from typing import Literal
from unicodedata import combining, normalize

from trust_node.imaging.deid.leaks.identity import Identity

SHORTEST_NAME = 3  # letters; a shorter part counts only together with another one
SHORTEST_PAIR = 5
SHORTEST_NAME_INSIDE = 8  # a name as long as this is found inside of longer words too
SHORTEST_ID = 4  # "1" is the study id of half the world and stands everywhere
SHORTEST_ID_INSIDE = 6
SHORTEST_PHRASE = 8
SHORTEST_POSTCODE = 5
FEWEST_DIGITS_OF_A_PHONE = 7
MOST_PARTS = 5
IDEOGRAPHS = "\u2e80"  # from here on a sign may be a whole word, and words stand without spaces
_SPLIT = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\D+")
_MONTHS = ("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER",
           "NOVEMBER", "DECEMBER")  # fmt: skip
_NOT_KNOWN = frozenset({"19000101", "19700101"})

How = Literal["word", "inside", "person"]


@dataclass(frozen=True, slots=True)
class Spelling:
    """One spelling, in capitals and without separators.

    Attributes
    ----------
    kind
        What it is a spelling of: name, id, birth date or phrase.
    how
        ``word``: it counts as a word of its own. ``inside``: wherever it stands, separators aside.
        ``person``: as a word of a person's name (VR PN) only.
    """

    kind: str
    how: How
    text: str


@cache
def vocabulary() -> frozenset[str]:
    """Return the words of the trade, by which alone nobody is found."""
    lines = files(__package__).joinpath("vocabulary.txt").read_text(encoding="ascii").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def spellings(identity: Identity) -> Iterator[Spelling]:
    """Yield all spellings of an identity's names, ids, birth dates and phrases."""
    for name in identity.names:
        yield from _name(name)
    for text in identity.ids:
        yield from _id(text)
    for text in identity.births:
        yield from (Spelling("birth date", "inside", form) for form in _dates(text))
    for text in identity.phrases:
        yield from (Spelling("phrase", "inside", form) for form in _phrase(text))


def _name(name: str) -> Iterator[Spelling]:
    parts = [part for part in _SPLIT.split(name.upper()) if part and not part.isdigit()][: MOST_PARTS * 3]
    for part in parts:
        for form in {part, _plain(part)}:
            yield from _part(form)
    own = [part for part in parts if part not in vocabulary()]
    for first, second in permutations(dict.fromkeys(parts[:MOST_PARTS]), 2):
        if len(first + second) >= SHORTEST_PAIR and (first in own or second in own):
            yield Spelling("name", "inside", first + second)


def _part(part: str) -> Iterator[Spelling]:
    if part in vocabulary():
        yield Spelling("name", "person", part)
    elif part >= IDEOGRAPHS:
        if len(part) > 1:
            yield Spelling("name", "inside", part)
    elif len(part) >= SHORTEST_NAME_INSIDE:
        yield Spelling("name", "inside", part)
    elif len(part) >= SHORTEST_NAME and part.isalpha():
        yield Spelling("name", "word", part)


def _plain(word: str) -> str:
    """Leave out accents: what a system writes that knows no other letters."""
    return "".join(letter for letter in normalize("NFKD", word) if not combining(letter))


def _id(text: str) -> Iterator[Spelling]:
    joined = _joined(text)
    if len(joined) >= SHORTEST_ID_INSIDE and joined not in vocabulary():
        yield Spelling("id", "inside", joined)
    elif len(joined) >= SHORTEST_ID and any(sign.isdigit() for sign in joined):
        yield Spelling("id", "word", joined)


def _dates(text: str) -> Iterator[str]:
    """Write a date with its parts in the orders of the world, its month as number or word."""
    digits = _DIGITS.sub("", text)[:8]
    try:
        born = date.fromisoformat(digits)
    except ValueError:
        return
    if digits in _NOT_KNOWN:
        return
    month = _MONTHS[born.month - 1]
    yield from (born.strftime(form) for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y"))
    for day in {f"{born.day:02}", str(born.day)}:
        for word in {month, month[:3]}:
            yield from (f"{day}{word}{born.year}", f"{word}{day}{born.year}", f"{born.year}{word}{day}")


def _phrase(text: str) -> Iterator[str]:
    digits = _DIGITS.sub("", text)
    letters = sum(sign.isalpha() for sign in text)
    if letters < len(digits) >= FEWEST_DIGITS_OF_A_PHONE:
        yield from {_joined(text), digits}
        return
    for line in re.split(r"[,;^\r\n]+", text.upper()):
        words = [word for word in _SPLIT.split(line) if word]
        if set(words) <= vocabulary():
            continue
        if _tells(words):
            yield "".join(words)
        if words[0][:1].isdigit() and _tells(words[1:]):
            yield "".join(words[1:])  # a street without its number


def _tells(words: list[str]) -> bool:
    """Tell a line of an address, or a postcode, from the name of a town or what is too short."""
    line = "".join(words)
    mixed = any(sign.isdigit() for sign in line) and any(sign.isalpha() for sign in line)
    return len(line) >= (SHORTEST_POSTCODE if mixed else SHORTEST_PHRASE) and (mixed or len(words) > 1)


def _joined(text: str) -> str:
    return "".join(_SPLIT.split(text.upper()))


def inside(found: Iterable[Spelling], how: How) -> list[Spelling]:
    """Return the spellings of one sort."""
    return [spelling for spelling in found if spelling.how == how]
