"""Messages cut into presentation data values, and those into P-DATA-TF PDUs (PS3.8 9.3.5, E)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from trust_node.imaging.receiver.pdu import HEAD, Kind

PDV_HEAD = struct.Struct(">IBB")
"""Length of what follows, presentation context, and whether it is command or data, last or not (PS3.8 E.2)."""
COMMAND, LAST = 0x01, 0x02


@dataclass(frozen=True, slots=True)
class Fragment:
    """One presentation data value; `data` may be a window into a buffer that the next read overwrites."""

    context: int
    is_command: bool
    is_last: bool
    data: bytes | memoryview = field(repr=False)


def data_pdus(context: int, flag: int, message: bytes | memoryview, max_length: int) -> Iterator[bytes | memoryview]:
    """Cut a command set (`flag` COMMAND) or a data set (0) into P-DATA-TF PDUs, heads and windows alternating."""
    room = max_length - PDV_HEAD.size
    for start in range(0, len(message), room):
        piece = message[start : start + room]
        last = LAST if start + room >= len(message) else 0
        length = len(piece)
        yield HEAD.pack(Kind.DATA, length + PDV_HEAD.size) + PDV_HEAD.pack(length + 2, context, flag | last)
        yield piece
