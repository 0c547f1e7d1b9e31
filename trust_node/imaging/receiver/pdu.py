"""Protocol data units of the DICOM upper layer, as values and as bytes (PS3.8 9.3)."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from trust_node.imaging.receiver.items import MalformedError, item, items, uid

HEAD = struct.Struct(">BxI")
"""A PDU's type and the length of what follows."""
_FIXED = struct.Struct(">H2x16s16s32x")
_LENGTH = struct.Struct(">I")
_APPLICATION, _PROPOSED, _ANSWERED, _ABSTRACT, _TRANSFER, _USER = 0x10, 0x20, 0x21, 0x30, 0x40, 0x50
_MAX_LENGTH, _IMPLEMENTATION, _VERSION = 0x51, 0x52, 0x55

APPLICATION = "1.2.840.10008.3.1.1.1"
IMPLEMENTATION, VERSION = "2.25.232660265846272897933771330027344564707", "TRUSTFLOW_1"


class Kind(IntEnum):
    """Types of PDU."""

    REQUEST = 1
    ACCEPT = 2
    REJECT = 3
    DATA = 4
    RELEASE = 5
    RELEASED = 6
    ABORT = 7


@dataclass(frozen=True, slots=True)
class Proposed:
    """A presentation context as it is asked for; `id` is odd (PS3.8 9.3.2.2)."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A presentation context as it is answered; `result` is 0 when it may be used (PS3.8 9.3.3.2)."""

    id: int
    result: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class User:
    """What both sides tell of themselves; `max_length` 0 means that PDUs may have any length (PS3.8 D.1).

    Sub-items about user identity, roles, asynchronous operations and extended negotiation are read over: to leave
    them unanswered is to refuse them (PS3.7 D.3.3).
    """

    max_length: int
    implementation: str = IMPLEMENTATION
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Request:
    """A-ASSOCIATE-RQ. Titles are without the blanks around them."""

    called: str
    calling: str
    contexts: tuple[Proposed, ...]
    user: User
    application: str = APPLICATION
    protocols: int = 1

    def encode(self) -> bytes:
        contexts = b"".join(item(_PROPOSED, _proposal(context)) for context in self.contexts)
        return _pdu(Kind.REQUEST, _fixed(self.protocols, self.called, self.calling, self.application)
                    + contexts + _user(self.user))  # fmt: skip

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read what follows the head; items that are not known are read over.

        Raises
        ------
        MalformedError
            If it is none, or proposes a context twice or under an even number.
        """
        protocols, called, calling, parts = _parts(body)
        contexts = tuple(_proposed(part) for kind, part in parts if kind == _PROPOSED)
        ids = [context.id for context in contexts]
        if len(set(ids)) < len(ids) or not all(number % 2 for number in ids):
            raise MalformedError("presentation contexts must have odd numbers, each its own")
        return cls(called, calling, contexts, _read_user(parts), _application(parts), protocols)


@dataclass(frozen=True, slots=True)
class Accept:
    """A-ASSOCIATE-AC; the titles are those of the request (PS3.8 9.3.3)."""

    called: str
    calling: str
    contexts: tuple[Answered, ...]
    user: User

    def encode(self) -> bytes:
        contexts = b"".join(item(_ANSWERED, _answer(context)) for context in self.contexts)
        return _pdu(Kind.ACCEPT, _fixed(1, self.called, self.calling, APPLICATION) + contexts + _user(self.user))

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read what follows the head.

        Raises
        ------
        MalformedError
            If it is none.
        """
        _, called, calling, parts = _parts(body)
        contexts = tuple(_answered(part) for kind, part in parts if kind == _ANSWERED)
        return cls(called, calling, contexts, _read_user(parts))


@dataclass(frozen=True, slots=True)
class Reject:
    """A-ASSOCIATE-RJ; what the numbers mean stands in PS3.8 9.3.4."""

    result: int
    source: int
    reason: int

    def encode(self) -> bytes:
        return _pdu(Kind.REJECT, bytes((0, self.result, self.source, self.reason)))

    @classmethod
    def decode(cls, body: bytes) -> Self:
        return cls(*_four(body)[1:])


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT; source 2 is the upper layer itself, and only then the reason means something (PS3.8 9.3.8)."""

    source: int
    reason: int

    def encode(self) -> bytes:
        return _pdu(Kind.ABORT, bytes((0, 0, self.source, self.reason)))

    @classmethod
    def decode(cls, body: bytes) -> Self:
        return cls(*_four(body)[2:])


RELEASE, RELEASED = (HEAD.pack(kind, 4) + bytes(4) for kind in (Kind.RELEASE, Kind.RELEASED))


def _pdu(kind: Kind, body: bytes) -> bytes:
    return HEAD.pack(kind, len(body)) + body


def _fixed(protocols: int, called: str, calling: str, application: str) -> bytes:
    titles = (title.encode("latin-1").ljust(16) for title in (called, calling))
    return _FIXED.pack(protocols, *titles) + item(_APPLICATION, application.encode())


def _parts(body: bytes) -> tuple[int, str, str, list[tuple[int, bytes]]]:
    if len(body) < _FIXED.size:
        raise MalformedError("an association PDU is cut off")
    protocols, called, calling = _FIXED.unpack_from(body)
    return protocols, _title(called), _title(calling), list(items(body[_FIXED.size :]))


def _title(field: bytes) -> str:
    return field.decode("latin-1").strip(" \0")


def _proposal(context: Proposed) -> bytes:
    syntaxes = b"".join(item(_TRANSFER, syntax.encode()) for syntax in context.transfer_syntaxes)
    return bytes((context.id, 0, 0, 0)) + item(_ABSTRACT, context.abstract_syntax.encode()) + syntaxes


def _proposed(body: bytes) -> Proposed:
    number, *_ = _four(body[:4])
    inside = list(items(body[4:]))
    abstract = [uid(part) for kind, part in inside if kind == _ABSTRACT]
    transfer = tuple(uid(part) for kind, part in inside if kind == _TRANSFER)
    if len(abstract) != 1 or not transfer:
        raise MalformedError("a presentation context has one abstract syntax and at least one transfer syntax")
    return Proposed(number, abstract[0], transfer)


def _answer(context: Answered) -> bytes:
    return bytes((context.id, 0, context.result, 0)) + item(_TRANSFER, context.transfer_syntax.encode())


def _answered(body: bytes) -> Answered:
    number, _, result, _ = _four(body[:4])
    syntaxes = [part for kind, part in items(body[4:]) if kind == _TRANSFER]
    # Of a context that is refused the syntax has no meaning, and some send none.
    return Answered(number, result, uid(syntaxes[0]) if syntaxes and not result else "")


def _user(user: User) -> bytes:
    version = item(_VERSION, user.version.encode()) if user.version else b""
    inside = item(_MAX_LENGTH, _LENGTH.pack(user.max_length)) + item(_IMPLEMENTATION, user.implementation.encode())
    return item(_USER, inside + version)


def _read_user(parts: list[tuple[int, bytes]]) -> User:
    inside = {kind: part for kind, body in parts if kind == _USER for kind, part in items(body)}
    length = inside.get(_MAX_LENGTH, bytes(4))
    if len(length) != _LENGTH.size:
        raise MalformedError("the maximum length has four bytes")
    implementation, version = (inside.get(kind, b"").decode("latin-1") for kind in (_IMPLEMENTATION, _VERSION))
    return User(_LENGTH.unpack(length)[0], implementation.rstrip("\0 "), version.rstrip("\0 "))


def _application(parts: list[tuple[int, bytes]]) -> str:
    return next((uid(body) for kind, body in parts if kind == _APPLICATION), "")


def _four(body: bytes) -> tuple[int, int, int, int]:
    if len(body) != 4:  # noqa: PLR2004
        raise MalformedError("four bytes were to come")
    first, second, third, fourth = body
    return first, second, third, fourth
