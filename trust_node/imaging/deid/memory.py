"""Remembers what became of an element: slices of a series share nearly all of theirs."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydicom import Dataset

from trust_node.imaging.deid.changes import Change, step
from trust_node.imaging.deid.dataset import Scope, clean, remapped
from trust_node.imaging.deid.dates import shift
from trust_node.imaging.deid.encoding import alone, decoded, element, encoded
from trust_node.imaging.deid.plan import DeidPlan, Patient
from trust_node.imaging.deid.raw import Piece
from trust_node.imaging.deid.rules import TEMPORAL_VRS, Action, decide
from trust_node.imaging.deid.signing import sign

LARGEST_REMEMBERED = 2**16
MOST_BYTES = 2**22
MOST_REPORTS = 1000
BYTES_OF_CHANGE = 200

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Settled:
    """What an element's bytes became, empty where it goes, and what is reported of that."""

    out: bytes
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class _Report:
    """Changes of an object; the parts that it is found by stay alive with it, so that their ids stay theirs."""

    parts: tuple[tuple[Change, ...], ...]
    changes: tuple[Change, ...]


@dataclass(slots=True)
class Kept(Generic[Key, Value]):
    """The last few things made, so that a stranger's endless variety takes no more memory than these."""

    most: int
    _things: OrderedDict[Key, Value] = field(default_factory=OrderedDict)

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        if key not in self._things:
            self._things[key] = make()
            if len(self._things) > self.most:
                self._things.popitem(last=False)
        self._things.move_to_end(key)
        return self._things[key]


@dataclass(slots=True)
class Memory:
    """One patient's elements under one plan, in one kind of object, encoding and character set.

    Attributes
    ----------
    charset
        The bytes of Specific Character Set (0008,0005), empty where there is none.
    settled
        What the elements met before became, by their bytes.
    signed
        The elements that say how the object was made, with their tags.
    """

    plan: DeidPlan
    patient: Patient
    sop_class: str
    charset: bytes
    explicit: bool
    settled: dict[bytes, Settled] = field(default_factory=dict)
    signed: tuple[tuple[int, bytes], ...] = ()
    _bytes: int = 0
    _reports: dict[tuple[int, ...], _Report] = field(default_factory=dict)
    _known_changes: dict[tuple[Change, ...], tuple[Change, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dataset = Dataset()
        sign(dataset, self.patient.subject, self.plan.profile.options)
        self.signed = tuple((int(e.tag), encoded(alone(e), explicit=self.explicit)) for e in dataset)

    def settle(self, piece: Piece, raw: bytes) -> Settled:
        """Decide for an element that was not met before, and remember it."""
        result = self._decided(piece, raw)
        if len(raw) <= LARGEST_REMEMBERED:
            self._make_room(len(raw) + len(result.out) + BYTES_OF_CHANGE * len(result.changes))
            self.settled[raw] = result
        return result

    def report(self, parts: list[tuple[Change, ...]]) -> tuple[Change, ...]:
        """Return all changes of an object, the same tuple for all slices to which the same was done."""
        key = tuple(map(id, parts))
        if key not in self._reports:
            if len(self._reports) >= MOST_REPORTS:
                self._reports.clear()
            self._reports[key] = _Report(tuple(parts), tuple(change for part in parts for change in part))
        return self._reports[key].changes

    def _make_room(self, size: int) -> None:
        if self._bytes + size > MOST_BYTES:
            self.settled.clear()
            self._reports.clear()
            self._known_changes.clear()
            self._bytes = 0
        self._bytes += size

    def _decided(self, piece: Piece, raw: bytes) -> Settled:
        decision = decide(self.plan.profile, piece.tag, piece.vr, self.sop_class)
        if decision.action is Action.KEEP:
            return Settled(raw)
        if decision.action in (Action.REMAP, Action.SHIFT) and piece.vr in _DIRECT:
            change = Change(step(piece.tag), decision.action.name.lower(), decision.rule)
            return Settled(self._changed(piece, raw), self._known((change,)))
        return self._through_pydicom(raw)

    def _changed(self, piece: Piece, raw: bytes) -> bytes:
        texts = raw[piece.body - piece.start :].rstrip(b"\0 ").decode("latin-1").split("\\")
        changed = "\\".join(map(self._change_of(piece.vr), texts)).encode("latin-1")
        return element(raw, changed, b"\0" if piece.vr == "UI" else b" ", explicit=self.explicit)

    def _change_of(self, vr: str) -> Callable[[str], str]:
        if vr == "UI":
            return lambda uid: remapped(uid, self.plan.keys)
        return lambda text: shift(text, vr, self.patient.days)

    def _through_pydicom(self, raw: bytes) -> Settled:
        changes: list[Change] = []
        scope = Scope(self.plan.profile, self.plan.keys, self.patient.days, self.sop_class)
        cleaned = clean(decoded(self.charset + raw, explicit=self.explicit), scope, changes)
        written = encoded(cleaned, explicit=self.explicit)
        return Settled(written[len(self.charset) :], self._known(tuple(dict.fromkeys(changes))))

    def _known(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        return self._known_changes.setdefault(changes, changes)


_DIRECT = TEMPORAL_VRS | {"UI"}
