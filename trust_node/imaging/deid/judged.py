"""The rules of the pixels for many slices: what they read is nearly always what the slice before had."""

from hashlib import blake2b

from trust_node.imaging.deid.memory import Kept
from trust_node.imaging.deid.original import BULK, Original
from trust_node.imaging.deid.pixels import HoldReason, Judgement, judge
from trust_node.imaging.deid.plan import DeidPlan

MOST_KEPT = 256
# Values of these change from slice to slice; of them the rules read only two, and whether they are there.
_NUMBERED = frozenset({"UI", "DS", "IS", "TM"})
_CLASS, _INSTANCE, _STUDY, _FRAMES = 0x00080016, 0x00080018, 0x0020000D, 0x00280008

_judgements: Kept[tuple[object, ...], Judgement] = Kept(MOST_KEPT)


def judged(original: Original, plan: DeidPlan, shared: bytes) -> Judgement:
    """Return what `pixels.judge` says of the object's header; `shared` is what `steady` gives for it."""
    if not (original.uid(_INSTANCE) and original.uid(_STUDY)):
        return Judgement(HoldReason.NO_IDENTITY if original.uid(_CLASS) else HoldReason.NO_SOP_CLASS)
    key = (plan.digest, original.raw(_CLASS), original.raw(_FRAMES), shared)
    return _judgements.get(key, lambda: judge(original.header(), plan.pixel_rules))


def steady(original: Original) -> bytes:
    """Return a digest of what slices of a series share: values of most kinds, and the tags of all others."""
    data = original.data
    shared = (
        tag.to_bytes(4) if piece.vr in _NUMBERED or piece.end - piece.start > BULK else data[piece.start : piece.end]
        for tag, piece in original.found.items()
    )
    return blake2b(b"".join(shared)).digest()
