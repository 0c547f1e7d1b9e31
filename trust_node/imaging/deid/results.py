"""What became of a file."""

from dataclasses import dataclass
from pathlib import Path

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.pixels import Held, HoldReason


@dataclass(frozen=True, slots=True)
class CleanFile:
    """One de-identified file, the pseudonyms in it, and what was done to it."""

    path: Path
    study: str
    subject: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One original that waits for a person of the trust.

    Attributes
    ----------
    places
        Keywords of the elements in which something of the patient was left, for the reason `leak`.
    """

    original: Path
    reason: HoldReason
    places: tuple[str, ...] = ()


class Leaked(Held):
    """Something of the patient was left, in the elements that `places` names; never what it was."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__(HoldReason.LEAK)
        self.places = places
