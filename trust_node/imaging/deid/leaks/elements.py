"""Splits encoded DICOM into its elements, sharing nothing with the parser that the profile works on (PS3.5 7)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pydicom.datadict import dictionary_VR, keyword_for_tag

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PREAMBLE, MAGIC = 128, b"DICM"
DEEPEST = 32
PRIVATE_CREATORS = range(0x10, 0x100)  # of every odd group, PS3.5 7.8.1
TRANSFER_SYNTAX = 0x00020010
MOST_INFLATED = 2**30
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT = frozenset((b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH",
                    b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"))  # fmt: skip
_IMPLICIT_UID, _BIG_UID, _DEFLATED_UID = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99"


_LAYOUTS = {order: tuple(struct.Struct(order + form).unpack_from for form in ("HH", "H", "I")) for order in "<>"}


class MalformedError(ValueError):
    """Bytes that are no element where one should begin."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """How elements are written: with their VR or without, and in which order of bytes (`<` or `>`)."""

    explicit: bool
    order: str


META = Syntax(explicit=True, order="<")
IMPLICIT = Syntax(explicit=False, order="<")


class Element(NamedTuple):
    """Where one element lies: its bytes are `buffer[at:stop]`, its value's `buffer[value:end]`."""

    tag: int
    vr: bytes
    at: int
    value: int
    end: int
    stop: int
    undefined: bool

    @property
    def name(self) -> str:
        """The keyword, or the tag where there is none."""
        return keyword_for_tag(self.tag) or f"({self.tag >> 16:04X},{self.tag & 0xFFFF:04X})"

    @property
    def is_creator(self) -> bool:
        return bool(self.tag >> 16 & 1) and self.tag & 0xFFFF in PRIVATE_CREATORS

    @property
    def is_sequence(self) -> bool:
        return self.vr == b"SQ" or (self.undefined and self.tag not in _PIXELS)


_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))


def elements(buffer: bytes, start: int, end: int, syntax: Syntax) -> Iterator[Element]:
    """Yield the elements that begin from `start` on, one after the other, not those inside of their items.

    Raises
    ------
    MalformedError
        Where the bytes stop making sense.
    """
    at = start
    while at < end:
        element = _element(buffer, at, end, syntax)
        if element.tag == ITEM_END:
            return
        yield element
        at = element.stop


def items(buffer: bytes, element: Element, syntax: Syntax) -> Iterator[tuple[int, int]]:
    """Yield begin and end of what lies in each item (of a sequence) or fragment (of encapsulated pixels)."""
    at = element.value
    while at < element.end:
        tag, length = _item_header(buffer, at, syntax)
        if tag != ITEM:
            return
        begin = at + 8
        end = begin + length if length != UNDEFINED else _item_end(buffer, begin, element.end, syntax, 0)
        if end > element.end:
            raise MalformedError
        yield begin, end
        at = end if length != UNDEFINED else end + 8


def _element(buffer: bytes, at: int, end: int, syntax: Syntax, depth: int = 0) -> Element:
    tag, vr, value, length = _header(buffer, at, syntax)
    if tag == ITEM_END:
        return Element(tag, vr, at, value, value, value, undefined=False)
    if length == UNDEFINED:
        # A sequence hidden in UN is written without VRs (PS3.5 6.2.2).
        stop = _sequence_end(buffer, value, end, IMPLICIT if vr == b"UN" else syntax, depth)
        return Element(tag, vr, at, value, stop, stop + 8, undefined=True)
    if value + length > end:
        raise MalformedError
    return Element(tag, vr, at, value, value + length, value + length, undefined=False)


def _header(buffer: bytes, at: int, syntax: Syntax) -> tuple[int, bytes, int, int]:
    """Read tag, VR, where the value begins and how long it is."""
    tags, shorts, longs = _LAYOUTS[syntax.order]
    try:
        group, number = tags(buffer, at)
        tag, vr = group << 16 | number, buffer[at + 4 : at + 6]
        if not syntax.explicit or group == ITEM >> 16:
            return tag, _vr(tag), at + 8, longs(buffer, at + 4)[0]
        if vr in _SHORT:
            return tag, vr, at + 8, shorts(buffer, at + 6)[0]
        if vr in _LONG:
            return tag, vr, at + 12, longs(buffer, at + 8)[0]
    except struct.error:
        pass
    raise MalformedError


def _vr(tag: int) -> bytes:
    try:
        return dictionary_VR(tag).split(" ")[0].encode()
    except KeyError:
        return b"LO" if tag >> 16 & 1 and tag & 0xFFFF in PRIVATE_CREATORS else b"UN"


def _item_header(buffer: bytes, at: int, syntax: Syntax) -> tuple[int, int]:
    tag, _, _, length = _header(buffer, at, syntax)
    if tag not in (ITEM, SEQUENCE_END):
        raise MalformedError
    return tag, length


def _sequence_end(buffer: bytes, at: int, end: int, syntax: Syntax, depth: int) -> int:
    """Return where the delimiter of a sequence of undefined length begins."""
    if depth > DEEPEST:
        raise MalformedError
    while at < end:
        tag, length = _item_header(buffer, at, syntax)
        if tag == SEQUENCE_END:
            return at
        at = at + 8 + length if length != UNDEFINED else _item_end(buffer, at + 8, end, syntax, depth) + 8
    raise MalformedError


def _item_end(buffer: bytes, at: int, end: int, syntax: Syntax, depth: int) -> int:
    while at < end:
        element = _element(buffer, at, end, syntax, depth + 1)
        if element.tag == ITEM_END:
            return at
        at = element.stop
    raise MalformedError


@dataclass(frozen=True, slots=True)
class File:
    """A DICOM file in parts: `meta` and `body` are ranges of `buffer`; the preamble is what stands before both."""

    buffer: bytes
    preamble: bytes
    meta: tuple[int, int]
    body: tuple[int, int]
    syntax: Syntax


def parts(encoded: bytes) -> File:
    """Take a file apart (PS3.10 7.1), inflating what is deflated.

    Raises
    ------
    MalformedError
        If it doesn't begin like a file of DICOM, or inflates to more than 1 GiB.
    """
    begin = PREAMBLE + len(MAGIC)
    if encoded[PREAMBLE:begin] != MAGIC:
        raise MalformedError
    syntax, end = _IMPLICIT_UID, begin
    while encoded[end : end + 2] == b"\2\0":
        element = _element(encoded, end, len(encoded), META)
        if element.tag == TRANSFER_SYNTAX:
            syntax = encoded[element.value : element.end].rstrip(b"\0 ")
        end = element.stop
    preamble = encoded[:PREAMBLE]
    if syntax == _DEFLATED_UID:
        return _inflated(encoded, preamble, (begin, end))
    written = Syntax(explicit=syntax != _IMPLICIT_UID, order=">" if syntax == _BIG_UID else "<")
    return File(encoded, preamble, (begin, end), (end, len(encoded)), written)


def _inflated(encoded: bytes, preamble: bytes, meta: tuple[int, int]) -> File:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = inflater.decompress(encoded[meta[1] :], MOST_INFLATED)
    except zlib.error:
        raise MalformedError from None
    if inflater.unconsumed_tail:
        raise MalformedError
    whole = encoded[: meta[1]] + body
    return File(whole, preamble, meta, (meta[1], len(whole)), META)
