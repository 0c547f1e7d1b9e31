"""Reads and writes single elements the way a script sees them: as text."""

from collections.abc import Callable, Iterator

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_has_tag, dictionary_VR, private_dictionary_VR
from pydicom.dataelem import empty_value_for_VR
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.finding import creator_of, element_at, is_private, items_of
from trust_node.imaging.deid.script.paths import TagPath, TagStep

BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "OB or OW"})
_WHOLE = frozenset({"SL", "SS", "SV", "UL", "US", "UV"})
_REAL = frozenset({"FL", "FD"})
_ONE_TEXT = frozenset({"LT", "ST", "UT", "UR"})  # a backslash in them parts nothing (PS3.5 6.2)
_SOME_NUMBER = {"US or SS": "US", "US or OW": "US", "US or SS or OW": "US"}


def text_of(element: DataElement) -> str:
    """Return the element's values, parted by backslashes; empty where it has none.

    Raises
    ------
    CannotError
        If it holds items or bytes.
    """
    if element.VR == "SQ":
        raise CannotError("holds items, not a value")
    if element.VR in BINARY:
        raise CannotError("holds bytes, not text")
    if isinstance(element.value, bytes):
        return element.value.decode("latin-1").rstrip("\0 ")
    if isinstance(element.value, MultiValue):
        return "\\".join(map(_text, element.value))
    return _text(element.value)


def read(owner: Dataset, tag: int) -> str | None:
    """Return the text of an element, None where it is absent."""
    return text_of(element_at(owner, tag)) if tag in owner else None


def write(owner: Dataset, tag: int, text: str | None, charset: object) -> None:
    """Give the element `tag` of `owner` the value `text`, none for None; it is made where it is missing."""
    vr = _representation(owner, tag)
    if vr == "SQ" or vr in BINARY:
        raise CannotError("holds items or bytes and can't be assigned a value")
    _encodable(text or "", charset)
    owner[tag] = DataElement(Tag(tag), vr, _converted(text or "", vr), validation_mode=IGNORE)


def blank(owner: Dataset, tag: int) -> None:
    """Empty an element."""
    vr = element_at(owner, tag).VR
    owner[tag] = DataElement(Tag(tag), vr, empty_value_for_VR(vr), validation_mode=IGNORE)


def places(dataset: Dataset, path: TagPath) -> Iterator[tuple[Dataset, int, str]]:
    """Give the owner, tag and place of what the exact `path` means; sequences, items and blocks on the way are made."""
    *outer, last = (step for step in path.steps if isinstance(step, TagStep))
    owners = [(dataset, "")]
    for step in outer:
        owners = [inner for owner, here in owners for inner in _opened(owner, step, here)]
    for owner, here in owners:
        tag = _tag(owner, last)
        yield owner, tag, f"{here}{named(tag)}"


def named(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _opened(owner: Dataset, step: TagStep, here: str) -> list[tuple[Dataset, str]]:
    """Return the items that `step` means in `owner`, making those that are missing."""
    tag = _tag(owner, step)
    if tag not in owner:
        if _known_vr(owner, tag) not in {"SQ", "UN", "LO"}:
            raise CannotError(f"{here}{named(tag)} is no sequence")
        owner[tag] = DataElement(Tag(tag), "SQ", Sequence())
    element = element_at(owner, tag)
    if element.VR != "SQ":
        raise CannotError(f"{here}{named(tag)} is no sequence")
    while len(element.value) <= (step.item or 0):
        element.value.append(Dataset())
    items = list(enumerate(items_of(owner, tag)))
    return [(item, f"{here}{named(tag)}[{at}]/") for at, item in items if step.item in {None, at}]


def _tag(owner: Dataset, step: TagStep) -> int:
    if step.creator is None:
        return step.tag
    group = int(step.group, 16)
    for block in range(0x10, 0x100):
        if creator_of(owner, group << 16 | block << 8) == step.creator and (group << 16 | block) in owner:
            return group << 16 | block << 8 | int(step.element, 16)
    try:
        return int(owner.private_block(group, step.creator, create=True).get_tag(int(step.element, 16)))
    except KeyError:
        raise CannotError(f"group {step.group} has no free private block") from None


def _representation(owner: Dataset, tag: int) -> str:
    existing = element_at(owner, tag).VR if tag in owner else "UN"
    return str(existing) if existing != "UN" else _known_vr(owner, tag)


def _known_vr(owner: Dataset, tag: int) -> str:
    """Return the VR of PS3.6, of a private dictionary, or LO where nobody knows."""
    if is_private(tag):
        try:
            return str(private_dictionary_VR(Tag(tag), creator_of(owner, tag) or ""))
        except KeyError:
            return "LO"
    if not dictionary_has_tag(tag):
        return "LO"
    vr = str(dictionary_VR(tag))
    return _SOME_NUMBER.get(vr, vr)


def _converted(text: str, vr: str) -> object:
    if not text:
        return empty_value_for_VR(vr)
    parts = [text] if vr in _ONE_TEXT else text.split("\\")
    try:
        values = [_conversion(vr)(part) for part in parts]
    except ValueError:
        raise CannotError(f"the value does not fit its value representation {vr}") from None
    return values if len(values) > 1 else values[0]


def _conversion(vr: str) -> Callable[[str], object]:
    if vr == "AT":
        return lambda part: int(part.strip("() ").replace(",", ""), 16)
    if vr in _WHOLE or vr == "IS":
        return int
    if vr in _REAL:
        return float
    return _decimal if vr == "DS" else str


def _decimal(part: str) -> str:
    float(part)
    return part


def _encodable(text: str, charset: object) -> None:
    """Refuse what the object's Specific Character Set (0008,0005) cannot write: it would become question marks."""
    if text.isascii():
        return
    for encoding in convert_encodings(charset) if charset else ():  # type: ignore[arg-type]  # text or texts
        try:
            text.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            continue
        return
    raise CannotError("the object's character set can't write the value; use letters of ASCII")


def _text(value: object) -> str:
    return "" if value is None else str(value)
