"""Functions of DicomEdit that replace UIDs."""

from collections.abc import Callable, Sequence

from trust_node.imaging.deid.script.frame import Action, Frame, Known
from trust_node.imaging.deid.script.uids import hash_uid, mapped_uid

Arguments = Sequence[Known]


def hash_one(frame: Frame, arguments: Arguments) -> Known:
    """Hash one value; what is empty or absent stays nothing."""
    text = frame.text(arguments[0])
    return hash_uid(text) if text else None


def hash_list(frame: Frame, arguments: Arguments) -> Known:
    """Hash, in place, every value of every element that the paths mean."""
    _in_place(frame, arguments, hash_uid, "hash")
    return None


def new(frame: Frame, _: Arguments) -> Known:
    """Return a UID that nothing else has, and the same again for the same object: twice is the same as once."""
    frame.new_uids += 1
    instance = str(frame.dataset.get("SOPInstanceUID") or "")
    return frame.surroundings.keys.uid(f"new\0{frame.script}\0{frame.new_uids}\0{instance}")


def map_one(frame: Frame, arguments: Arguments) -> Known:
    """Return the UID below a prefix that stands for a value, an absent one included."""
    return mapped_uid(frame.surroundings.keys, frame.text(arguments[0]) or "", frame.text(arguments[1]) or "")


def map_referenced(frame: Frame, arguments: Arguments) -> Known:
    """Put, in place, UIDs below a prefix for every value of every element that the paths mean."""
    prefix = frame.text(arguments[0]) or ""
    _in_place(frame, arguments[1:], lambda uid: mapped_uid(frame.surroundings.keys, uid, prefix), "map")
    return None


def _in_place(frame: Frame, arguments: Arguments, change: Callable[[str], str], action: Action) -> None:
    paths = [path for argument in arguments for path in frame.paths(argument)]
    # Found before anything is changed: an element that two paths mean is changed once.
    found = {(id(one.owner), one.tag): one for path in paths for one in frame.find(path)}
    for one in found.values():
        text = frame.text_at(one)
        if text:
            frame.write(one, "\\".join(change(uid) if uid else "" for uid in text.split("\\")), action)
