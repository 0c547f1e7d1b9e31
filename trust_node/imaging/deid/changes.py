"""What was done to an element: where, what, by which rule; never a value."""

from typing import NamedTuple


class Change(NamedTuple):
    """One thing done.

    Attributes
    ----------
    path
        Tags from the top to the element, `(0008,1140)/(0008,1155)`; items are not told apart.
    action
        `remove`, `empty`, `dummy`, `remap`, `shift`, `clean`, `blank` or what a script did.
    rule
        The table's code, the option, `script:line`, `white list` or the rule of the pixels that asked for it.
    """

    path: str
    action: str
    rule: str


def step(tag: int) -> str:
    """Write a tag as PS3.6 does."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
