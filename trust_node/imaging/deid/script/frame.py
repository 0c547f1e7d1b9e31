"""What one run of one script on one object knows and has done."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydicom import Dataset

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.script import elements
from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.finding import Found, find, items_of
from trust_node.imaging.deid.script.needed import FIXED, METHOD, NEEDED
from trust_node.imaging.deid.script.paths import PathError, TagPath, parse_path

Action = Literal["assign", "remove", "hash", "map", "shift", "scale", "blank"]
# What a value can be while a script runs; a path in a function's arguments stays a path.
Known = str | bool | TagPath | tuple["Known", ...] | None
Corners = tuple[int, int, int, int]
LONGEST_VALUE = 65_536
MOST_VALUES = 4096
_ITEM = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a script is given besides the object.

    Attributes
    ----------
    variables
        `project`, `subject`, `session`, `modalityLabel` and whatever else the site fills in.
    keys
        The trust's secret: what maps UIDs.
    lookup
        The site's table for `lookup[type, key]`.
    """

    variables: Mapping[str, str]
    keys: DeidKeys
    lookup: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """One run; `line` is the statement at work, `corners` the rectangles to blank (left, top, right, bottom)."""

    dataset: Dataset
    surroundings: Surroundings
    script: str
    variables: dict[str, Known]
    budget: Budget
    changes: list[Change] = field(default_factory=list)
    corners: list[Corners] = field(default_factory=list)
    line: int = 1
    new_uids: int = 0

    @property
    def rule(self) -> str:
        return f"{self.script}:{self.line}"

    def changed(self, path: str, action: Action) -> None:
        self.changes.append(Change(_ITEM.sub("", path), action, self.rule))

    # Values

    def text(self, value: Known) -> str | None:
        """Return a value as text: a single path is read, None stays None."""
        if isinstance(value, TagPath):
            return self._read(value)
        if isinstance(value, tuple):
            raise CannotError("a list stands where one value is needed")
        return ("true" if value else "false") if isinstance(value, bool) else value

    def _read(self, path: TagPath) -> str | None:
        if not path.is_single or path.item is not None:
            raise CannotError(f"{path} can mean several elements; name each item, as in (0008,1140)[0]/(0008,1155)")
        found = self.find(path)
        return self.text_at(found[0]) if found else None

    def text_at(self, found: Found) -> str | None:
        try:
            return elements.read(found.owner, found.tag)
        except CannotError as error:
            raise CannotError(f"{found.path}: {error}") from None

    def integer(self, value: Known) -> int:
        text = self.text(value) or ""
        try:
            return int(text[:20])
        except ValueError:
            raise CannotError("a whole number is needed") from None

    def paths(self, value: Known) -> list[TagPath]:
        """Return the paths that an argument names: a path, a path in a string, or a list of them."""
        if isinstance(value, tuple):
            return [path for part in value for path in self.paths(part)]
        if isinstance(value, TagPath):
            return [value]
        try:
            return [parse_path(self.text(value) or "")]
        except PathError:
            # Not its sentence: that quotes the text, and the text may have come from the object.
            raise CannotError("an argument is no tag path") from None

    def opened(self, values: Iterable[Known]) -> Iterator[Known]:
        """Give the values, and those of lists one by one."""
        for value in values:
            for part in value if isinstance(value, tuple) else (value,):
                self.budget.spend()
                yield part

    def find(self, path: TagPath) -> list[Found]:
        return find(self.dataset, path, self.budget)

    # Effects

    def assign(self, path: TagPath, text: str | None, *, only_existing: bool) -> None:
        """Assign `text` to what `path` means, making what is missing unless `only_existing`."""
        if path.item is not None:
            raise CannotError(f"{path} is an item, and a value belongs to an element")
        if not only_existing and not path.is_exact:
            raise CannotError(f"{path} does not say which elements to make; use ?= to assign what is there")
        if only_existing:
            for found in self.find(path):
                self.write(found, text, "assign")
            return
        for owner, tag, here in elements.places(self.dataset, path):
            self.write(Found(owner, tag, here), text, "assign")

    def write(self, found: Found, text: str | None, action: Action) -> None:
        if found.owner is self.dataset and (found.tag in FIXED or (found.tag in NEEDED and not text)):
            raise CannotError(f"{found.path}: the file needs its value as it is")
        if found.owner is self.dataset and found.tag == METHOD:
            text = self._further_method(text or "")
        try:
            elements.write(found.owner, found.tag, text, self.dataset.get("SpecificCharacterSet"))
        except CannotError as error:
            raise CannotError(f"{found.path}: {error}") from None
        self.changed(found.path, action)

    def _further_method(self, text: str) -> str:
        """Name the script's method behind those that were at work already: the profile's stays on record."""
        before = (elements.read(self.dataset, METHOD) or "").split("\\")
        return "\\".join(part for part in dict.fromkeys([*before, text]) if part)

    def remove(self, found: Found) -> None:
        """Remove an element or an item; what the file needs stays."""
        if found.tag not in found.owner or (found.owner is self.dataset and found.tag in NEEDED):
            return
        if found.item is None:
            del found.owner[found.tag]
        else:
            _remove_item(found)
        self.changed(found.path, "remove")


def _remove_item(found: Found) -> None:
    kept = [item for at, item in enumerate(items_of(found.owner, found.tag)) if at != found.item]
    found.owner[found.tag].value = kept
