"""Command sets of C-STORE and C-ECHO: implicit VR, little endian, group 0000 (PS3.7 6.3, 9.3, E.1)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from trust_node.imaging.receiver.items import MalformedError, uid

STORE, ECHO, CANCEL, RESPONSE = 0x0001, 0x0030, 0x0FFF, 0x8000
SUCCESS, NOT_AUTHORISED_CLASS, UNRECOGNISED = 0x0000, 0x0122, 0x0211
NO_ROOM, MISMATCH, NOT_UNDERSTOOD = 0xA700, 0xA900, 0xC000
"""Statuses of PS3.7 C and, the last three, of storage itself (PS3.4 B.2.3)."""

_HEAD = struct.Struct("<HHI")
_SHORT = struct.Struct("<H")
_LENGTH, _CLASS, _FIELD, _MESSAGE, _ANSWERED = 0x0000, 0x0002, 0x0100, 0x0110, 0x0120
_PRIORITY, _DATA_SET, _STATUS, _INSTANCE = 0x0700, 0x0800, 0x0900, 0x1000
_NO_DATA_SET = 0x0101


@dataclass(frozen=True, slots=True)
class Command:
    """A command; `sop_class` and `sop_instance` are empty where it has none, `status` is that of an answer."""

    kind: int
    message_id: int
    sop_class: str = ""
    sop_instance: str = ""
    has_data: bool = False
    status: int = SUCCESS

    def encode(self) -> bytes:
        return _with_length(b"".join(_element(*element) for element in sorted(self._elements().items())))

    def answer(self, status: int) -> "Command":
        return Command(self.kind | RESPONSE, self.message_id, self.sop_class, self.sop_instance, status=status)

    def _elements(self) -> dict[int, bytes]:
        is_answer = self.kind & RESPONSE
        numbers = {
            _FIELD: self.kind,
            _ANSWERED if is_answer else _MESSAGE: self.message_id,
            _DATA_SET: 0 if self.has_data else _NO_DATA_SET,
        } | ({_STATUS: self.status} if is_answer else {_PRIORITY: 0} if self.kind == STORE else {})
        uids = {_CLASS: self.sop_class, _INSTANCE: self.sop_instance}
        return {element: _SHORT.pack(number) for element, number in numbers.items()} | {
            element: _padded(text) for element, text in uids.items() if text
        }

    @classmethod
    def decode(cls, data: bytes) -> "Command":
        """Read a whole command set.

        Raises
        ------
        MalformedError
            If it is cut off, not of group 0000, or lacks what every command has.
        """
        found = _split(data)
        kind = _number(found, _FIELD)
        is_answer = kind & RESPONSE
        return cls(
            kind,
            _number(found, _ANSWERED if is_answer else _MESSAGE),
            _uid(found, _CLASS),
            _uid(found, _INSTANCE),
            has_data=_number(found, _DATA_SET) != _NO_DATA_SET,
            status=_number(found, _STATUS) if is_answer else SUCCESS,
        )


def _element(element: int, value: bytes) -> bytes:
    return _HEAD.pack(0, element, len(value)) + value


def _with_length(elements: bytes) -> bytes:
    return _element(_LENGTH, struct.pack("<I", len(elements))) + elements


def _padded(text: str) -> bytes:
    return text.encode() + b"\0" * (len(text) % 2)


def _split(data: bytes) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise MalformedError("a command element's head is cut off")
        group, element, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if group or at > len(data):
            raise MalformedError("a command set holds elements of group 0000, whole")
        found[element] = data[at - length : at]
    return found


def _number(found: Mapping[int, bytes], element: int) -> int:
    value = found.get(element, b"")
    if len(value) != _SHORT.size:
        raise MalformedError("a command lacks a number that it must have")
    return int(_SHORT.unpack(value)[0])


def _uid(found: Mapping[int, bytes], element: int) -> str:
    return uid(found[element]) if found.get(element) else ""
