"""A white list: what is not on it is removed, at every depth."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from pydicom import Dataset

from trust_node.imaging.deid.changes import Change, step
from trust_node.imaging.deid.script.finding import creator_of, is_creator, is_private, items_of
from trust_node.imaging.deid.script.needed import NEEDED
from trust_node.imaging.deid.script.paths import TagStep
from trust_node.imaging.deid.whitelist.reading import read_steps
from trust_node.imaging.deid.whitelist.required import required, table

RULE = "white list"


@dataclass(frozen=True)
class Listing:
    """Tags that stay, looked up fast: exact ones in a set, the others one by one."""

    steps: frozenset[TagStep]

    @cached_property
    def tags(self) -> frozenset[int]:
        return frozenset(one.tag for one in self.steps if one.is_exact and one.creator is None)

    @cached_property
    def patterns(self) -> tuple[TagStep, ...]:
        return tuple(one for one in self.steps if not one.is_exact or one.creator is not None)

    def has(self, tag: int, creator: str | None) -> bool:
        return tag in self.tags or any(one.fits(tag, creator) for one in self.patterns)


@dataclass(frozen=True)
class Whitelist:
    """What stays, and what a script of another kind also asked for and is not taken over from it."""

    listing: Listing
    not_taken_over: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a white list.

        Lines hold a keyword, `ggggeeee`, `(gggg,eeee)` with the wildcards X, # and @, or a private `gggg,{CREATOR}ee`;
        `//` begins a comment. What begins with `<` is a CTP script.

        Raises
        ------
        WhitelistError
            Naming the line or the element.
        """
        steps, not_taken_over = read_steps(text)
        return cls(Listing(steps), not_taken_over)

    @property
    def digest(self) -> str:
        """Return what names the list: the SHA-256 of what stays by it and by PS3.3."""
        return hashlib.sha256("\n".join([table(), *sorted(map(str, self.listing.steps))]).encode()).hexdigest()

    def apply(self, dataset: Dataset) -> list[Change]:
        """Remove what is not listed from `dataset`, in place, and tell what went.

        What stays besides, at the top level: the pixels and what describes them, the UIDs of study, series and
        instance, what says that and how the object was de-identified, and what its IOD asks for (type 1). A private
        creator stays with its elements. An item that nothing is left of goes.
        """
        kept = NEEDED | required(str(dataset.get("SOPClassUID") or ""))
        changes: list[Change] = []
        self._apply(dataset, kept, "", changes)
        return changes

    def _apply(self, dataset: Dataset, kept: frozenset[int], path: str, changes: list[Change]) -> None:
        staying = {int(tag) for tag in list(dataset.keys()) if tag in kept or self._lists(dataset, tag)}
        for tag in sorted(dataset.keys()):
            if tag not in staying and not (is_creator(tag) and _reserves(tag, staying)):
                del dataset[tag]
                changes.append(Change(f"{path}{step(tag)}", "remove", RULE))
            elif dataset.get_item(tag).VR in {"SQ", None}:
                self._apply_inside(dataset, tag, f"{path}{step(tag)}/", changes)

    def _lists(self, dataset: Dataset, tag: int) -> bool:
        return self.listing.has(tag, creator_of(dataset, tag) if is_private(tag) else None)

    def _apply_inside(self, dataset: Dataset, tag: int, path: str, changes: list[Change]) -> None:
        items = items_of(dataset, tag)
        for item in items:
            self._apply(item, frozenset(), path, changes)
        if any(not len(item) for item in items):
            dataset[tag].value = [item for item in items if len(item)]


def _reserves(creator: int, staying: set[int]) -> bool:
    """Tell whether the creator's block has an element that stays (PS3.5 7.8.1)."""
    block = creator & 0xFFFF0000 | (creator & 0xFF) << 8
    return any(tag & 0xFFFFFF00 == block for tag in staying)
