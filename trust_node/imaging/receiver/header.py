"""Who a data set is: its class, instance and study, read without reading more (PS3.5 7)."""

import struct
from dataclasses import dataclass

from trust_node.imaging.receiver.items import LONGEST_UID, MalformedError, uid

SOP_CLASS, SOP_INSTANCE, STUDY = 0x00080016, 0x00080018, 0x0020000D
IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_OPEN_ENDED = 0xFFFFFFFF
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_WANTED = frozenset((SOP_CLASS, SOP_INSTANCE, STUDY))
_DEEPEST = 64
_LONGEST = LONGEST_UID + 2  # padded, and one more to be seen as too long
_MOST_ELEMENTS = 200_000


@dataclass(frozen=True, slots=True)
class Identity:
    """An element that is not there is empty."""

    sop_class: str
    sop_instance: str
    study: str


def identify(data: bytes | memoryview, transfer_syntax: str) -> Identity:
    """Read a data set's elements up to Study Instance UID; a value before it is stepped over, whatever its size.

    Raises
    ------
    MalformedError
        If the elements up to there are cut off, nested deeper than 64, more than 200,000, or no UIDs.
    """
    # Some write implicit VR and call it explicit; pydicom reads that too.
    explicit = transfer_syntax != IMPLICIT and bytes(data[4:6]).isupper()
    found = _Walk(data, transfer_syntax).to_study(explicit=explicit)
    return Identity(*(found.get(tag, "") for tag in (SOP_CLASS, SOP_INSTANCE, STUDY)))


class _Walk:
    """`at` is the next byte to read."""

    def __init__(self, data: bytes | memoryview, transfer_syntax: str) -> None:
        order = ">" if transfer_syntax == BIG_ENDIAN else "<"
        self._explicit = struct.Struct(order + "HH2sH")
        self._implicit = struct.Struct(order + "HHI")
        self._length = struct.Struct(order + "I")
        self._data = data
        self._at = 0
        self._elements = 0

    def to_study(self, *, explicit: bool) -> dict[int, str]:
        found: dict[int, str] = {}
        tag = 0
        while tag < STUDY and self._at < len(self._data):
            tag, vr, length = self._head(explicit=explicit)
            start = self._at
            self._pass(length, explicit=explicit and vr != b"UN", depth=0)
            if tag in _WANTED and start < self._at:
                found[tag] = uid(self._data[start : min(self._at, start + _LONGEST)])
        return found

    def _head(self, *, explicit: bool) -> tuple[int, bytes, int]:
        """Read tag, VR and length; the VR is empty where there is none."""
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise MalformedError("too many elements before the study's UID")
        try:
            return self._explicit_head() if explicit else self._implicit_head()
        except struct.error as cut:
            raise MalformedError("an element's head is cut off") from cut

    def _explicit_head(self) -> tuple[int, bytes, int]:
        group, element, vr, length = self._explicit.unpack_from(self._data, self._at)
        if group == 0xFFFE:  # noqa: PLR2004  items and their ends have no VR in any syntax
            return self._implicit_head()
        self._at += 8
        if vr in _LONG:
            length = self._length.unpack_from(self._data, self._at)[0]
            self._at += 4
        return group << 16 | element, vr, length

    def _implicit_head(self) -> tuple[int, bytes, int]:
        group, element, length = self._implicit.unpack_from(self._data, self._at)
        self._at += 8
        return group << 16 | element, b"", length

    def _pass(self, length: int, *, explicit: bool, depth: int) -> None:
        if length == _OPEN_ENDED:
            self._pass_items(explicit=explicit, depth=depth + 1)
        else:
            self._at += length
        if self._at > len(self._data):
            raise MalformedError("an element is longer than the data set")

    def _pass_items(self, *, explicit: bool, depth: int) -> None:
        """Step over a sequence without a length, its end included (PS3.5 7.5)."""
        if depth > _DEEPEST:
            raise MalformedError("sequences are nested too deep")
        while True:
            tag, _, length = self._head(explicit=False)
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise MalformedError("a sequence holds something that is no item")
            if length == _OPEN_ENDED:
                self._pass_elements(explicit=explicit, depth=depth)
            else:
                self._pass(length, explicit=explicit, depth=depth)

    def _pass_elements(self, *, explicit: bool, depth: int) -> None:
        while True:
            tag, vr, length = self._head(explicit=explicit)
            if tag == _ITEM_END:
                return
            self._pass(length, explicit=explicit and vr != b"UN", depth=depth)
