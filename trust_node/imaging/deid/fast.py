"""De-identifies the bytes of a file: element by element, without reading what was met before, bulk data untouched.

Gives the same data set as `plain.deidentify`; what it does not know it leaves to that (`OddEncodingError`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.dataset import remapped
from trust_node.imaging.deid.encoding import decoded, encoded, short_element
from trust_node.imaging.deid.memory import Kept, Memory
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.original import BULK, Original
from trust_node.imaging.deid.plan import DeidPlan, patient
from trust_node.imaging.deid.raw import UNDEFINED, OddEncodingError, Piece
from trust_node.imaging.deid.rules import Action, decide
from trust_node.imaging.deid.signing import IMPLEMENTATION_NAME, IMPLEMENTATION_UID, PSEUDONYMS, SIGNED

MOST_MEMORIES = 16
PREAMBLE = b"\0" * 128 + b"DICM"
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_CHARSET, _CLASS, _INSTANCE, _STUDY, _PATIENT = 0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x00100020

Part = bytes | memoryview
_memories: Kept[tuple[object, ...], Memory] = Kept(MOST_MEMORIES)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A de-identified file in parts, and the pseudonyms it goes by.

    Attributes
    ----------
    meta
        Preamble and file meta information.
    elements
        The data set's elements by tag, in order; native pixels are views of the original.
    """

    meta: bytes
    elements: tuple[tuple[int, Part], ...]
    instance: str
    study: str
    subject: str
    changes: tuple[Change, ...]

    @property
    def parts(self) -> Iterator[Part]:
        """Yield the file in few large pieces: what lies between bulk data is joined."""
        yield self.meta
        for is_small, group in groupby(self.elements, lambda element: isinstance(element[1], bytes)):
            pieces = (part for _, part in group)
            if is_small:
                yield b"".join(pieces)
            else:
                yield from pieces

    @property
    def small(self) -> list[bytes]:
        """Return the elements that are no bulk data."""
        return [part for _, part in self.elements if isinstance(part, bytes)]


def rewrite(original: Original, plan: DeidPlan) -> Rewritten:
    """De-identify a file by the plan's profile; judging, scripts and pixels are the caller's.

    Raises
    ------
    OddEncodingError
        If it holds what only the plain way can tell apart.
    """
    memory = _memory(original, plan)
    outputs: list[tuple[int, Part]] = list(memory.signed)
    reports = [PSEUDONYMS]
    for piece in original.found.values():
        if piece.tag in SIGNED:
            continue
        out, changes = _settled(piece, original, memory)
        outputs.append((piece.tag, out))
        if changes:
            reports.append(changes)
    return _assembled(original, memory, outputs, memory.report(reports))


def _settled(piece: Piece, original: Original, memory: Memory) -> tuple[Part, tuple[Change, ...]]:
    if piece.end - piece.start > BULK:
        return _bulk(piece, original, memory)
    raw = original.data[piece.start : piece.end]
    settled = memory.settled.get(raw)
    if settled is None:
        _known(piece, memory)
        settled = memory.settle(piece, raw)
    return settled.out, settled.changes


def _bulk(piece: Piece, original: Original, memory: Memory) -> tuple[Part, tuple[Change, ...]]:
    _known(piece, memory)
    decision = decide(memory.plan.profile, piece.tag, piece.vr, memory.sop_class)
    if decision.action is Action.KEEP and _is_native_pixels(piece, original):
        return memoryview(original.data)[piece.start : piece.end], ()
    settled = memory.settle(piece, original.data[piece.start : piece.end])
    return settled.out, settled.changes


def _is_native_pixels(piece: Piece, original: Original) -> bool:
    """Tell pixels as they are from all that may hold words: compressed ones, and bytes behind the last pixel."""
    native = piece.tag in _PIXELS and original.data[piece.body - 4 : piece.body] != UNDEFINED.to_bytes(4)
    return native and piece.end - piece.body <= original.most_pixel_bytes


def _known(piece: Piece, memory: Memory) -> None:
    """Leave to the plain way whose VR lies elsewhere: in its private creator, or in a dictionary behind `UN`."""
    private = piece.tag >> 16 & 1
    if private and Option.RETAIN_SAFE_PRIVATE in memory.plan.profile.options:
        raise OddEncodingError
    if piece.vr == "UN" and memory.explicit and not private:
        raise OddEncodingError


def _assembled(
    original: Original, memory: Memory, outputs: list[tuple[int, Part]], changes: tuple[Change, ...]
) -> Rewritten:
    outputs.sort(key=itemgetter(0))
    instance = _uid_after(original.uid(_INSTANCE), memory)
    meta = PREAMBLE + meta_bytes(memory.sop_class, instance, original.syntax)
    elements = tuple(output for output in outputs if output[1])
    study = memory.plan.keys.study(original.uid(_STUDY))
    return Rewritten(meta, elements, instance, study, memory.patient.subject, changes)


def _uid_after(uid: str, memory: Memory) -> str:
    return uid if Option.RETAIN_UIDS in memory.plan.profile.options else remapped(uid, memory.plan.keys)


def _memory(original: Original, plan: DeidPlan) -> Memory:
    charset = _rewritten(original.raw(_CHARSET), original.explicit)
    whose = (_text(charset + original.raw(_PATIENT), original.explicit), original.uid(_STUDY))
    # Objects without a patient id are their study's; all others share what was settled over all their studies.
    key = (plan.digest, plan.keys, whose[0] or whose[1], original.uid(_CLASS), charset, original.explicit)
    return _memories.get(
        key, lambda: Memory(plan, patient(*whose, plan.keys), original.uid(_CLASS), charset, original.explicit)
    )


@lru_cache(maxsize=64)
def _rewritten(raw: bytes, explicit: bool) -> bytes:
    return encoded(decoded(raw, explicit=explicit), explicit=explicit)


@lru_cache(maxsize=64)
def _text(raw: bytes, explicit: bool) -> str:
    return str(decoded(raw, explicit=explicit).get("PatientID") or "")


def meta_bytes(sop_class: str, instance: str, syntax: str) -> bytes:
    """Return the file meta information, as `signing.file_meta` has it."""
    before, after = _around_instance(sop_class, syntax)
    named = before + short_element(0x0003, b"UI", instance.encode("latin-1")) + after
    return short_element(0x0000, b"UL", len(named).to_bytes(4, "little")) + named


@lru_cache(maxsize=64)
def _around_instance(sop_class: str, syntax: str) -> tuple[bytes, bytes]:
    def uid(element: int, value: str) -> bytes:
        return short_element(element, b"UI", value.encode("latin-1"))

    version = bytes.fromhex("020001004f420000020000000001")
    after = uid(0x0010, syntax) + uid(0x0012, IMPLEMENTATION_UID)
    name = short_element(0x0013, b"SH", IMPLEMENTATION_NAME.encode())
    return version + uid(0x0002, sop_class), after + name
