"""Tag paths of DicomEdit 6: `(0008,1140)[0]/(0008,1155)`, `(50XX,XXXX)`, `(0019,{CREATOR}0F)`, `*/(0010,0010)`."""

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST_PATH = 32
LAST_ITEM = 999
_SEPARATOR = re.compile(r"[ \t]*/[ \t]*")
_DIGIT = "[0-9A-Fa-fXx#@]"
TAG = re.compile(
    rf"\((?P<group>{_DIGIT}{{4}})[ \t]*,[ \t]*"
    rf"(?:(?P<element>{_DIGIT}{{4}})|\{{(?P<creator>[A-Za-z][A-Za-z0-9 \-_.:]*)\}}(?P<low>{_DIGIT}{{2}}))\)"
)
ITEM = re.compile(r"[ \t]*\[[ \t]*(?P<item>%|\d+)[ \t]*\]")
_ODD, _EVEN = frozenset("13579BDF#"), frozenset("02468ACE@")
_FILE_META = "0002"


class PathError(ValueError):
    """Text that is no tag path; the sentence names the remedy."""


@dataclass(frozen=True, slots=True)
class TagStep:
    """One element: four digits each, two behind a creator; no `item` is every item; `X # @` are any, odd, even."""

    group: str
    element: str
    creator: str | None = None
    item: int | None = None

    @property
    def is_exact(self) -> bool:
        return not set(self.group + self.element) & set("X#@")

    @property
    def tag(self) -> int:
        """The tag in 32 bits of an exact public step."""
        return int(self.group + self.element, 16)

    def fits(self, tag: int, creator: str | None) -> bool:
        """Tell whether the step means the element `tag`, whose private block is `creator`'s."""
        mask, value = _bits(self.group + self.element.rjust(4, "X"))
        return tag & mask == value and (self.creator is None or self.creator == creator)

    def __str__(self) -> str:
        element = self.element if self.creator is None else f"{{{self.creator}}}{self.element}"
        return f"({self.group},{element})" + ("" if self.item is None else f"[{self.item}]")


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Elements between: `*` any number, `+` one or more, `.` exactly one."""

    sign: str

    def __str__(self) -> str:
        return self.sign


Step = TagStep | Wildcard


@dataclass(frozen=True, slots=True)
class TagPath:
    """Where an element is, or where several are."""

    steps: tuple[Step, ...]

    @property
    def is_exact(self) -> bool:
        """True if every element on the way is named, so that it can be made where it is missing."""
        return all(isinstance(step, TagStep) and step.is_exact for step in self.steps)

    @property
    def is_single(self) -> bool:
        """True if at most one element can be meant."""
        return self.is_exact and all(isinstance(step, TagStep) and step.item is not None for step in self.steps[:-1])

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def item(self) -> int | None:
        """The item that the path ends in, None where it ends in an element."""
        return self.last.item if isinstance(self.last, TagStep) else None

    def __str__(self) -> str:
        return "/".join(map(str, self.steps))


def parse_path(text: str) -> TagPath:
    """Read the path that `text` is.

    A string may also name a private element by its number, `(0009,1010)`, as `set` and `delete` have it.

    Raises
    ------
    PathError
        If it is none.
    """
    return make_path([_step(part.strip(" \t")) for part in _SEPARATOR.split(text)])


def make_path(steps: list[Step]) -> TagPath:
    if len(steps) > LONGEST_PATH:
        raise PathError(f"a tag path has at most {LONGEST_PATH} steps")
    return TagPath(tuple(steps))


def make_step(match: re.Match[str], item: str | None) -> TagStep:
    """Build the step that TAG found, in the script's own form: private elements by creator."""
    step = _tag_step(match, item)
    if step.creator is None and step.group[-1] not in _EVEN:
        raise PathError(
            f"{match.group()}: a public group ends in an even digit or @, as in (50X@,XXXX); "
            "a private element is named by its creator, as in (0019,{CREATOR}0F)"
        )
    return step


def _tag_step(match: re.Match[str], item: str | None) -> TagStep:
    group = match["group"].upper()
    if group == _FILE_META:
        raise PathError(f"{match.group()}: the file's own header is made anew and out of a script's reach")
    if match["creator"] is not None and group[-1] not in _ODD:
        raise PathError(f"{match.group()}: a private group ends in an odd digit or #")
    if item is not None and item != "%" and int(item[:9]) > LAST_ITEM:
        raise PathError(f"an item's number is at most {LAST_ITEM}")
    creator = match["creator"]
    element = match["element"] if creator is None else match["low"]
    return TagStep(group, element.upper(), creator and creator.strip(), None if item in (None, "%") else int(item or 0))


def _step(text: str) -> Step:
    if text in {"*", "+", "."}:
        return Wildcard(text)
    match = TAG.match(text)
    if match is None:
        raise PathError("no tag path: write it as (0008,1140)[0]/(0008,1155)")
    item = ITEM.fullmatch(text, match.end())
    if match.end() != len(text) and item is None:
        raise PathError("no tag path: write it as (0008,1140)[0]/(0008,1155)")
    return _tag_step(match, item and item["item"])


@lru_cache(maxsize=4096)
def _bits(digits: str) -> tuple[int, int]:
    """Return mask and value, so that a tag fits if `tag & mask == value`."""
    mask = value = 0
    for digit in digits:
        of_mask, of_value = {"X": (0, 0), "@": (1, 0), "#": (1, 1)}.get(digit) or (15, int(digit, 16))
        mask, value = mask << 4 | of_mask, value << 4 | of_value
    return mask, value
