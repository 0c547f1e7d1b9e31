"""Which UIDs belong to the standard and not to anybody's images."""

from pydicom.config import IGNORE
from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID


def is_registered(uid: str) -> bool:
    """Tell a UID of PS3.6's registry, the same in every hospital, from one that was minted for an object."""
    known = UID(uid, validation_mode=IGNORE)
    return known.name != known


def names_a_class(tag: int) -> bool:
    """Tell elements that name a kind of object or an encoding from those that name a patient's object."""
    keyword = keyword_for_tag(tag)
    return "ClassUID" in keyword or "TransferSyntax" in keyword or "ClassesInStudy" in keyword
