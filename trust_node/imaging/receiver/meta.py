"""What stands before a data set in a file: preamble and file meta information (PS3.10 7.1)."""

import mmap
import struct
from dataclasses import dataclass

from trust_node.imaging.receiver.items import MalformedError, uid
from trust_node.imaging.receiver.pdu import IMPLEMENTATION, VERSION

_SHORT = struct.Struct("<HH2sH")
_LONG = struct.Struct("<HH2sHI")
_LONG_VRS = frozenset((b"OB", b"UN", b"UT"))
_START = 132


@dataclass(frozen=True, slots=True)
class FileHead:
    """What a file says before its data set, which begins at byte `start`; what it does not say is empty."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    start: int


def read_file_head(data: bytes | memoryview) -> FileHead:
    """Read up to the data set.

    Raises
    ------
    MalformedError
        If this is no DICOM file (PS3.10), or does not say its transfer syntax.
    """
    if bytes(data[128:_START]) != b"DICM":
        raise MalformedError("not a DICOM file: no DICM after 128 bytes")
    found, at = {}, _START
    try:
        while _SHORT.unpack_from(data, at)[0] == 2:  # noqa: PLR2004
            _, element, vr, length = _SHORT.unpack_from(data, at)
            is_long = vr in _LONG_VRS
            at += _LONG.size if is_long else _SHORT.size
            at += (length := _LONG.unpack_from(data, at - _LONG.size)[-1] if is_long else length)
            found[element] = data[at - length : at]
    except struct.error as cut:
        raise MalformedError("the file ends before its data set") from cut
    sop_class, sop_instance = (uid(found[element]) if found.get(element) else "" for element in (0x0002, 0x0003))
    return FileHead(sop_class, sop_instance, uid(found.get(0x0010, b"")), at)


def mapped(descriptor: int) -> memoryview:
    """Return a file's bytes; the mapping ends with the last view of it, wherever an exception may carry that."""
    return memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))


def file_head(sop_class: str, sop_instance: str, transfer_syntax: str) -> bytes:
    """Return the bytes that make a received data set a file."""
    elements = b"".join((
        _LONG.pack(2, 0x0001, b"OB", 0, 2) + b"\0\1",
        _text(0x0002, b"UI", sop_class),
        _text(0x0003, b"UI", sop_instance),
        _text(0x0010, b"UI", transfer_syntax),
        _text(0x0012, b"UI", IMPLEMENTATION),
        _text(0x0013, b"SH", VERSION),
    ))  # fmt: skip
    length = _SHORT.pack(2, 0x0000, b"UL", 4) + struct.pack("<I", len(elements))
    return bytes(128) + b"DICM" + length + elements


def _text(element: int, vr: bytes, text: str) -> bytes:
    value = text.encode() + (b" " if vr == b"SH" else b"\0") * (len(text) % 2)
    return _SHORT.pack(2, element, vr, len(value)) + value
