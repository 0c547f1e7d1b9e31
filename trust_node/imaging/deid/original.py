"""A received file, taken apart without reading what its elements say."""

from dataclasses import dataclass
from struct import error

from pydicom import Dataset

from trust_node.imaging.deid.encoding import decoded
from trust_node.imaging.deid.raw import OddEncodingError, Piece, explicit_piece, pieces

IMPLICIT = "1.2.840.10008.1.2"
BULK = 2**16
_ODD = frozenset({"", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"})  # none, big endian, deflated
_SYNTAX = 0x00020010
_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _ALLOCATED = 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100
_FIRST = 132
_DATA_SET = 0x00030000


@dataclass(frozen=True, slots=True)
class Original:
    """A file's bytes, its transfer syntax, and where its elements lie."""

    data: bytes
    syntax: str
    found: dict[int, Piece]

    @property
    def explicit(self) -> bool:
        return self.syntax != IMPLICIT

    def raw(self, tag: int) -> bytes:
        """Return an element's bytes, none where it is missing."""
        piece = self.found.get(tag)
        return b"" if piece is None else self.data[piece.start : piece.end]

    def uid(self, tag: int) -> str:
        """Return the value of a UID, or of another short text, empty where it is missing."""
        piece = self.found.get(tag)
        return "" if piece is None else _uid(self.data, piece)

    @property
    def most_pixel_bytes(self) -> int:
        """Bytes of native pixels by what the header says of them, padded (PS3.5 8.1.1); what is more is none."""
        frames = self.uid(_FRAMES).strip()
        count = int(frames) if frames.isdecimal() else 1
        bits = self._number(_ROWS) * self._number(_COLUMNS) * (self._number(_SAMPLES) or 1) * self._number(_ALLOCATED)
        whole = (bits * count + 7) // 8
        return whole + whole % 2

    def _number(self, tag: int) -> int:
        piece = self.found.get(tag)
        return 0 if piece is None else int.from_bytes(self.data[piece.body : piece.end][:2], "little")

    def header(self) -> Dataset:
        """Read everything but bulk data."""
        small = (self.data[p.start : p.end] for p in self.found.values() if p.end - p.start <= BULK)
        return decoded(b"".join(small), explicit=self.explicit)


def parse(data: bytes) -> Original:
    """Find the elements of a file.

    Raises
    ------
    OddEncodingError
        If it is no file of the usual kind: little endian, not deflated, whole, its elements in order.
    """
    if data[_FIRST - 4 : _FIRST] != b"DICM":
        raise OddEncodingError
    syntax, at = _meta(data)
    if syntax in _ODD:
        raise OddEncodingError
    return Original(data, syntax, {piece.tag: piece for piece in pieces(data, at, syntax != IMPLICIT)})


def _meta(data: bytes) -> tuple[str, int]:
    """Return the transfer syntax, and where the file meta information ends."""
    at, syntax = _FIRST, ""
    try:
        while (piece := explicit_piece(data, at)).tag < _DATA_SET:
            syntax = _uid(data, piece) if piece.tag == _SYNTAX else syntax
            at = piece.end
    except (OddEncodingError, error):
        pass  # where an implicit data set begins, no explicit element does
    return syntax, at


def _uid(data: bytes, piece: Piece) -> str:
    return data[piece.body : piece.end].rstrip(b"\0 ").decode("latin-1")
