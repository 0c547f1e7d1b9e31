"""Finds the data elements of a little-endian data set in its bytes (PS3.5 7), without reading their values.

Made for speed and for the usual: whatever is odd raises, and the object goes the plain way through pydicom.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from struct import Struct, error
from typing import NamedTuple

from pydicom.datadict import dictionary_VR

UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
DEEPEST = 32
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITERS = 0xFFFE
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT = frozenset(
    {
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL",
        b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
    }
)  # fmt: skip
_NAMES = {vr: vr.decode() for vr in _LONG | _SHORT}
_EXPLICIT = Struct("<HH2sH")
_IMPLICIT = Struct("<HHL")
_LENGTH = Struct("<L")


class OddEncodingError(Exception):
    """These bytes are none that this reader knows; nothing is said of what they are."""


class Piece(NamedTuple):
    """Where one element lies: from its tag at `start`, its value from `body`, up to `end`."""

    tag: int
    vr: str
    start: int
    body: int
    end: int


def pieces(data: bytes, at: int, explicit: bool) -> list[Piece]:
    """Return the top-level elements of `data` from `at` to its end, in ascending order of tags.

    Raises
    ------
    OddEncodingError
        If they are cut short, out of order, repeated, or encoded as none of the two usual ways.
    """
    try:
        found = list(_walk(data, at, explicit, len(data)))
    except (error, IndexError) as cut:
        raise OddEncodingError from cut
    tags = [piece.tag for piece in found]
    if any(tag >= later for tag, later in pairwise(tags)):
        raise OddEncodingError
    return found


def _walk(data: bytes, at: int, explicit: bool, stop: int) -> Iterator[Piece]:
    read = explicit_piece if explicit else _implicit
    while at < stop:
        piece = read(data, at)
        if piece.end > stop or piece.tag >> 16 == _DELIMITERS:
            raise OddEncodingError
        yield piece
        at = piece.end


def explicit_piece(data: bytes, at: int, depth: int = 0) -> Piece:
    """Return the element that begins at `at`, tag and VR and length written out."""
    group, element, code, length = _EXPLICIT.unpack_from(data, at)
    body, tag = at + 8, group << 16 | element
    if code in _LONG:
        (length,) = _LENGTH.unpack_from(data, body)
        body += 4
    elif code not in _SHORT:
        raise OddEncodingError
    end = body + length if length != UNDEFINED else _end(data, body, tag, code == b"SQ", depth, explicit=True)
    return Piece(tag, _NAMES[code], at, body, end)


def _implicit(data: bytes, at: int, depth: int = 0) -> Piece:
    group, element, length = _IMPLICIT.unpack_from(data, at)
    body, tag = at + 8, group << 16 | element
    vr = vr_of(tag)
    end = body + length if length != UNDEFINED else _end(data, body, tag, vr == "SQ", depth, explicit=False)
    return Piece(tag, vr, at, body, end)


@lru_cache(maxsize=10_000)
def vr_of(tag: int) -> str:
    """Return the dictionary's VR of a standard element, `UN` for all others."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _end(data: bytes, at: int, tag: int, is_sequence: bool, depth: int, *, explicit: bool) -> int:
    """Find the end of a value of undefined length: a sequence, or the fragments of compressed pixels."""
    if depth > DEEPEST or not (is_sequence or (tag == PIXEL_DATA and explicit)):
        raise OddEncodingError
    while True:
        group, element, length = _IMPLICIT.unpack_from(data, at)
        at += 8
        mark = group << 16 | element
        if mark == _SEQUENCE_END:
            return at
        if mark != _ITEM:
            raise OddEncodingError
        if length != UNDEFINED:
            at += length
        elif is_sequence:
            at = _end_of_item(data, at, depth + 1, explicit=explicit)
        else:
            raise OddEncodingError


def _end_of_item(data: bytes, at: int, depth: int, *, explicit: bool) -> int:
    while True:
        group, element, _ = _IMPLICIT.unpack_from(data, at)
        if group == _DELIMITERS:
            if group << 16 | element != _ITEM_END:
                raise OddEncodingError
            return at + 8
        at = (explicit_piece if explicit else _implicit)(data, at, depth).end
