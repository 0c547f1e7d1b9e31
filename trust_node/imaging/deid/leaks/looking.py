"""Looks into single values for what is known of a patient."""

import re
from dataclasses import dataclass
from typing import Protocol

from trust_node.imaging.deid.leaks.elements import Element, Syntax, items
from trust_node.imaging.deid.leaks.needles import SEPARATORS, Needles

PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
# Manufacturer, its model, codes and their schemes, our own method, the types of a report's content: such words may
# equal a name or the institution's, but stand for neither.
NOBODYS_NAMES = frozenset(
    (0x00080070, 0x00081090, 0x00080100, 0x00080102, 0x00080103, 0x00120063, 0x0040A010, 0x0040A040)
)
TEXT_VRS = frozenset((b"AE", b"CS", b"LO", b"LT", b"SH", b"ST", b"UC", b"UR", b"UT"))
DATE_VRS = frozenset((b"DA", b"DT"))
WRITTEN_NUMBER_VRS = DATE_VRS | {b"AS", b"TM", b"DS", b"IS", b"UI"}
PATIENTS_GROUP = 0x0010
LONGEST_TEXT_IN_BINARY = 4096
LONGEST_WHOLE_TEXT = 64  # an LO, which is all that many a private value is
# Before these markers a JPEG or JPEG 2000 stream holds its comments, behind them only the picture.
PICTURE_STARTS = re.compile(rb"\xff[\xda\x93]")
LONGEST_STREAM_HEADER = 65536
_PRINTABLE = re.compile(rb"[\x20-\x7e]{6,}")
_UID = re.compile(rb"[0-9]+(?:\.[0-9]+){2,}")
_FEWEST_COMPONENTS = 5
_LETTERS = re.compile(rb"[A-Za-z]{3}")
_VALUES, _COMPONENTS = re.compile(rb"\\"), re.compile(rb"[\\.]")
_NUMBER_ENDS = {vr: _COMPONENTS if vr == b"UI" else _VALUES for vr in WRITTEN_NUMBER_VRS}


class Look(Protocol):
    """Looks into an element that is no sequence; returns the kind of fact found, None where there is none."""

    def __call__(self, buffer: bytes, element: Element, syntax: Syntax) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ForWords:
    """Looks for everything but UIDs."""

    known: Needles

    def __call__(self, buffer: bytes, element: Element, syntax: Syntax) -> str | None:
        if element.tag in PIXELS:
            return self._in_pixels(buffer, element, syntax)
        content = buffer[element.value : element.end]
        if element.vr in TEXT_VRS or element.vr == b"PN":
            return self._in_field(element, content)
        return self._in_number(element, content)

    def in_text(self, content: bytes) -> str | None:
        """Look into bytes that are text in whatever encoding."""
        capitals = content.upper()
        return self.known.words.found(capitals.replace(b"\0", b"")) or self.known.inside.found(
            capitals.translate(None, SEPARATORS)
        )

    def in_binary(self, content: bytes) -> str | None:
        """Look into bytes that may hold text among other things."""
        if len(content) > LONGEST_TEXT_IN_BINARY:
            return self.known.inside.found_in_binary(content.upper().translate(None, SEPARATORS))
        if len(content) <= LONGEST_WHOLE_TEXT:
            return self.in_text(content)
        capitals = content.upper()
        printable = b"\n".join(_PRINTABLE.findall(capitals))
        return self.known.words.found(printable) or self.known.inside.found(capitals.translate(None, SEPARATORS))

    def _in_field(self, element: Element, content: bytes) -> str | None:
        kind = self.in_text(content)
        if kind is None and element.vr == b"PN":
            return self.known.persons.found(content.upper())
        nobodys = element.is_creator or element.tag in NOBODYS_NAMES
        return None if kind in ("name", "phrase") and nobodys else kind

    def _in_number(self, element: Element, content: bytes) -> str | None:
        """Look into dates, numbers and UIDs: only a whole one tells something, unless text is hidden there."""
        if element.vr not in WRITTEN_NUMBER_VRS:
            return self.in_binary(content)
        if _LETTERS.search(content):
            return self.in_text(content)
        if element.vr in DATE_VRS:
            group = element.tag >> 16
            # Elsewhere a shifted date may equal the birth date of a small child.
            personal = group == PATIENTS_GROUP or group & 1
            return "birth date" if personal and content[:8] in self.known.births else None
        numbers = _NUMBER_ENDS[element.vr].split(content)
        return "id" if any(number.strip(b"\0 ") in self.known.numbers for number in numbers) else None

    def _in_pixels(self, buffer: bytes, element: Element, syntax: Syntax) -> str | None:
        """Look for text before the picture in each compressed frame, and for what no chance puts there in all of it."""
        for begin, end in items(buffer, element, syntax) if element.undefined else ():
            header = buffer[begin : min(end, begin + LONGEST_STREAM_HEADER)]
            kind = self.in_binary(PICTURE_STARTS.split(header, 1)[0])
            if kind is not None:
                return kind
        capitals = buffer[element.value : element.end].upper()
        return self.known.inside.found_in_binary(capitals.translate(None, SEPARATORS))


@dataclass(frozen=True, slots=True)
class ForUids:
    """Looks for UIDs, in whatever kind of value they stand."""

    uids: frozenset[bytes]

    def __call__(self, buffer: bytes, element: Element, syntax: Syntax) -> str | None:
        del syntax
        return None if element.tag in PIXELS else self.in_text(buffer[element.value : element.end])

    def in_text(self, content: bytes) -> str | None:
        return "uid" if any(self._known(run) for run in _UID.findall(content)) else None

    def _known(self, run: bytes) -> bool:
        """Tell whether a run of digits and dots is a known UID, or one with something behind it."""
        while run not in self.uids:
            run = run.rpartition(b".")[0]
            if run.count(b".") < _FEWEST_COMPONENTS - 1:
                return False
        return True
