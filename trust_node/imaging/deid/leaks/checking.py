"""Looks through a result for anything of the patient; quick where slices share their elements."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO

from pydicom import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset

from trust_node.imaging.deid.leaks.elements import (
    DEEPEST,
    IMPLICIT,
    META,
    Element,
    MalformedError,
    Syntax,
    elements,
    items,
    parts,
)
from trust_node.imaging.deid.leaks.identity import NOBODY, Identity
from trust_node.imaging.deid.leaks.looking import PIXELS, ForUids, ForWords, Look
from trust_node.imaging.deid.leaks.needles import needles

LONGEST_REMEMBERED = 2048
MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """Where something of the patient still stands, and of which kind it is; never what it is.

    Attributes
    ----------
    place
        Keywords (or tags) from the outside in, such as ``ReferencedImageSequence[0].ImageComments``.
    kind
        ``name``, ``id``, ``birth date``, ``phrase`` or ``uid``.
    """

    place: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Part:
    """Data elements that follow one another: `buffer[start:end]`."""

    buffer: bytes
    start: int
    end: int
    syntax: Syntax


def check(identity: Identity, encoded: bytes, names: Sequence[str] = ()) -> list[Finding]:
    """Look for `identity` in a whole file as it is going to be written, and in the names it will go by.

    Parameters
    ----------
    encoded
        The file: preamble, file meta and data set (PS3.10 7.1).
    names
        File names, labels and fields under which others will see it.
    """
    looks = _looks(identity)
    try:
        file = parts(encoded)
    except MalformedError:
        return [*_names(looks, names), *_blob(looks, encoded, "file")]
    pieces = (_Part(file.buffer, *file.meta, META), _Part(file.buffer, *file.body, file.syntax))
    return [
        *_names(looks, names),
        *_blob(looks, file.preamble, "preamble"),
        *(finding for piece in pieces for finding in _in_part(looks, piece)),
    ]


def check_elements(identity: Identity, encoded: bytes, *, explicit: bool) -> list[Finding]:
    """Look for `identity` in encoded elements alone, little endian, with VRs (`explicit`) or without."""
    part = _Part(encoded, 0, len(encoded), META if explicit else IMPLICIT)
    return list(_in_part(_looks(identity), part))


def leaks(identity: Identity, dataset: Dataset, names: Sequence[str] = ()) -> list[str]:
    """Return the places of `dataset` (and of `names`) that still hold something of `identity`; they may be logged."""
    looks = _looks(identity)
    meta, preamble = getattr(dataset, "file_meta", None), getattr(dataset, "preamble", None)
    pieces = [_written(each) for each in (meta, dataset) if each is not None]
    findings = [*_names(looks, names), *_blob(looks, preamble or b"", "preamble")]
    findings += [finding for piece in pieces for finding in _in_part(looks, piece)]
    return [finding.place for finding in findings]


@dataclass(frozen=True, slots=True)
class _Looks:
    words: ForWords
    uids: ForUids
    clean: set[bytes]


def _looks(identity: Identity) -> _Looks:
    words, clean = _for_words(replace(identity, uids=NOBODY))
    return _Looks(words, ForUids(frozenset(uid.encode() for uid in identity.uids)), clean)


@lru_cache(maxsize=8)
def _for_words(identity: Identity) -> tuple[ForWords, set[bytes]]:
    """Return how to look for a patient, and the encoded elements that were found clean of this patient before."""
    return ForWords(needles(identity)), set()


def _names(looks: _Looks, names: Iterable[str]) -> Iterator[Finding]:
    for place, name in enumerate(names):
        yield from _blob(looks, name.encode(errors="surrogateescape"), f"names[{place}]")


def _blob(looks: _Looks, content: bytes, place: str) -> Iterator[Finding]:
    kind = looks.words.in_text(content) or looks.uids.in_text(content)
    if kind is not None:
        yield Finding(place, kind)


def _in_part(looks: _Looks, part: _Part) -> Iterator[Finding]:
    """Look into a part element by element; one that can't be taken apart is looked through as one text."""
    try:
        yield from _in_elements(looks, part)
    except MalformedError:
        yield from _blob(looks, part.buffer[part.start : part.end], "unreadable part")


def _in_elements(looks: _Looks, part: _Part) -> Iterator[Finding]:
    """Look for words where nothing was remembered, and for UIDs, which differ in each slice, in one sweep."""
    swept: list[bytes] = []
    for element in elements(part.buffer, part.start, part.end, part.syntax):
        raw = part.buffer[element.at : element.stop] if element.tag not in PIXELS else b""
        swept.append(raw)
        if raw not in looks.clean:
            found = list(_below(looks.words, part, element, "", 0))
            yield from found
            if raw and not found:
                _remember(looks.clean, raw)
    if looks.uids.in_text(b"\n".join(swept)):
        for element in elements(part.buffer, part.start, part.end, part.syntax):
            yield from _below(looks.uids, part, element, "", 0)


def _remember(clean: set[bytes], raw: bytes) -> None:
    if len(raw) <= LONGEST_REMEMBERED:
        if len(clean) >= MOST_REMEMBERED:
            clean.clear()
        clean.add(raw)


def _below(look: Look, part: _Part, element: Element, path: str, depth: int) -> Iterator[Finding]:
    """Look into an element and into the items below it."""
    place = path + element.name
    if not element.is_sequence:
        kind = look(part.buffer, element, part.syntax)
        if kind is not None:
            yield Finding(place, kind)
        return
    if depth > DEEPEST:
        raise MalformedError
    # A sequence hidden in UN is written without VRs (PS3.5 6.2.2).
    syntax = IMPLICIT if element.vr == b"UN" else part.syntax
    for number, (start, end) in enumerate(items(part.buffer, element, syntax)):
        inner = _Part(part.buffer, start, end, syntax)
        for child in elements(part.buffer, start, end, syntax):
            yield from _below(look, inner, child, f"{place}[{number}].", depth + 1)


def _written(dataset: Dataset) -> _Part:
    """Encode a data set in Explicit VR Little Endian, without its pixels."""
    headers = Dataset()
    for element in dataset:
        if element.tag not in PIXELS:
            headers.add(element)
    buffer = BytesIO()
    stream = DicomIO(buffer)
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, headers, parent_encoding=str(dataset.get("SpecificCharacterSet", "")) or "iso8859")
    return _Part(buffer.getvalue(), 0, buffer.tell(), META)
