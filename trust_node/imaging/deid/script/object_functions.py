"""Functions of DicomEdit that look at the object or change it as a whole."""

import re
from collections.abc import Sequence

from pydicom import Dataset

from trust_node.imaging.deid.script.elements import BINARY, blank, text_of
from trust_node.imaging.deid.script.errors import CannotError, RejectedError
from trust_node.imaging.deid.script.finding import Found, element_at, everywhere, is_creator, is_private
from trust_node.imaging.deid.script.frame import MOST_VALUES, Corners, Frame, Known
from trust_node.imaging.deid.script.needed import NEEDED
from trust_node.imaging.deid.script.paths import TagPath, Wildcard

Arguments = Sequence[Known]

_RECTANGLE = re.compile(r"\s*([ltrb])\s*=\s*(\d{1,5})\s*")


def is_present(frame: Frame, arguments: Arguments) -> Known:
    """Tell whether all of the paths, each to a single element or item, lead to something."""
    paths = [path for argument in arguments for path in frame.paths(argument)]
    for path in paths:
        if not path.is_single:
            raise CannotError(f"isPresent: {path} can mean several elements; name each item")
    return all(frame.find(path) for path in paths)


def set_value(frame: Frame, arguments: Arguments) -> Known:
    for path in frame.paths(arguments[0]):
        frame.assign(path, frame.text(arguments[1]), only_existing=False)
    return None


def delete(frame: Frame, arguments: Arguments) -> Known:
    for argument in arguments:
        for path in frame.paths(argument):
            remove(frame, path)
    return None


def remove(frame: Frame, path: TagPath) -> None:
    for found in frame.find(path):
        frame.remove(found)


def collect_values(frame: Frame, arguments: Arguments) -> Known:
    """Return the values that the arguments name, as a list."""
    return tuple(sorted(_values(frame, arguments)))


def blank_values(frame: Frame, arguments: Arguments) -> Known:
    """Empty every element, at every depth, whose whole value is one of those that the arguments name."""
    values = _values(frame, arguments)
    for found in everywhere(frame.dataset, frame.budget):
        kept = found.owner is frame.dataset and found.tag in NEEDED
        if not kept and _text_or_none(found) in values:
            blank(found.owner, found.tag)
            frame.changed(found.path, "blank")
    return None


def remove_all_private(frame: Frame) -> None:
    _keep_private(frame, set())


def retain_private(frame: Frame, arguments: Arguments) -> Known:
    """Remove every private element but those that the paths mean, what is inside of them, and their creators."""
    paths = [path for argument in arguments for path in frame.paths(argument)]
    for path in paths:
        if getattr(path.last, "creator", None) is None:
            raise CannotError(f"retainPrivateTags: {path} is not private")
    inner = [TagPath((*path.steps, Wildcard("*"))) for path in paths]
    _keep_private(frame, {(id(found.owner), found.tag) for path in inner for found in frame.find(path)})
    return None


def reject(frame: Frame, arguments: Arguments) -> Known:
    """Refuse the object if the first argument is true or there is none; the second says why."""
    if not arguments or (frame.text(arguments[0]) or "").lower() == "true":
        raise RejectedError(frame.rule, (frame.text(arguments[1]) or "") if len(arguments) > 1 else "")
    return None


def alter_pixels(frame: Frame, arguments: Arguments) -> Known:
    """Have a rectangle of every frame blanked."""
    frame.corners.append(corners(*(frame.text(argument) or "" for argument in arguments[:3])))
    return None


def corners(shape: str, parameters: str, fill: str) -> Corners:
    """Return left, top, right and bottom in pixels, the last two included, of `l=…, t=…, r=…, b=…`."""
    if shape != "rectangle" or fill != "solid":
        raise CannotError('alterPixels: the shape is "rectangle" and the fill pattern "solid"')
    matches = [_RECTANGLE.fullmatch(part) for part in parameters.split(",")]
    sides = {match[1]: int(match[2]) for match in matches if match}
    if len(sides) != len(matches) or set(sides) != set("ltrb") or sides["l"] > sides["r"] or sides["t"] > sides["b"]:
        raise CannotError('alterPixels: write the rectangle as "l=0, t=0, r=511, b=20" in pixels')
    return sides["l"], sides["t"], sides["r"], sides["b"]


def _values(frame: Frame, arguments: Arguments) -> set[str]:
    """Return the non-empty values of the elements that the arguments mean, and those that they are."""
    values = {text for part in frame.opened(arguments) for text in _texts(frame, part) if text}
    if len(values) > MOST_VALUES:
        raise CannotError(f"more than {MOST_VALUES} values are named; use fewer wildcards")
    return values


def _texts(frame: Frame, value: Known) -> list[str | None]:
    if isinstance(value, TagPath):
        return [_text_or_none(found) for found in frame.find(value)]
    return [frame.text(value)]


def _text_or_none(found: Found) -> str | None:
    """Return an element's text, None for items and bytes: neither is a value that could be known."""
    element = element_at(found.owner, found.tag)
    return None if element.VR == "SQ" or element.VR in BINARY else text_of(element)


def _keep_private(frame: Frame, kept: set[tuple[int, int]]) -> None:
    found = [one for one in everywhere(frame.dataset, frame.budget) if is_private(one.tag)]
    wanted = kept | {(id(one.owner), one.tag) for one in found if _holds(one, kept, frame)}
    # The outermost first, so that nothing is looked for inside of what is gone.
    for one in found:
        if (id(one.owner), one.tag) not in wanted and not (is_creator(one.tag) and _reserves(one, wanted)):
            frame.remove(one)


def _reserves(creator: Found, wanted: set[tuple[int, int]]) -> bool:
    """Tell whether the creator's block has an element that stays (PS3.5 7.8.1)."""
    block = creator.tag & 0xFFFF0000 | (creator.tag & 0xFF) << 8
    return any((id(creator.owner), tag) in wanted for tag in list(creator.owner.keys()) if tag & 0xFFFFFF00 == block)


def _holds(found: Found, kept: set[tuple[int, int]], frame: Frame) -> bool:
    """Tell whether a private sequence has, at any depth, an element that stays."""
    element = element_at(found.owner, found.tag)
    inner = [item for item in element.value or () if isinstance(item, Dataset)] if element.VR == "SQ" else []
    return any((id(one.owner), one.tag) in kept for item in inner for one in everywhere(item, frame.budget))
