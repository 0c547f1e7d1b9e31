"""What stands before a data set in a file: preamble and file meta information (PS3.10 7.1)."""

import struct

from trust_node.imaging.receiver.pdu import IMPLEMENTATION, VERSION

_SHORT = struct.Struct("<HH2sH")
_LONG = struct.Struct("<HH2sHI")


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
