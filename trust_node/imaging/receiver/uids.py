"""The standard's storage classes and transfer syntaxes, from pydicom's dictionary (PS3.6 A)."""

from functools import cache

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import AllTransferSyntaxes, DeflatedExplicitVRLittleEndian, JPIPHTJ2KReferencedDeflate
from pynetdicom import AllStoragePresentationContexts

from trust_node.imaging.receiver.admission import Taken

# Finding the study's UID in a deflated data set would mean inflating what a peer has made.
_DEFLATED = frozenset((DeflatedExplicitVRLittleEndian, JPIPHTJ2KReferencedDeflate))
_NO_STORAGE = ("Storage Commitment", "Media Storage Directory", "Stored Print")


@cache
def taken(*, unknown: bool) -> Taken:
    """Return all that a PACS may keep, retired classes included; `unknown` adds what no dictionary has."""
    classes = storage_classes()
    return Taken(
        classes,
        frozenset(str(syntax) for syntax in AllTransferSyntaxes if syntax not in _DEFLATED),
        frozenset(UID_dictionary) - classes,
        unknown,
    )


def storage_classes() -> frozenset[str]:
    named = (uid for uid, (name, kind, *_) in UID_dictionary.items() if kind == "SOP Class" and _stores(name))
    return frozenset(named) | {str(context.abstract_syntax) for context in AllStoragePresentationContexts}


def _stores(name: str) -> bool:
    return "Storage" in name and not name.startswith(_NO_STORAGE)
