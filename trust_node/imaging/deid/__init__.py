"""De-identification by DICOM PS3.15 annex E, keyed by the trust."""

from trust_node.imaging.deid.plain import DeidResult, deidentify
from trust_node.imaging.deid.files import CleanFile, HeldFile, clean_file, clean_files
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.leaks import Identity, identity, leaks
from trust_node.imaging.deid.screen import Held, HoldReason, screen

__all__ = [
    "CleanFile",
    "DeidKeys",
    "DeidResult",
    "Held",
    "HeldFile",
    "HoldReason",
    "Identity",
    "clean_file",
    "clean_files",
    "deidentify",
    "identity",
    "leaks",
    "screen",
]
