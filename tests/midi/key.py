"""The answer key: for each thing that was planted, what must have become of it."""

from dataclasses import dataclass
from enum import StrEnum

Path = tuple[int, ...]  # tag, item, tag, item, ... tag


class Category(StrEnum):
    """What is asked, in the words of the MIDI-B challenge (and one more: that an object waits for a person)."""

    TAG_RETAINED = "tag retained"
    TEXT_REMOVED = "text removed"
    TEXT_NOT_NULL = "text not null"
    TEXT_RETAINED = "text retained"
    DATE_SHIFTED = "date shifted"
    UID_CHANGED = "uid changed"
    UID_CONSISTENT = "uid consistent"
    PATIENT_ID_CONSISTENT = "patient id consistent"
    PIXELS_HIDDEN = "pixels hidden"
    PIXELS_RETAINED = "pixels retained"
    HELD = "held for a person"


@dataclass(frozen=True, slots=True)
class Answer:
    """One required action: on `path` of `instance`, where `planted` stood before.

    `box` (left, top, right, bottom) is where in the pixels; `refers` the instance that a UID must point to.
    """

    category: Category
    instance: str
    path: Path = ()
    planted: object = None
    box: tuple[int, int, int, int] | None = None
    refers: str = ""
