"""The upper layer's items: a type, a reserved byte, a length of two bytes, big endian (PS3.8 9.3)."""

import struct
from collections.abc import Iterator

_HEAD = struct.Struct(">BxH")
LONGEST_UID = 64  # PS3.5 9.1


class MalformedError(ValueError):
    """Bytes that are not what the standard says; the text holds none of them."""


def item(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(kind, len(body)) + body


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Split into types and bodies.

    Raises
    ------
    MalformedError
        If the last item is cut off.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise MalformedError("an item's head is cut off")
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > len(data):
            raise MalformedError("an item is longer than what holds it")
        yield kind, data[at - length : at]


def uid(body: bytes | memoryview) -> str:
    """Read a UID as peers send it, padded or not.

    Raises
    ------
    MalformedError
        If it is empty, longer than 64 characters, or holds what no name on a wire or in a file should.
    """
    text = bytes(body).rstrip(b"\0 ").decode("latin-1")
    if not 0 < len(text) <= LONGEST_UID or not (text.isascii() and text.isprintable()) or "\\" in text:
        raise MalformedError("a UID must have 1 to 64 printable characters")
    return text
