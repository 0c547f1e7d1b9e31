"""What became of a file."""

from dataclasses import dataclass, field
from pathlib import Path

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.pixels import Held, HoldReason


@dataclass(frozen=True, slots=True)
class CleanFile:
    """One de-identified file, the pseudonyms in it, and what was done to it; `series` is the original's UID."""

    path: Path
    study: str
    subject: str
    changes: tuple[Change, ...] = ()
    series: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One original that waits for a person of the trust.

    Attributes
    ----------
    places
        Keywords of the elements in which something of the patient was left, for the reason `leak`.
    series
        The original's UID of its series, empty where that can't be read.
    """

    original: Path
    reason: HoldReason
    places: tuple[str, ...] = ()
    series: str = field(default="", repr=False, compare=False)


class Leaked(Held):
    """Something of the patient was left, in the elements that `places` names; never what it was."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__(HoldReason.LEAK)
        self.places = places
