"""The trust's XNAT, spoken to through its REST routes only."""

from trust_node.imaging.xnat.client import ArchivedFile, Xnat, scan_address, session_address
from trust_node.imaging.xnat.errors import PrearchivedError, XnatRefusedError, XnatUnreachableError

__all__ = [
    "ArchivedFile",
    "PrearchivedError",
    "Xnat",
    "XnatRefusedError",
    "XnatUnreachableError",
    "scan_address",
    "session_address",
]
